using Microsoft.ML;
using MlNetDistill.Evaluation;
using MlNetDistill.Reporting;
using MlNetDistill.Tests.Support;

namespace MlNetDistill.Tests.Evaluation;

/// <summary>A student was accepted for what it does on the rows that it was trained on.</summary>
public sealed class TrainingOverlapTests
{
    private static readonly AcceptanceCriteria Mild = new() { MinimumAgreement = 0.1 };
    private readonly MLContext _mlContext = new(seed: 1);
    private readonly IDataView _train = new MLContext().View(ToyData.Points());
    private readonly IDataView _test = new MLContext().View(ToyData.Points(rows: 90, seed: 2));

    [TestCase(true)]
    [TestCase(false)]
    public void The_training_rows_as_test_rows_are_refused(bool trainingIsGiven)
    {
        var report = Report(_mlContext.Pipeline(ToyPipelines.Options()).Fit(_train), _train, trainingIsGiven ? _train : null);

        Assert.Multiple(() =>
        {
            Assert.That(report.TrainingOverlap, Is.EqualTo(new TrainingOverlap(1, 0)));
            Assert.That((report.Acceptance!.Passed, report.Acceptance.ExitCode), Is.EqualTo((false, 3)));
            Assert.That(report.Acceptance.Checks.Single(check => !check.Passed).Reason, Is.EqualTo(
                "MaximumTrainingOverlap: 100.00 % of the test rows have the same values as a training row; among the training rows, " +
                "0.00 % have the same values as another one. At most 5.00 points more are allowed. Test on rows that no model was trained on."));
            Assert.That(report.Verdict, Has.One.EndsWith("Test on rows that no model was trained on."));
            Assert.That(report.ToHtml(), Does.Contain("100.00\u00A0% of the test rows have the same values as a training row"));
            Assert.That(report.ToJson(), Does.Contain("\"trainingOverlap\": {\n    \"share\": 1,"));
        });
    }

    [Test]
    public void Some_of_them_in_another_order_are_found()
    {
        var rows = ToyData.Points().Reverse().Take(30).Concat(ToyData.Points(rows: 70, seed: 2)).ToArray();
        var report = Report(_mlContext.Pipeline(ToyPipelines.Options()).Fit(_train), _mlContext.View(rows));
        Assert.That(report.TrainingOverlap!.Share, Is.EqualTo(0.3));
        Assert.That(report.Acceptance!.Passed, Is.False);
    }

    [Test]
    public void A_student_that_was_loaded_is_judged_by_the_training_rows_given()
    {
        var loaded = _mlContext.Reloaded(_mlContext.Pipeline(ToyPipelines.Options()).Fit(_train), _train.Schema);
        Assert.That(Report(loaded, _train).TrainingOverlap, Is.Null);
        Assert.That(Report(loaded, _train, _train).Acceptance!.Passed, Is.False);
        Assert.That(Report(loaded, _test, _train).Acceptance!.Passed);
    }

    [Test]
    public void Rows_that_nothing_was_trained_on_are_accepted()
    {
        var report = Report(_mlContext.Pipeline(ToyPipelines.Options()).Fit(_train), _test, _train);
        Assert.That(report.TrainingOverlap, Is.EqualTo(new TrainingOverlap(0, 0)));
        Assert.That(report.Acceptance!.Passed);
        Assert.That(report.Verdict, Has.None.Contains("rows trained on"));
    }

    [Test]
    public void Rows_held_out_were_not_trained_on()
    {
        var student = _mlContext.Pipeline(ToyPipelines.Options() with { ValidationFraction = 0.5 }).Fit(_train);
        Assert.That(Report(student, _train).TrainingOverlap!.Share, Is.EqualTo(0.5));
    }

    [Test]
    public void Duplicates_that_are_in_the_nature_of_the_rows_are_no_leak()
    {
        // Two features of two values each: whatever the rows, they are known.
        static ToyPoint<string>[] Few(int seed)
        {
            var random = new Random(seed);
            return [.. ToyData.Points(rows: 200, seed: seed).Select(p => new ToyPoint<string> { Label = p.Label, Features = [random.Next(2), random.Next(2), 0, 0] })];
        }

        var report = Report(_mlContext.Pipeline(ToyPipelines.Options()).Fit(_mlContext.View(Few(1))), _mlContext.View(Few(2)));
        Assert.That(report.TrainingOverlap, Is.EqualTo(new TrainingOverlap(1, 1)));
        Assert.That(report.Acceptance!.Checks.Select(check => check.Criterion), Has.None.EqualTo("MaximumTrainingOverlap"));
    }

    [Test]
    public void Interleaved_pixels_are_found_as_well()
    {
        var images = _mlContext.View(ToyData.Images());
        var student = _mlContext.FitImages();
        Assert.That(Report(student, images).TrainingOverlap!.Share, Is.EqualTo(1));
        Assert.That(Report(student, _mlContext.View(ToyData.Images(seed: 2))).TrainingOverlap!.Share, Is.Zero);
    }

    [Test]
    public void Of_many_rows_a_sketch_tells_the_share()
    {
        var random = new Random(1);
        ulong[] known = [.. Enumerable.Range(0, 50_000).Select(_ => (ulong)random.NextInt64())];
        ulong[] asked = [.. known.Take(3000), .. Enumerable.Range(0, 7000).Select(_ => (ulong)random.NextInt64())];
        Assert.That(RowSketch.FromHashes([.. known, .. known[..10_000]], most: 4096).MeasureOverlap(asked)!.Share, Is.EqualTo(0.3).Within(0.05));
        Assert.That(RowSketch.FromHashes([.. known, .. known[..10_000]], most: 4096).Duplicates, Is.EqualTo(20 / 60.0).Within(0.03));
        Assert.That(RowSketch.FromHashes(known).MeasureOverlap(asked), Is.EqualTo(new TrainingOverlap(0.3, 0)));
    }

    private DistillationReport Report(ITransformer student, IDataView test, IDataView? training = null) => DistillationReport.Create(_mlContext, new ReportInput
    {
        Title = "Points",
        Test = test,
        Training = training,
        Student = student,
        Teacher = student,
        LabelColumnName = "Class",
        Criteria = Mild,
    });
}
