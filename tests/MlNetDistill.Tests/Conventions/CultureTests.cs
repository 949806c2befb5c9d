using System.Globalization;
using System.IO.Compression;
using Microsoft.ML;
using MlNetDistill.Cache;
using MlNetDistill.Data;
using MlNetDistill.Evaluation;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Reporting;
using MlNetDistill.Tests.Cache;
using MlNetDistill.Tests.Support;
using MlNetDistill.Training;

namespace MlNetDistill.Tests.Conventions;

/// <summary>Nothing that is written, hashed or said depends on the culture of the thread.</summary>
public sealed class CultureTests : CachesInFolder
{
    // A normaliser and calibrators: ML.NET writes the numbers of both as text too.
    private ITransformer Calibrated() => Context.Transforms.Conversion.MapValueToKey("TeacherClass", "Label")
        .Append(Context.Transforms.NormalizeMeanVariance("Scaled", "Features", fixZero: false))
        .Append(Context.MulticlassClassification.Trainers.OneVersusAll(
            Context.BinaryClassification.Trainers.FastTree("TeacherClass", "Scaled", numberOfLeaves: 4, numberOfTrees: 5, minimumExampleCountPerLeaf: 2), "TeacherClass"))
        .Fit(View);

    [Test]
    public void A_cache_that_was_made_in_one_culture_is_used_in_another()
    {
        var teacher = Teacher.FromTransformer(Calibrated());
        float[][] made;
        using (new ForeignCulture())
            made = Fit(teacher);
        Assert.That(Fit(teacher, In() with { Mode = CacheMode.UseOnly }), Is.EqualTo(made));
        Assert.That(Folder.Entries, Has.Length.EqualTo(1));
    }

    [Test]
    public void A_report_has_the_same_hashes_in_every_culture()
    {
        var model = Calibrated();
        (string?, string?) Hashes()
        {
            var report = DistillationReport.Create(Context, new ReportInput { Title = "Trees", Test = View, Teacher = model, Student = model, LabelColumnName = "Class" });
            return (report.Student.Hash, report.Data[0].Hash);
        }

        var here = Hashes();
        using (new ForeignCulture())
            Assert.That(Hashes(), Is.EqualTo(here));
        Assert.That(here.Item1, Is.Not.Null);
    }

    [Test]
    public void A_model_is_saved_with_the_same_contents_in_every_culture()
    {
        var model = Calibrated();
        Context.Model.SaveAtomically(model, View.Schema, Folder.File("here.zip"));
        using (new ForeignCulture())
        {
            Context.Model.SaveAtomically(model, View.Schema, Folder.File("there.zip"));
            Assert.That(1.5.ToString(CultureInfo.CurrentCulture), Is.EqualTo("1¤5"), "the caller's culture is as it was");
        }

        Assert.That(Contents("there.zip"), Is.EqualTo(Contents("here.zip")));
    }

    [Test]
    public void A_route_has_the_same_student_in_every_culture()
    {
        float[][] Student(string folder)
        {
            var route = Folder.File(folder);
            Fit(Route.Train(NetworkSpec.Mlp(16), every: 2, epochs: 4, folder: route), new TeacherCacheOptions());
            return Fit(Route.FromCheckpoints(NetworkSpec.Mlp(16), [.. Directory.GetFiles(route).Order()]), new TeacherCacheOptions());
        }

        var here = Student("here");
        using (new ForeignCulture())
            Assert.That(Student("there"), Is.EqualTo(here));
    }

    [TestCaseSource(nameof(Faulty))]
    public void A_fault_is_said_in_the_same_words_in_every_culture(Action refused)
    {
        var here = MessageOf(refused);
        using (new ForeignCulture())
            Assert.That(MessageOf(refused), Is.EqualTo(here));
    }

