using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Evaluation;
using MlNetDistill.Losses;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Reporting;
using MlNetDistill.Tests.Support;
using static TorchSharp.torch;

namespace MlNetDistill.Tests.Evaluation;

/// <summary>What a report holds is what the models and rows say that it is made of.</summary>
public sealed class EvidenceTests
{
    private readonly MLContext _mlContext = new(seed: 1);
    private readonly IDataView _train = new MLContext().View(ToyData.Points());
    private readonly IDataView _test = new MLContext().View(ToyData.Points(rows: 90, seed: 2));

    [Test]
    public void The_metrics_are_those_of_EvaluateDistillation()
    {
        var (teacher, distilled, alone) = Models();

        var report = DistillationReport.Create(_mlContext, Evidence(teacher, distilled) with { Alone = alone, Training = _train });

        var catalog = _mlContext.MulticlassClassification;
        Assert.Multiple(() =>
        {
            Assert.That(Figures(report.Metrics), Is.EqualTo(Figures(catalog.EvaluateDistillation(_test, teacher, distilled, "Class"))));
            Assert.That(Figures(report.AloneMetrics!), Is.EqualTo(Figures(catalog.EvaluateDistillation(_test, teacher, alone, "Class"))));
            Assert.That(Figures(report.TrainingMetrics!), Is.EqualTo(Figures(catalog.EvaluateDistillation(_train, teacher, distilled, "Class"))));
            Assert.That(report.Metrics.Student!.Accuracy.Value, Is.EqualTo(catalog.Evaluate(distilled.Transform(_test), "Class").MicroAccuracy).Within(1e-12));
        });
    }

    [Test]
    public void The_diagnosis_of_knowledge_that_is_given_is_on_the_page()
    {
        var (teacher, distilled, _) = Models();
        var knowledge = _mlContext.MulticlassClassification.DiagnoseKnowledge(_train, teacher, distilled, "Class", temperature: 2, alpha: 0.5);
        var report = DistillationReport.Create(_mlContext, Evidence(teacher, distilled) with { Knowledge = knowledge });
        Assert.That(report.Knowledge, Is.SameAs(knowledge));
        var html = report.ToHtml();
        Assert.That(html, Does.Contain("What the teacher&#39;s knowledge does to each row").And.Contain("(temperature 2, α 0.5)"));
        foreach (var number in (double[])[knowledge.Mean, knowledge.NegativeShare, knowledge.ConfidenceCorrelation!.Value, .. knowledge.Quantiles.Select(quantile => quantile.Value)])
            Assert.That(html, Does.Contain(FormattableString.Invariant($"<data value=\"{number:R}\">")));
        Assert.That((report with { Knowledge = null }).ToHtml(), Does.Not.Contain("knowledge does"));
    }

    [Test]
    public void A_network_says_what_it_is_and_how_it_was_trained()
    {
        var (teacher, distilled, alone) = Models();

        var report = DistillationReport.Create(_mlContext, Evidence(teacher, distilled) with { Alone = alone });

        Assert.Multiple(() =>
        {
            Assert.That((report.Student.Kind, report.Student.Parameters), Is.EqualTo(("MLP 8", (long?)((4 * 8) + 8 + (8 * 3) + 3))));
            Assert.That(report.Student.History.Select(epoch => epoch.Epoch), Is.EqualTo(Enumerable.Range(1, 8)));
            Assert.That(report.Student.History.Select(epoch => epoch.Elapsed), Is.Ordered.And.All.GreaterThan(TimeSpan.Zero));
            Assert.That(Setting("Method"), Is.EqualTo("KD (Temperature 2, Alpha 0.5)"));
            Assert.That(Setting("Teacher"), Is.EqualTo("an ML.NET model"));
            Assert.That(Setting("Seed"), Is.EqualTo("1"));
            Assert.That(Setting("Epochs"), Is.EqualTo("8"));
            Assert.That(Setting("LabelColumnName"), Is.EqualTo("Class"));
            Assert.That(Setting("Optimizer"), Is.EqualTo("AdamW (LearningRate 0.02, WeightDecay 0.01)"));
            Assert.That(Setting("Device"), Is.EqualTo("cpu"));
            Assert.That(Setting("Sampling"), Is.EqualTo("Shuffled"));
            Assert.That(Setting("Augmentations"), Is.EqualTo("none"));
            Assert.That(Setting("TeacherCache"), Does.StartWith("Folder none, Precision Single, TopK none, AugmentedViews 0"));
            Assert.That(report.Alone!.Settings.Single(setting => setting.Name == "Method").Value, Is.EqualTo("labels only (Loss crossEntropy)"));
            Assert.That(report.Teacher.Kind, Is.EqualTo("MaximumEntropyModelParameters"));
            Assert.That(report.Versions.Select(version => version.Name), Is.SupersetOf(new[] { "MlNetDistill", "Microsoft.ML", "TorchSharp", "ONNX Runtime", ".NET" }));
        });

        string Setting(string name) => report.Student.Settings.Single(setting => setting.Name == name).Value;
    }

