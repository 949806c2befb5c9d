using Microsoft.ML;
using MlNetDistill.Core;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Tests.Support;
using MlNetDistill.Training;

namespace MlNetDistill.Tests.Options;

public sealed class OptionFaultTests
{
    private static readonly DistillationOptions Good = Rows.Quick() with { Method = DistillationMethod.Kd(), Teacher = Teacher.Train(NetworkSpec.Mlp(4)) };

    private static IEnumerable<TestCaseData> SingleFaults()
    {
        yield return Case(Good with { Student = null! }, "Student must be set, for example to NetworkSpec.Mlp(64).");
        yield return Case(Good with { Method = null! }, "Method must be set, for example to DistillationMethod.Kd().");
        yield return Case(Good with { Teacher = null }, "The method KD needs a Teacher, for example Teacher.FromTransformer(model). To train without one, use DistillationMethod.LabelsOnly().");
        yield return Case(Good with { LabelColumnName = " " }, "LabelColumnName must be a column name, or null for none; was ' '.");
        yield return Case(Good with { FeatureColumnName = null! }, "FeatureColumnName must be a column name; was null.");
        yield return Case(Good with { ExampleWeightColumnName = "" }, "ExampleWeightColumnName must be a column name, or null for none; was ''.");
        yield return Case(Good with { ScoreColumnName = "Both", PredictedLabelColumnName = "Both" },
            "ScoreColumnName and PredictedLabelColumnName must differ; both were 'Both'.");
        yield return Case(Good with { ScoreColumnName = "Class" }, "ScoreColumnName and LabelColumnName must differ; both were 'Class'.");
        yield return Case(Good with { PredictedLabelColumnName = "Class" }, "PredictedLabelColumnName and LabelColumnName must differ; both were 'Class'.");
        yield return Case(Good with { FeatureColumnName = "Score" }, "ScoreColumnName and FeatureColumnName must differ; both were 'Score'.");
        yield return Case(Good with { ExampleWeightColumnName = "Score" }, "ScoreColumnName and ExampleWeightColumnName must differ; both were 'Score'.");
        yield return Case(Good with { ValidationColumnName = "PredictedLabel" },
            "PredictedLabelColumnName and ValidationColumnName must differ; both were 'PredictedLabel'.");
        yield return Case(Good with { ExampleWeightColumnName = "Features" }, "FeatureColumnName and ExampleWeightColumnName must differ; both were 'Features'.");
        yield return Case(Good with { Epochs = 0 }, "Epochs must be at least 1; was 0.");
        yield return Case(Good with { BatchSize = -1 }, "BatchSize must be at least 1; was -1.");
        yield return Case(Good with { GradientClipping = 0 }, "GradientClipping must be above 0; was 0.");
        yield return Case(Good with { MinimumTeacherAccuracy = 1.5 }, "MinimumTeacherAccuracy must be in [0, 1]; was 1.5.");
        yield return Case(Good with { MissingLabels = MissingLabels.TeacherOnly, Method = DistillationMethod.LabelsOnly() },
            "MissingLabels.TeacherOnly needs a method that asks the teacher about the rows, and labels only asks none.");
        yield return Case(Good with { MissingLabels = (MissingLabels)7 }, "MissingLabels must be Error, Drop or TeacherOnly; was 7.");
        yield return Case(Good with { MissingFeatures = (MissingFeatures)7 }, "MissingFeatures must be Error or Drop; was 7.");
        yield return Case(Good with { Precision = (TrainingPrecision)7 }, "Precision must be Float32 or BFloat16; was 7.");
        yield return Case(Good with { Precision = TrainingPrecision.BFloat16, Method = DistillationMethod.MetaDistil() },
            "The method MetaDistil trains a copy of its teacher by differentiating the student's backward pass again, which is in 32-bit floats only: leave Precision Float32, or take a method with a fixed teacher, such as DistillationMethod.Kd().");
        yield return Case(Good with { CompareAlone = true, Method = DistillationMethod.LabelsOnly() },
            "CompareAlone compares the student with one that learns from labels alone, and the method labels only learns from labels alone itself: leave CompareAlone false, or give a method that learns from a teacher.");
        yield return Case(Good with { CompareAlone = true, LabelColumnName = null, Teacher = Teacher.FromColumn("TeacherScore") },
            "CompareAlone trains the student on labels alone as well, and LabelColumnName is null: name the label column, or leave CompareAlone false.");
        yield return Case(Good with { OnCancellation = (CancellationBehavior)7 }, "OnCancellation must be Throw or ReturnBest; was 7.");
        yield return Case(Good with { OnTimeUp = (CancellationBehavior)7 }, "OnTimeUp must be Throw or ReturnBest; was 7.");
        yield return Case(Good with { OnNonFinite = NonFiniteHandling.SkipBatch(0) }, "OnNonFinite: the batches that SkipBatch allows must be at least 1; was 0.");
        yield return Case(Good with { OnNonFinite = null! }, "OnNonFinite must be set; NonFiniteHandling.Stop stops.");
        yield return Case(Good with { MaxTrainingTime = TimeSpan.Zero }, "MaxTrainingTime must be above 0; was 00:00:00.");
    }

