using Microsoft.ML;
using MlNetDistill.Methods;
using MlNetDistill.Tests.Support;

namespace MlNetDistill.Tests.Teachers;

/// <summary>Scores that are neither probabilities nor logits of a network.</summary>
public sealed class ScoreKindTests
{
    private readonly MLContext _context = Rows.Context();
    private readonly IDataView _view;

    public ScoreKindTests() => _view = _context.Keyed(Rows.Points());

    [Test]
    public void The_joint_log_scores_of_naive_Bayes_are_recognised_and_are_logits()
    {
        var bayes = _context.Transforms.Conversion.MapValueToKey("TeacherClass", "Label")
            .Append(_context.MulticlassClassification.Trainers.NaiveBayes("TeacherClass")).Fit(_view);
        var log = new RowsLog(_context);
        var recognised = Fit(Teacher.FromTransformer(bayes));
        Assert.Multiple(() =>
        {
            Assert.That(log.Lines, Has.Some.EqualTo("The teacher is a naive Bayes model, whose scores are joint log-probabilities: they are taken as logits."));
            Assert.That(recognised, Is.EqualTo(Fit(Teacher.FromTransformer(bayes, scoreKind: ScoreKind.Logits))));
        });
    }

    [Test]
    public void A_copy_of_earlier_probabilities_was_taken_for_the_scores_of_a_later_naive_Bayes()
    {
        var trainers = _context.MulticlassClassification.Trainers;
        var model = _context.Regression().Append(_context.Transforms.CopyColumns("First", "Score")).Append(trainers.NaiveBayes("TeacherClass")).Fit(_view);
        Assert.That(
            Fit(Teacher.FromTransformer(model, scoreColumnName: "First")), Is.EqualTo(Fit(Teacher.FromTransformer(model, "First", ScoreKind.Probabilities))));
    }

    [Test]
    public void The_margins_of_an_uncalibrated_one_versus_all_model_are_recognised()
    {
        Assert.That(() => Fit(Teacher.FromTransformer(Uncalibrated())), Throws.InvalidOperationException.With.Message.EndsWith(
            "The teacher is a one-versus-all model, so these are the uncalibrated margins of its classifiers: set ScoreKind.Margins, or better, keep " +
            "useProbabilities of OneVersusAll true and use a calibrated trainer."));
    }

    [Test]
    public void Margins_teach_in_the_order_of_the_classes()
    {
        var model = _context.Fit(
            Rows.Quick(Teacher.FromTransformer(Uncalibrated(), scoreKind: ScoreKind.Margins)) with { Method = DistillationMethod.Kd(temperature: 1, alpha: 1), Epochs = 12 }, _view);
        Assert.That(model.AccuracyOn(Rows.Points(), _view), Is.GreaterThan(0.9));
    }

    [Test]
    public void A_margin_counts_as_the_share_of_its_sigmoid()
    {
        static float[] Margins(float[] f) => [3 * f[0], f[1] - 1, -f[1]];
        static float[] Shares(float[] f)
        {
            var s = Margins(f).Select(m => 1 / (1 + Math.Exp(-m))).ToArray();
            return [.. s.Select(v => (float)(v / s.Sum()))];
        }

        Assert.That(
            Fit(_context.Saying(_view, Margins, ScoreKind.Margins)).SelectMany(s => s), Is.EqualTo(Fit(_context.Saying(_view, Shares)).SelectMany(s => s)).Within(2e-3));
    }

    [Test]
    public void A_kind_that_is_none_is_refused() => Assert.That(
        () => _context.MulticlassClassification.Trainers.Distill(Rows.Quick(Teacher.FromColumn("Scores", (ScoreKind)9))),
        Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.Contains("ScoreKind must be Auto, Probabilities, Logits or Margins; was 9."));

    private ITransformer Uncalibrated() => _context.Transforms.Conversion.MapValueToKey("TeacherClass", "Label")
        .Append(_context.MulticlassClassification.Trainers.OneVersusAll(
            _context.BinaryClassification.Trainers.AveragedPerceptron("TeacherClass"), "TeacherClass", useProbabilities: false)).Fit(_view);

    private float[][] Fit(Teacher teacher) => _context.Fit(Rows.Quick(teacher) with { MinimumTeacherAccuracy = 0 }, _view).Scores(_view);
}