    [Test]
    public void A_diagnosis_that_cannot_be_of_this_report_is_refused()
    {
        var (teacher, distilled, _) = Models();
        var knowledge = _mlContext.MulticlassClassification.DiagnoseKnowledge(_train, teacher, distilled, "Class");
        var report = DistillationReport.Create(_mlContext, Evidence(teacher, distilled));

        Assert.Multiple(() =>
        {
            foreach (var (wrong, message) in new (KnowledgeDiagnosis, string)[]
            {
                (knowledge with { Quantiles = [] }, "Knowledge.Quantiles must be five, as DiagnoseKnowledge gives them, with shares in (0, 1) and finite values that rise; were []."),
                (knowledge with { Quantiles = null! }, "Knowledge.Quantiles must be five"),
                (knowledge with { Quantiles = [.. knowledge.Quantiles.Reverse()] }, "Knowledge.Quantiles must be five"),
                (knowledge with { Rows = 0, Alpha = 1.5 }, "Knowledge.Rows must be at least 1; was 0."),
                (knowledge with { Rows = 0, Alpha = 1.5 }, "Knowledge.Alpha must be in [0, 1]; was 1.5."),
                (knowledge with { Mean = double.NaN }, "Knowledge.Mean must be a finite number; was NaN."),
                (knowledge with { ConfidenceCorrelation = 2 }, "Knowledge.ConfidenceCorrelation must be in [-1, 1], or null; was 2."),
            })
            {
                Assert.That(() => DistillationReport.Create(_mlContext, Evidence(teacher, distilled) with { Knowledge = wrong }), Throws.InstanceOf<ArgumentOutOfRangeException>().With.Message.Contains(message));
                Assert.That(() => report with { Knowledge = wrong }, Throws.InstanceOf<ArgumentOutOfRangeException>().With.Message.Contains(message));
            }
        });

        var others = _mlContext.View(ToyData.Points(rows: 90, classes: 2));
        var (two, student) = (_mlContext.TeacherPipeline().Fit(others), _mlContext.Pipeline(ToyPipelines.Options()).Fit(others));
        var ofTwo = _mlContext.MulticlassClassification.DiagnoseKnowledge(others, two, student, "Class");
        Assert.That(
            () => DistillationReport.Create(_mlContext, Evidence(teacher, distilled) with { Knowledge = ofTwo }),
            Throws.InvalidOperationException.With.Message.Contains("is a diagnosis of models with the classes 'bee', 'ant', and the report is of models with the classes 'bee', 'cat', 'ant'"));
    }

    [Test]
    public void A_student_without_a_teacher_beside_it_is_not_compared_with_itself()
    {
        var (_, distilled, _) = Models();

        Assert.That(
            () => DistillationReport.Create(_mlContext, Evidence(null, distilled)),
            Throws.ArgumentException.With.Message.StartsWith("There is no Teacher, and TeacherScoreColumnName is 'Score', the student's own scores"));
    }

    [Test]
    public void A_teacher_trained_on_the_spot_has_settings_of_its_own()
    {
        var options = ToyPipelines.Options() with { Teacher = Teacher.Train(NetworkSpec.Mlp(12), epochs: 3), Method = DistillationMethod.Kd(2, 0.5) };
        var distilled = _mlContext.Pipeline(options).Fit(_train);
        var teacher = distilled.FindStudent().Teacher;

        var report = DistillationReport.Create(_mlContext, Evidence(teacher, distilled) with { Test = distilled.First().Transform(_test) });

        var settings = report.Teacher.Settings.ToDictionary(setting => setting.Name, setting => setting.Value);
        Assert.Multiple(() =>
        {
            Assert.That((settings["Student"], settings["Teacher"], settings["Epochs"]), Is.EqualTo(("MLP 12", "none", "3")));
            Assert.That(settings["Method"], Does.StartWith("labels only"));
            Assert.That(report.Teacher.History, Has.Count.EqualTo(3));
        });
    }