    private static IEnumerable<TestCaseData> MethodFaults()
    {
        yield return Case(Good with { Method = DistillationMethod.Kd(temperature: 0) }, "KD's temperature must be above 0; was 0.");
        yield return Case(Good with { Method = DistillationMethod.Kd(temperature: -2) }, "KD's temperature must be above 0; was -2.");
        yield return Case(Good with { Method = DistillationMethod.Kd(temperature: double.NaN) }, "KD's temperature must be above 0; was NaN.");
        yield return Case(Good with { Method = DistillationMethod.Kd(alpha: -0.1) }, "KD's alpha must be in [0, 1]; was -0.1.");
        yield return Case(Good with { Method = DistillationMethod.Kd(alpha: 1.1) }, "KD's alpha must be in [0, 1]; was 1.1.");
    }

    private static IEnumerable<TestCaseData> ValidationFaults()
    {
        yield return Case(Good with { ValidationFraction = 1 }, "ValidationFraction must be in [0, 1); was 1.");
        yield return Case(Good with { ValidationFraction = double.NaN }, "ValidationFraction must be in [0, 1); was NaN.");
        yield return Case(Good with { ValidationColumnName = "" }, "ValidationColumnName must be a column name, or null for none; was ''.");
        yield return Case(Good with { ValidationFraction = 0.2, ValidationColumnName = "Held" },
            "ValidationFraction, ValidationColumnName and ValidationData exclude each other; give one.");
        yield return Case(Good with { EarlyStopping = new EarlyStopping() },
            "EarlyStopping needs held-out rows: give ValidationFraction, ValidationColumnName or ValidationData.");
        yield return Case(Good with { ValidationFraction = 0.2, EarlyStopping = new EarlyStopping(0) }, "EarlyStopping.Patience must be at least 1; was 0.");
        yield return Case(Good with { ValidationFraction = 0.2, EarlyStopping = new EarlyStopping(1, -0.5) },
            "EarlyStopping.MinimumImprovement must be in [0, 1); was -0.5.");
    }

    private static IEnumerable<TestCaseData> TrainingFaults()
    {
        yield return Case(Good with { Optimizer = Optimizer.AdamW(0) }, "The optimizer's LearningRate must be above 0; was 0.");
        yield return Case(Good with { Optimizer = Optimizer.AdamW(weightDecay: -1) }, "The optimizer's WeightDecay must be at least 0; was -1.");
        yield return Case(Good with { Optimizer = Optimizer.Sgd(momentum: 1) }, "The optimizer's Momentum must be in [0, 1); was 1.");
        yield return Case(Good with { Optimizer = Optimizer.Sgd(momentum: 0) }, "Nesterov momentum needs a Momentum above 0; was 0.");
        yield return Case(Good with { Schedule = null! }, "Schedule must be set.");
        yield return Case(Good with { Schedule = LearningRateSchedule.Constant() with { WarmupEpochs = -1 } },
            "The schedule's WarmupEpochs must be at least 0; was -1.");
        yield return Case(Good with { Schedule = LearningRateSchedule.Step([3, 3]) }, "The step schedule's epochs must rise; were [3, 3].");
        yield return Case(Good with { Schedule = LearningRateSchedule.Step([3], 2) }, "The step schedule's factor must be in (0, 1]; was 2.");
        yield return Case(Good with { Schedule = LearningRateSchedule.Cosine(1) }, "The cosine schedule's final factor must be in [0, 1); was 1.");
        yield return Case(Good with { Schedule = LearningRateSchedule.OneCycle(riseFraction: 1) },
            "The one-cycle schedule's riseFraction must be in (0, 1); was 1.");
    }

