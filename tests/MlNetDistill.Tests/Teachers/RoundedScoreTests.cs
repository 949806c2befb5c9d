using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Evaluation;
using MlNetDistill.Methods;
using MlNetDistill.Tests.Support;

namespace MlNetDistill.Tests.Teachers;

/// <summary>Probabilities of few digits, and logarithms of zero.</summary>
public sealed class RoundedScoreTests
{
    private const string Looks =
        "They look like rounded probabilities: set ScoreKind.Probabilities, and rows whose sum is within 0.05 of 1 are scaled to sum to 1.";

    private readonly MLContext _context = Rows.Context();

    [Test]
    public void Rounded_probabilities_are_scaled_where_it_is_said_what_they_are()
    {
        var view = View(Rounded);
        var answers = Scored(view, ScoreKind.Probabilities);
        Assert.Multiple(() =>
        {
            Assert.That(answers[0], Is.EqualTo(new[] { 0.33f, 0.33f, 0.33f }.Select(p => p / 0.99f)).Within(1e-6));
            Assert.That(answers.Select(row => row.Sum()), Is.All.EqualTo(1).Within(1e-5));
        });
    }

    [Test]
    public void They_teach_what_the_same_probabilities_teach_when_divided_by_their_sum()
    {
        float[][] Fit(Func<int, float[]> said) => _context.Fit(Options(ScoreKind.Probabilities), View(said)).Scores(View(said));
        var scaled = Fit(i => [.. Rounded(i).Select(p => p / Rounded(i).Sum())]);
        Assert.That(Fit(Rounded).SelectMany(row => row), Is.EqualTo(scaled.SelectMany(row => row)).Within(1e-3));
    }

    [Test]
    public void Where_nobody_says_it_the_remedy_is_named() => Assert.Multiple(() =>
    {
        Assert.That(() => Scored(View(Rounded), ScoreKind.Auto), Throws.InvalidOperationException.With.Message.EqualTo(
            $"The teacher's column 'Said' does not hold probabilities: row 0 (counted from 0) holds 0.33, 0.33, 0.33, which sum to 0.99. {Looks}"));
        Assert.That(() => Evaluate(ScoreKind.Auto), Throws.InvalidOperationException.With.Message.EndsWith(Looks));
    });

    [Test]
    public void A_module_that_rounds_is_told_the_same()
    {
        using var module = new Rounding();
        DistillationOptions CreateOptions(ScoreKind kind) => Options(kind) with { Teacher = Teacher.FromModule(module, classNames: Rows.Classes, scoreKind: kind) };
        Assert.Multiple(() =>
        {
            Assert.That(() => _context.Fit(CreateOptions(ScoreKind.Auto), View(Rounded)), Throws.InvalidOperationException.With.Message.EndsWith(Looks));
            Assert.That(() => _context.Fit(CreateOptions(ScoreKind.Probabilities), View(Rounded)), Throws.Nothing);
        });
    }

    [Test]
    public void Beyond_the_tolerance_they_are_refused_though_it_is_said() => Assert.That(
        () => Scored(View(i => i == 7 ? [0.4f, 0.3f, 0.2f] : Rounded(i)), ScoreKind.Probabilities), Throws.InvalidOperationException.With.Message.EqualTo(
            "The teacher's column 'Said' is declared to hold probabilities, but row 7 (counted from 0) holds 0.4, 0.3, 0.2, which sum to 0.9. Rows must sum to 1 within 0.05. " +
            "Give a score for every class, with more digits if they are rounded, or set ScoreKind.Margins if each score comes from a classifier of its own."));

    [TestCase(ScoreKind.Auto)]
    [TestCase(ScoreKind.Probabilities)]
    public void Percentages_are_told_as_such(ScoreKind kind) => Assert.That(
        () => Scored(View(i => [.. Rounded(i).Select(p => 100 * p)]), kind), Throws.InvalidOperationException.With.Message.EndsWith(
            "They look like percentages: divide them by 100."));