    [Test]
    public void The_verdict_on_accuracy_goes_row_by_row()
    {
        // The student errs on 12 of 400 rows on which its teacher is right, and nowhere else: the two accuracies' intervals overlap, that of their share ends
        // below 1.
        var evaluator = new DistillationEvaluator(["ant", "bee"]);
        for (var row = 0; row < 400; row++)
            evaluator.Add(row < 40 ? [0.4f, 0.6f] : [0.6f, 0.4f], row < 52 ? [0.4f, 0.6f] : [0.6f, 0.4f], 0, (ulong)row);
        var (teacher, distilled, _) = Models();
        var measured = evaluator.Metrics();
        var report = DistillationReport.Create(_mlContext, Evidence(teacher, distilled)) with { Metrics = measured };

        Assert.That(measured.Student!.Accuracy.Upper, Is.GreaterThan(measured.Teacher!.Accuracy.Lower!.Value));
        Assert.That(report.Verdict, Has.Some.Match(
            @"^The student is less accurate than its teacher: .* so it keeps 96\.67 % \(9[45]\.\d\d to 9[78]\.\d\d\) of the teacher's accuracy\.$"));
    }

    [Test]
    public void Hashes_tell_models_and_rows_apart()
    {
        var (teacher, distilled, alone) = Models();

        var report = DistillationReport.Create(_mlContext, Evidence(teacher, distilled) with { Alone = alone, Training = _train });
        var again = DistillationReport.Create(_mlContext, Evidence(teacher, distilled) with { Test = _mlContext.View(ToyData.Points(rows: 90, seed: 2)) });
        var changed = ToyData.Points(rows: 90, seed: 2);
        changed[17].Features[3] += 1e-6f;
        var other = DistillationReport.Create(_mlContext, Evidence(teacher, distilled) with { Test = _mlContext.View(changed) });

        string?[] models = [report.Teacher.Hash, report.Student.Hash, report.Alone!.Hash];
        Assert.Multiple(() =>
        {
            Assert.That(models, Is.Unique.And.All.Match("^[0-9a-f]{64}$"));
            Assert.That(again.Student.Hash, Is.EqualTo(report.Student.Hash));
            Assert.That(report.Data.Select(data => (data.Name, data.Rows)), Is.EqualTo(new[] { ("Training rows", 150L), ("Test rows", 90L) }));
            Assert.That(again.Data.Single().Hash, Is.EqualTo(report.Data[1].Hash));
            Assert.That(other.Data.Single().Hash, Is.Not.EqualTo(report.Data[1].Hash));
        });
    }

    [Test]
    public void Scores_of_other_names_are_the_teachers_and_the_students_own()
    {
        var (teacher, _, _) = Models();
        var renaming = _mlContext.Transforms.CopyColumns("Oracle", "Score").Append(_mlContext.Transforms.DropColumns("Score"));
        var renamed = teacher.Append(renaming.Fit(teacher.Transform(_train)));
        var student = _mlContext.Pipeline(ToyPipelines.Options() with { ScoreColumnName = "Probabilities" }).Fit(_train);

        var evidence = Evidence(renamed, student) with { TeacherScoreColumnName = "Oracle", ScoreColumnName = "Probabilities" };
        var report = DistillationReport.Create(_mlContext, evidence);

        var expected = _mlContext.MulticlassClassification.EvaluateDistillation(_test, teacher, student, "Class", "Probabilities");
        Assert.That(Figures(report.Metrics), Is.EqualTo(Figures(expected)));
    }

    [Test]
    public void A_teacher_that_is_a_column_of_the_rows_will_do()
    {
        var (teacher, distilled, _) = Models();
        var options = ToyPipelines.Options() with { Teacher = Teacher.FromTransformer(teacher), Method = DistillationMethod.Kd() };
        var keyed = _mlContext.Transforms.Conversion.MapValueToKey("Class", "Label").Fit(_train).Transform(_test);
        var scored = _mlContext.MulticlassClassification.Trainers.Distill(options).ScoreTeacher(keyed);

        var report = DistillationReport.Create(_mlContext, Evidence(null, distilled) with { Test = scored, TeacherScoreColumnName = "TeacherScore", TeacherName = "The forest" });

        var expected = _mlContext.MulticlassClassification.EvaluateDistillation(_test, teacher, distilled, "Class");
        Assert.That(report.Teacher.Name, Is.EqualTo("The forest"));
        Assert.That(report.Metrics.Agreement.Value, Is.EqualTo(expected.Agreement.Value));
        Assert.That(report.Metrics.Divergence.Value, Is.EqualTo(expected.Divergence.Value).Within(1e-6));
    }

