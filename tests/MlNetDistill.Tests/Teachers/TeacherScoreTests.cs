using Microsoft.ML;
using MlNetDistill.Tests.Support;

namespace MlNetDistill.Tests.Teachers;

public sealed class TeacherScoreTests
{
    private readonly MLContext _context = Rows.Context();
    private readonly IDataView _view;

    public TeacherScoreTests() => _view = _context.Keyed(Rows.Points());

    [Test]
    public void Logits_give_the_student_that_their_softmax_gives()
    {
        static float[] Logits(float[] f) => [2 * f[0], f[1] - 1, -f[1] - 1];
        static float[] Softmax(float[] z)
        {
            var e = z.Select(v => Math.Exp(v)).ToArray();
            return [.. e.Select(v => (float)(v / e.Sum()))];
        }

        var fromLogits = _context.Fit(Rows.Quick(_context.Saying(_view, Logits, ScoreKind.Logits)), _view);
        var fromProbabilities = _context.Fit(Rows.Quick(_context.Saying(_view, f => Softmax(Logits(f)), ScoreKind.Probabilities)), _view);
        Assert.That(fromLogits.Scores(_view).SelectMany(s => s), Is.EqualTo(fromProbabilities.Scores(_view).SelectMany(s => s)).Within(1e-3));
    }

    [Test]
    public void Probabilities_of_exactly_zero_and_one_give_finite_losses()
    {
        var model = _context.Fit(Rows.Quick(_context.Saying(_view, f => f[0] > 0.3f ? [1, 0, 0] : f[1] > 0 ? [0, 1, 0] : [0, 0, 1])), _view);
        Assert.Multiple(() =>
        {
            Assert.That(model.Model.History.Select(h => h.Losses["kd"]), Has.All.Matches<double>(double.IsFinite));
            Assert.That(model.AccuracyOn(Rows.Points(), _view), Is.GreaterThan(0.85));
        });
    }

    [Test]
    public void Scores_that_are_no_probabilities_need_a_ScoreKind() => Refuses(
        _context.Saying(_view, _ => [0.5f, 0.25f, 0.75f]),
        "The teacher's column 'Score' does not hold probabilities: row 0 (counted from 0) holds 0.5, 0.25, 0.75, which sum to 1.5. " +
        "Set ScoreKind.Logits if these are scores before softmax; a model that gives neither must be calibrated first.");

    [Test]
    public void The_first_row_that_does_not_hold_probabilities_is_named()
    {
        var spoilt = Rows.Points()[17].Features[0];
        Refuses(_context.Saying(_view, f => f[0] == spoilt ? [1.5f, -0.5f, 0] : [1, 0, 0], ScoreKind.Probabilities),
            "The teacher's column 'Score' is declared to hold probabilities, but row 17 (counted from 0) holds 1.5, -0.5, 0, which sum to 1. " +
            "Set ScoreKind.Logits if these are scores before softmax; a model that gives neither must be calibrated first.");
    }

    [Test]
    public void A_score_that_is_no_number_is_refused_with_its_row_and_class()
    {
        var spoilt = Rows.Points()[17].Features[0];
        Refuses(_context.Saying(_view, f => f[0] == spoilt ? [1, float.NaN, 0] : [1, 0, 0]),
            "The teacher's column 'Score' must hold finite scores; row 17 (counted from 0) has NaN for class 1 (counted from 0). " +
            "Usually a feature of that row is missing or NaN: replace it with mlContext.Transforms.ReplaceMissingValues, or leave the row out.");
    }

    [Test]
    public void A_teacher_without_the_score_column_is_refused_and_its_columns_are_named() => Refuses(
        Teacher.FromTransformer(_context.Says(_view, RowsTeachers.Rule), scoreColumnName: "Answers"),
        "The teacher gives no column 'Answers'. It gives 'Label', 'Features', 'Weight', 'Held', 'Class', 'Score'; name its scores with scoreColumnName.");

    [Test]
    public void A_binary_model_is_refused_where_the_student_has_other_classes()
    {
        var binary = _context.BinaryClassification.Trainers.LbfgsLogisticRegression("Held")
            .Fit(_context.Keyed(Rows.Points().Select((p, i) => { p.Held = i % 3 == 0; return p; })));
        Refuses(Teacher.FromTransformer(binary),
            "The classes of the teacher (column 'Score') and of the student differ: the teacher lacks 'ash', 'birch', 'cedar'; the student lacks 'False', 'True'. " +
            "The teacher's 2 classes are 'False', 'True'; the student's 3 are 'ash', 'birch', 'cedar'. Fit both to the same label values, or give a ClassMap: " +
            "it renames and merges classes of the teacher, and with DropOthers it leaves out those that the student does not have. " +
            "Or give classNames with the teacher: first the class that 'false' means, then the class that 'true' means.");
    }

    [Test]
    public void A_teacher_that_guesses_is_refused() => Refuses(
        _context.Saying(_view, _ => [0.4f, 0.3f, 0.3f]),
        "The teacher's accuracy on the labelled training rows is 0.3333 (always predicting the most frequent class gives 0.3333), the mean over classes 0.3333 " +
        "(always predicting one class gives 0.3333), no better than chance. " +
        "Usually it reads a column that an earlier step of the pipeline changed or that is scaled differently than in its training, or its ScoreKind or " +
        "class names are wrong. Set MinimumTeacherAccuracy to 0 to use it anyway.");

    [Test]
    public void A_teacher_that_guesses_is_accepted_where_the_options_ask_for_no_accuracy() => Assert.That(
        () => _context.Fit(Rows.Quick(_context.Saying(_view, _ => [0.4f, 0.3f, 0.3f])) with { MinimumTeacherAccuracy = 0, Epochs = 1 }, _view), Throws.Nothing);

    [Test]
    public void A_higher_accuracy_can_be_asked_for() => Assert.That(
        () => _context.Fit(Rows.Quick(_context.Saying(_view, _ => [0.4f, 0.3f, 0.3f])) with { MinimumTeacherAccuracy = 0.3334 }, _view),
        Throws.InvalidOperationException.With.Message.Contains(", below MinimumTeacherAccuracy, 0.3334. "));

    private void Refuses(Teacher teacher, string message) =>
        Assert.That(() => _context.Fit(Rows.Quick(teacher), _view), Throws.InvalidOperationException.With.Message.EqualTo(message));
}