    private static IEnumerable<TestCaseData> Faulty()
    {
        var good = Rows.Quick() with { ValidationFraction = 0.2 };
        TestCaseData Case(string name, Action refused) => new TestCaseData(refused).SetArgDisplayNames(name);
        TestCaseData Option(string name, DistillationOptions options) => Case(name, () => Rows.Context().MulticlassClassification.Trainers.Distill(options));
        yield return Option("numbers of a fit", good with
        {
            Epochs = -1,
            BatchSize = -1,
            GradientClipping = -0.5,
            ValidationFraction = -0.5,
            MinimumTeacherAccuracy = -0.5,
            EarlyStopping = new EarlyStopping(-1, -0.5),
        });
        foreach (var method in new[] { DistillationMethod.Kd(-0.5, -0.5), DistillationMethod.Dist(-0.5, -0.5), DistillationMethod.Sskd([new StagePair(-1, -1)]),
            DistillationMethod.Rco(anchors: AnchorSelection.EqualInterval(-1)), DistillationMethod.Rco(anchors: AnchorSelection.Epochs(-1)),
            DistillationMethod.Rco(anchors: AnchorSelection.Greedy(-0.5)), DistillationMethod.Cckd(alpha: -0.5, beta: -0.5, temperature: -0.5) })
            yield return Option($"{method}", good with { Method = method });
        foreach (var optimizer in new[] { Optimizer.AdamW(-0.5, -0.5), Optimizer.Sgd(-0.5, -0.5) })
            yield return Option(optimizer.GetType().Name, good with { Optimizer = optimizer });
        foreach (var schedule in new[] { LearningRateSchedule.Step([-1], -0.5), LearningRateSchedule.Cosine(-0.5), LearningRateSchedule.OneCycle(-0.5, -0.5, -0.5) })
            yield return Option(schedule.GetType().Name, good with { Schedule = schedule with { WarmupEpochs = -1 } });
        foreach (var augmentation in new[] { Augmentation.GaussianNoise(-0.5), Augmentation.Mixup(-0.5), Augmentation.CutMix(-0.5), Augmentation.MarginalSwap(-0.5), Augmentation.RandomCrop(-1), Augmentation.HorizontalFlip(-0.5) })
            yield return Option(augmentation.GetType().Name, good with { Augmentations = [augmentation] });
        foreach (var sampling in new[] { BatchSampling.ClassUniform(-1), BatchSampling.SuperclassUniform(-1, -1) })
            yield return Option(sampling.GetType().Name, good with { Sampling = sampling });
        foreach (var network in new NetworkSpec[] { NetworkSpec.Mlp(-1), NetworkSpec.ResNet(-1, -1), NetworkSpec.WideResNet(-1, -1), NetworkSpec.Vgg(-1, -1), NetworkSpec.MobileNetV2(-0.5), NetworkSpec.ShuffleNetV2(-0.5) })
            yield return Option(network.GetType().Name, good with { Student = network });
        yield return Option("a teacher's numbers", good with
        {
            Teacher = Teacher.Ensemble((Teacher.Train(NetworkSpec.Mlp(4), -1), -0.5), (Teacher.FromEstimator(Rows.Context().Regression(), folds: -1), 1)),
        });
        yield return Option("a route's numbers", good with { Teacher = Route.Train(NetworkSpec.Mlp(4), -1, -1) });
        yield return Option("numbers of the teacher cache", good with { TeacherCache = new TeacherCacheOptions { TopK = -1, AugmentedViews = -1, MemoryLimit = -1 } });
        yield return Option("a share of fresh weights", good with { InitialWeights = InitialWeights.From(ToyModels.Points.LastTransformer.Model, -0.5) });
        yield return Case("criteria", () => new AcceptanceCriteria
        {
            MinimumAccuracyRetention = -0.5,
            MinimumAccuracy = -0.5,
            MaximumDivergence = -0.5,
            MinimumClassRows = -1,
            MaximumZipBytes = -1,
        }.Judge(Evaluation.Report.ReportSamples.Letters().Metrics));
        yield return Case("evaluation", () => new DistillationEvaluator(Rows.Classes, new DistillationEvaluationOptions
        {
            ReliabilityBins = -1,
            BootstrapReplicates = -1,
            WorstRegressions = -1,
            TopK = [-1],
            ConfidenceLevel = -0.5,
        }));
        yield return Case("cost", () => Rows.Context().Model.MeasureCost(ToyModels.Points, ToyData.Points(), options: new CostOptions
        {
            WarmupPredictions = -1,
            Predictions = -1,
            WarmupPasses = -1,
            Passes = -1,
        }));
        yield return Case("a loss", () => _ = new Losses.KdLoss(-0.5));
        yield return Case("a weight", () => _ = -0.5 * new Losses.KdLoss(4));
        yield return Case("a tap", () => _ = new Losses.HintLoss((-1, -1)));
    }

    private static string MessageOf(Action refused)
    {
        try
        {
            refused();
        }
        catch (ArgumentException e)
        {
            return e.Message;
        }

        Assert.Fail("It was not refused.");
        return "";
    }

    private SortedDictionary<string, string> Contents(string name)
    {
        using var zip = ZipFile.OpenRead(Folder.File(name));
        return new(zip.Entries.ToDictionary(entry => entry.FullName, entry =>
        {
            using var content = entry.Open();
            using var bytes = new MemoryStream();
            content.CopyTo(bytes);
            return Convert.ToHexString(bytes.ToArray());
        }), StringComparer.Ordinal);
    }
}