    private static IEnumerable<TestCaseData> NetworkFaults()
    {
        yield return Case(Good with { Student = NetworkSpec.Mlp(8, 0) }, "A hidden layer must have at least 1 unit; one has 0.");
        yield return Case(Good with { Student = NetworkSpec.ResNet(10) }, "The depth of a ResNet must be 6n+2 (8, 14, 20, 32, …); was 10.");
        yield return Case(Good with { Student = NetworkSpec.ResNet(8, 4, 4) },
            "A ResNet takes four widths of at least 1 (stem and three stages); were [4, 4].");
        yield return Case(Good with { Student = NetworkSpec.ResNet(8, InputShape.Image(2, 8, 8)) },
            "A ResNet reads images of 1 or 3 channels; these have 2 (2×8×8).");
        yield return Case(Good with { Student = NetworkSpec.ResNet(8, InputShape.Image(1, 7, 8)) },
            "A ResNet reads images of at least 8×8 pixels; these are 1×7×8.");
        yield return Case(Good with { Teacher = Teacher.Train(NetworkSpec.Mlp(0)) }, "Teacher: A hidden layer must have at least 1 unit; one has 0.");
        yield return Case(Good with { Teacher = Teacher.Train(NetworkSpec.Mlp(4), epochs: 0) }, "The teacher's epochs must be at least 1; was 0.");
        yield return Case(Good with { Teacher = Teacher.FromEstimator(Rows.Context().Regression(), folds: 1) },
            "The teacher's folds must be 0 (none) or at least 2; was 1.");
        yield return Case(Good with { Teacher = Teacher.FromEstimator(Rows.Context().Regression(), scoreColumnName: " ") },
            "The teacher's scoreColumnName must be a column name; was empty.");
    }

    [TestCaseSource(nameof(SingleFaults))]
    [TestCaseSource(nameof(MethodFaults))]
    [TestCaseSource(nameof(ValidationFaults))]
    [TestCaseSource(nameof(TrainingFaults))]
    [TestCaseSource(nameof(NetworkFaults))]
    public void A_faulty_setting_is_refused_when_the_trainer_is_made(DistillationOptions options, string message) =>
        Assert.That(() => Make(options), Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.EqualTo(message + " (Parameter 'options')"));

    [Test]
    public void Every_fault_is_named_on_a_line_of_its_own_in_one_exception() => Assert.That(
        () => Make(new DistillationOptions
        {
            Student = NetworkSpec.Mlp(0),
            Method = DistillationMethod.Kd(temperature: 0, alpha: 2),
            Epochs = 0,
            BatchSize = 0,
            EarlyStopping = new EarlyStopping(0),
            Optimizer = Optimizer.Sgd(learningRate: -1),
            Schedule = LearningRateSchedule.Cosine(-1),
        }),
        Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.EqualTo(string.Join(
            Environment.NewLine,
            "The method KD needs a Teacher, for example Teacher.FromTransformer(model). To train without one, use DistillationMethod.LabelsOnly().",
            "Epochs must be at least 1; was 0.",
            "BatchSize must be at least 1; was 0.",
            "EarlyStopping needs held-out rows: give ValidationFraction, ValidationColumnName or ValidationData.",
            "A hidden layer must have at least 1 unit; one has 0.",
            "KD's temperature must be above 0; was 0.",
            "KD's alpha must be in [0, 1]; was 2.",
            "The optimizer's LearningRate must be above 0; was -1.",
            "The cosine schedule's final factor must be in [0, 1); was -1.",
            "EarlyStopping.Patience must be at least 1; was 0. (Parameter 'options')")));

    [Test]
    public void Good_settings_are_accepted() => Assert.That(() => Make(Good), Throws.Nothing);

    [Test]
    public void The_simple_overload_checks_as_well() => Assert.That(
        () => new MLContext().MulticlassClassification.Trainers.Distill(Teacher.Train(NetworkSpec.Mlp(4)), NetworkSpec.Mlp(4), epochs: 0, batchSize: 0),
        Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.EqualTo(
            $"Epochs must be at least 1; was 0.{Environment.NewLine}BatchSize must be at least 1; was 0. (Parameter 'options')"));

    [Test]
    public void Without_a_teacher_only_a_method_that_needs_none_is_taken()
    {
        var trainers = new MLContext().MulticlassClassification.Trainers;
        Assert.That(() => trainers.Distill(NetworkSpec.Mlp(4), DistillationMethod.LabelsOnly()), Throws.Nothing);
        Assert.That(
            () => trainers.Distill(NetworkSpec.Mlp(4), DistillationMethod.Kd()),
            Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.StartsWith("The method KD needs a Teacher, for example Teacher.FromTransformer(model)"));
    }

    private static TestCaseData Case(DistillationOptions options, string message) => new TestCaseData(options, message).SetArgDisplayNames(message);

    private static DistillationTrainer Make(DistillationOptions options) => new MLContext().MulticlassClassification.Trainers.Distill(options);
}
