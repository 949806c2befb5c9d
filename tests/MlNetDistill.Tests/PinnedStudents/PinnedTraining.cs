using MlNetDistill.Data;
using MlNetDistill.Methods;
using MlNetDistill.Training;
using static MlNetDistill.Tests.PinnedStudents.PinnedCase;

namespace MlNetDistill.Tests.PinnedStudents;

/// <summary>Every setting of the training and of the rows trained on.</summary>
internal static class PinnedTraining
{
    private static readonly (string Name, DistillationOptions Options)[] Settings =
    [
        ("optimizer: AdamW", OfPoints with { Optimizer = Optimizer.AdamW(0.01, 0.1) }),
        ("optimizer: SGD with Nesterov momentum", OfPoints with { Optimizer = Optimizer.Sgd(0.05), Schedule = LearningRateSchedule.Constant() }),
        ("optimizer: SGD with momentum", OfPoints with { Optimizer = Optimizer.Sgd(0.05, 0.8, nesterov: false) }),
        ("schedule: constant", OfPoints with { Schedule = LearningRateSchedule.Constant() }),
        ("schedule: cosine", OfPoints with { Schedule = LearningRateSchedule.Cosine(0.1) }),
        ("schedule: step", OfPoints with { Schedule = LearningRateSchedule.Step([1, 2]), Epochs = 3 }),
        ("schedule: one cycle", OfPoints with { Schedule = LearningRateSchedule.OneCycle(0.4) }),
        ("schedule: cosine after a warm-up", OfPoints with { Schedule = LearningRateSchedule.Cosine() with { WarmupEpochs = 1 } }),
        ("sampling: class-uniform", OfPoints with { Sampling = BatchSampling.ClassUniform(4), Method = DistillationMethod.Cckd() }),
        ("sampling: superclass-uniform", OfPoints with { Sampling = BatchSampling.SuperclassUniform(3, 4), Method = DistillationMethod.Cckd() }),
        ("augmentation: Gaussian noise and marginal swap", OfPoints with { Augmentations = [Augmentation.GaussianNoise(0.1), Augmentation.MarginalSwap(0.2)] }),
        ("augmentation: mixup", OfPoints with { Augmentations = [Augmentation.Mixup()] }),
        ("rows: example weights", OfPoints with { ExampleWeightColumnName = "Weight" }),
        ("training: gradient clipping", OfPoints with { GradientClipping = 0.05 }),
        ("training: last batch incomplete", OfPoints with { BatchSize = 13 }),
        ("training: batch larger than the rows", OfPoints with { BatchSize = 64 }),
        ("training: seed drawn from the context", OfPoints with { Seed = null }),
        ("validation: fraction", OfPoints with { ValidationFraction = 0.25, Epochs = 3 }),
        ("validation: column", OfPoints with { ValidationColumnName = "Held", Epochs = 3 }),
        ("validation: early stopping", OfPoints with
        {
            ValidationFraction = 0.25,
            EarlyStopping = new EarlyStopping(Patience: 1, MinimumImprovement: 0.2),
            Optimizer = Optimizer.AdamW(0.0001),
            Epochs = 6,
        }),
    ];

    private static readonly (string Name, DistillationOptions Options)[] PictureSettings =
    [
        ("augmentation: random crop and horizontal flip", OfPictures with { Augmentations = [Augmentation.RandomCrop(1), Augmentation.HorizontalFlip()] }),
        ("augmentation: CutMix", OfPictures with { Augmentations = [Augmentation.CutMix()] }),
        ("validation: pictures", OfPictures with { ValidationFraction = 0.25 }),
    ];

    public static IReadOnlyList<PinnedCase> Cases { get; } =
    [
        .. Settings.Select(s => new PinnedCase(s.Name, s.Options)),
        .. PictureSettings.Select(s => Pictures(s.Name, s.Options)),
        new("rows: those without labels left out", _ => OfPoints with { MissingLabels = MissingLabels.Drop, BatchSize = 8 }, run => run.HalfLabelled),
        new("rows: those without labels learn from the teacher", _ => OfPoints with { MissingLabels = MissingLabels.TeacherOnly, BatchSize = 8 }, run => run.HalfLabelled),
        new("rows: no labels at all", run => OfPoints with
        {
            Teacher = Teacher.FromModule(run.Module(), classNames: Support.Rows.Classes),
            LabelColumnName = null,
            MinimumTeacherAccuracy = null,
        }),
        new("training: goes on from a student", run => OfPoints with { InitialWeights = Start(run, 0) }),
        new("training: starts near a student", run => OfPoints with { InitialWeights = Start(run, 0.5) }),
    ];

    private static InitialWeights Start(PinnedRun run, double randomShare) =>
        InitialWeights.From(run.Fit(OfPoints with { Method = DistillationMethod.LabelsOnly() }, run.Points).Model, randomShare);
}