    [Test]
    public void A_model_that_cannot_be_saved_has_no_hash()
    {
        var (_, distilled, _) = Models();
        var teacher = _mlContext.Transforms.CustomMapping<ToyPoint<string>, Answer>((row, answer) => answer.Score = row.Features[0] > 0 ? [0.8f, 0.1f, 0.1f] : [0.1f, 0.8f, 0.1f], null)
            .Fit(_test);

        var report = DistillationReport.Create(
            _mlContext, Evidence(teacher, distilled) with { Evaluation = new() { TeacherClassNames = ["ant", "bee", "cat"] } });

        Assert.That(report.Teacher.Hash, Is.Null);
        Assert.That(report.Student.Hash, Is.Not.Null);
    }

    [Test]
    public void Criteria_are_judged_and_their_faults_found_before_anything_is_measured()
    {
        var (teacher, distilled, _) = Models();

        var accepted = DistillationReport.Create(_mlContext, Evidence(teacher, distilled) with { Criteria = new() { MinimumAgreement = 0.3 } }).Acceptance!;

        Assert.That(accepted.Passed);
        Assert.That(
            () => DistillationReport.Create(_mlContext, Evidence(teacher, distilled) with { Criteria = new() { MinimumAgreement = 30 }, LabelColumnName = "None" }),
            Throws.InstanceOf<ArgumentOutOfRangeException>().With.Message.Contains("MinimumAgreement"));
    }

    [Test]
    public void A_loss_of_ones_own_is_described_by_its_plain_settings_whatever_else_it_holds()
    {
        var loss = new OwnLoss { Strength = 0.5 };
        loss.Itself = loss;

        var student = _mlContext.Pipeline(ToyPipelines.Options() with { Method = DistillationMethod.FromLoss("mine", loss), Epochs = 1 }).Fit(_train);

        Assert.That(
            student.LastTransformer.Model.Settings.Single(setting => setting.Name == "Method").Value, Is.EqualTo("mine (Loss own (Strength 0.5))"));
    }

    private static IEnumerable<TestCaseData> Parts()
    {
        static TestCaseData Null(string name, Func<ReportInput, ReportInput> without) => new TestCaseData(name, without).SetArgDisplayNames(name);
        yield return Null("Title", e => e with { Title = null! });
        yield return Null("Test", e => e with { Test = null! });
        yield return Null("Student", e => e with { Student = null! });
        yield return Null("Evaluation", e => e with { Evaluation = null! });
    }

    [TestCaseSource(nameof(Parts))]
    public void What_is_missing_is_named(string name, Func<ReportInput, ReportInput> without)
    {
        var model = _mlContext.TeacherPipeline().Fit(_train);
        Assert.That(
            () => DistillationReport.Create(_mlContext, without(Evidence(model, model))),
            Throws.ArgumentException.With.Message.StartsWith($"{name} of the ReportInput must be set; it is null."));
    }

    private ReportInput Evidence(ITransformer? teacher, ITransformer student) =>
        new() { Title = "Points", Test = _test, Teacher = teacher, Student = student, LabelColumnName = "Class" };

    private (ITransformer Teacher, ITransformer Distilled, ITransformer Alone) Models()
    {
        var teacher = _mlContext.TeacherPipeline().Fit(_train);
        var distilled = _mlContext.Pipeline(ToyPipelines.Options() with { Teacher = Teacher.FromTransformer(teacher), Method = DistillationMethod.Kd(2, 0.5) }).Fit(_train);
        return (teacher, distilled, _mlContext.Pipeline(ToyPipelines.Options()).Fit(_train));
    }

    private static double[] Figures(DistillationMetrics metrics) =>
        [metrics.Rows, metrics.LabelledRows, metrics.Agreement, metrics.Agreement.Lower!.Value, metrics.Divergence, metrics.Student!.Accuracy, metrics.Teacher!.Brier];

    private sealed class OwnLoss : DistillationLoss
    {
        public double Strength { get; set; }

        public OwnLoss? Itself { get; set; }

        public override string Name => "own";

        public override ModelOutputs TeacherNeeds => ModelOutputs.None;

        public override Tensor Evaluate(LossInputs inputs) => new CrossEntropyLoss().Evaluate(inputs);
    }

    private sealed class Answer
    {
        [VectorType(3)]
        public float[] Score { get; set; } = [];
    }
}
