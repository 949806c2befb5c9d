using Microsoft.ML;
using Microsoft.ML.Trainers;
using Microsoft.ML.Trainers.FastTree;
using MlNetDistill.Cache;
using MlNetDistill.Data;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Tests.Support;
using TorchSharp;
using static MlNetDistill.Tests.PinnedStudents.PinnedCase;

namespace MlNetDistill.Tests.PinnedStudents;

/// <summary>Every kind of teacher and of route, and the ways in which answers are kept.</summary>
internal static class PinnedTeachers
{
    private static readonly (string Name, Func<PinnedRun, Teacher> Teacher)[] Kinds =
    [
        ("fitted model of probabilities", run => Teacher.FromTransformer(Regression(run).Fit(run.Points))),
        ("fitted model of one-versus-all margins", run => Teacher.FromTransformer(Margins(run).Fit(run.Points), scoreKind: ScoreKind.Margins)),
        ("fitted forest", run => Teacher.FromTransformer(Forest(run, 8).Fit(run.Points))),
        ("pipeline", run => Teacher.FromEstimator(Regression(run))),
        ("pipeline in folds", run => Teacher.FromEstimator(Regression(run), folds: 3)),
        ("ONNX file", _ => Onnx()),
        ("module", run => Teacher.FromModule(run.Module(), classNames: Rows.Classes)),
        ("module asked by a function", run => Function(run.Module())),
        ("TorchScript file", _ => Teacher.FromTorchScript(RealRows.PathOf("mlp.pt"), classNames: Rows.Classes)),
        ("network trained on the spot", _ => Trained()),
        ("ensemble", run => Teacher.Ensemble(Trained(), Teacher.FromTransformer(Regression(run).Fit(run.Points)))),
        ("weighted ensemble of networks", run => Teacher.Ensemble((Trained(), 1.0), (Onnx(), 3.0))),
    ];

    private static readonly (string Name, Func<PinnedRun, Teacher> Route)[] Routes =
    [
        ("trained on the spot", _ => TrainedRoute()),
        ("trained on the spot into a folder", run => TrainedRoute(run.Folder)),
        ("checkpoints", Checkpoints),
        ("teachers", run => Route.FromTeachers(("forest", Teacher.FromEstimator(Forest(run, 2))), ("ONNX", Onnx()))),
        ("pipelines", run => Route.FromEstimators(("small", Forest(run, 2)), ("large", Forest(run, 6)))),
    ];

    private static readonly (string Name, TeacherCacheOptions Options)[] CacheFormats =
    [
        ("half precision", new() { Precision = CachePrecision.Half }),
        ("largest two logits", new() { TopK = 2 }),
        ("stage features", new() { KeepStageFeatures = true, Precision = CachePrecision.Half }),
    ];

    public static IReadOnlyList<PinnedCase> Cases { get; } =
    [
        .. Kinds.Select(k => new PinnedCase($"teacher: {k.Name}", run => OfPoints with { Teacher = k.Teacher(run) })),
        new("teacher: column", _ => OfPoints with { Teacher = Teacher.FromColumn("Opinion", classNames: Rows.Classes) }, run => run.PointsWithOpinion),
        .. Routes.Select(r => new PinnedCase($"route: {r.Name}", run => OfPoints with { Teacher = r.Route(run), Method = DistillationMethod.Rco() })),
        .. CacheFormats.Select(r => new PinnedCase($"answers kept in memory: {r.Name}", OfPoints with { TeacherCache = r.Options, Method = Kept(r.Options) })),
        new("answers kept in a folder: written", InFolder),
        new("answers kept in a folder: read", Again),
        new("answers kept in a folder: half precision", run => InFolder(run) with { TeacherCache = new() { Folder = run.Folder, Precision = CachePrecision.Half } }),
        new("answers for augmented rows: views drawn beforehand", run => InFolder(run) with
        {
            Augmentations = [Augmentation.GaussianNoise(0.1)],
            TeacherCache = new() { Folder = run.Folder, AugmentedViews = 2 },
        }),
    ];

    private static DistillationMethod Kept(TeacherCacheOptions cache) =>
        cache.KeepStageFeatures ? DistillationMethod.FromLoss("hint", new Losses.CrossEntropyLoss() + new Losses.HintLoss((0, 1))) : DistillationMethod.Kd();

    private static DistillationOptions InFolder(PinnedRun run) => OfPoints with { Teacher = Onnx(), TeacherCache = new() { Folder = run.Folder } };

    private static DistillationOptions Again(PinnedRun run)
    {
        run.Fit(InFolder(run), run.Points);
        return InFolder(run);
    }

    private static Teacher Trained() => Teacher.Train(NetworkSpec.Mlp(5), 1, Optimizer.Sgd(0.05), LearningRateSchedule.Cosine());

    private static Teacher TrainedRoute(string? folder = null) => Route.Train(NetworkSpec.Mlp(5), every: 1, epochs: 2, folder: folder);

    private static Teacher Checkpoints(PinnedRun run)
    {
        if (Directory.GetFiles(run.Folder, "*.weights").Length == 0)
            run.Fit(OfPoints with { Teacher = TrainedRoute(run.Folder), Method = DistillationMethod.Rco(), Seed = 3 }, run.Points);
        return Route.FromCheckpoints(NetworkSpec.Mlp(5), [.. Directory.GetFiles(run.Folder, "*.weights").Order(StringComparer.Ordinal)]);
    }

    private static Teacher Onnx() => Teacher.FromOnnx(RealRows.PathOf("iris-mlp.onnx"), classNames: Rows.Classes);

    private static Teacher Function(torch.nn.Module<torch.Tensor, torch.Tensor> module) =>
        Teacher.FromModule(module, rows => new NetworkOutput(module.call(rows)), classNames: Rows.Classes);

    // One thread each: with several, ML.NET's trainers add up in the order in which these happen to end.
    public static IEstimator<ITransformer> Regression(PinnedRun run) => Labelled(run).Append(run.Context.MulticlassClassification.Trainers.LbfgsMaximumEntropy(
        new LbfgsMaximumEntropyMulticlassTrainer.Options { LabelColumnName = "TeacherClass", NumberOfThreads = 1 }));

    private static IEstimator<ITransformer> Margins(PinnedRun run) => Labelled(run).Append(run.Context.MulticlassClassification.Trainers.OneVersusAll(
        run.Context.BinaryClassification.Trainers.AveragedPerceptron("TeacherClass"), "TeacherClass", useProbabilities: false));

    private static IEstimator<ITransformer> Forest(PinnedRun run, int trees) => Labelled(run).Append(run.Context.MulticlassClassification.Trainers.OneVersusAll(
        run.Context.BinaryClassification.Trainers.FastForest(new FastForestBinaryTrainer.Options
        {
            LabelColumnName = "TeacherClass",
            NumberOfTrees = trees,
            NumberOfLeaves = 4,
            MinimumExampleCountPerLeaf = 2,
            NumberOfThreads = 1,
        }),
        "TeacherClass"));

    private static Microsoft.ML.Transforms.ValueToKeyMappingEstimator Labelled(PinnedRun run) => run.Context.Transforms.Conversion.MapValueToKey("TeacherClass", "Label");
}