    [Test]
    public void Metrics_of_rounded_probabilities_are_those_of_the_scaled_ones()
    {
        var metrics = Evaluate(ScoreKind.Probabilities);
        // Row 0 says 0.33 of each, and rows 1 and 2 0.9, 0.06, 0.06 with the largest in the label's place.
        var expected = (Math.Log(3) + (2 * -Math.Log(0.9 / 1.02))) / 3;
        Assert.That(metrics.Teacher!.LogLoss.Value, Is.EqualTo(expected).Within(1e-6));
    }

    [TestCase(float.NegativeInfinity, "-Infinity", "That is the logarithm of 0: give the probabilities themselves (ScoreKind.Probabilities), where 0 counts as 1e-30, or take the logarithm of at least 1e-30.")]
    [TestCase(float.PositiveInfinity, "Infinity", "The number is too large for a 32-bit float: check the model's weights and the scale of its features.")]
    [TestCase(float.NaN, "NaN", "Usually a feature of that row is missing or NaN: replace it with mlContext.Transforms.ReplaceMissingValues, or leave the row out.")]
    public void Each_score_that_is_not_finite_has_an_advice_of_its_own(float score, string shown, string advice)
    {
        float[] Said(int i) => i == 4 ? [0, score, -3] : [0, -1, -2];
        Assert.Multiple(() =>
        {
            Assert.That(() => Scored(View(Said), ScoreKind.Logits), Throws.InvalidOperationException.With.Message.EqualTo(
                $"The teacher's column 'Said' must hold finite scores; row 4 (counted from 0) has {shown} for class 1 (counted from 0). {advice}"));
            Assert.That(() => Evaluate(ScoreKind.Logits, Said), Throws.InvalidOperationException.With.Message.EndsWith(advice));
        });
    }

    private static float[] Rounded(int i) => i == 0 ? [0.33f, 0.33f, 0.33f] : [.. Enumerable.Range(0, 3).Select(c => c == i % 3 ? 0.9f : 0.06f)];

    private static DistillationOptions Options(ScoreKind kind) =>
        Rows.Quick(Teacher.FromColumn("Said", kind, classNames: Rows.Classes)) with { MinimumTeacherAccuracy = 0, Method = DistillationMethod.Kd(alpha: 1) };

    private float[][] Scored(IDataView view, ScoreKind kind) =>
        [.. _context.MulticlassClassification.Trainers.Distill(Options(kind)).ScoreTeacher(view).GetColumn<float[]>("TeacherScore")];

    private DistillationMetrics Evaluate(ScoreKind kind, Func<int, float[]>? said = null) => _context.MulticlassClassification.EvaluateDistillation(
        _context.Data.TakeRows(View(said ?? Rounded), said is null ? 3 : 6), "Said", "Student", "Class",
        new DistillationEvaluationOptions { TeacherScoreKind = kind, BootstrapReplicates = 0 });

    private IDataView View(Func<int, float[]> said) => _context.Keyed(Rows.Points(60).Select((p, i) => new Row
    {
        Label = p.Label,
        Features = p.Features,
        Said = said(i),
        Student = [0.5f, 0.25f, 0.25f],
    }));

    private sealed class Rounding() : TorchSharp.torch.nn.Module<TorchSharp.torch.Tensor, TorchSharp.torch.Tensor>("rounding")
    {
        public override TorchSharp.torch.Tensor forward(TorchSharp.torch.Tensor input) =>
            TorchSharp.torch.tensor(new[] { 0.33f, 0.33f, 0.33f }).expand(input.shape[0], 3);
    }

    private sealed class Row
    {
        public string Label { get; set; } = "";

        [VectorType(4)]
        public float[] Features { get; set; } = [];

        [VectorType(3)]
        public float[] Said { get; set; } = [];

        [VectorType(3)]
        public float[] Student { get; set; } = [];
    }
}
