using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Evaluation;
using MlNetDistill.Methods;
using MlNetDistill.Teachers;
using MlNetDistill.Tests.Support;
using MlNetDistill.Tests.Teachers.Onnx;

namespace MlNetDistill.Tests.Data;

/// <summary>Rows in which a vector is null, empty, short or long, although its column's type says otherwise: ML.NET hands them over as they are.</summary>
public sealed class ShortVectorTests
{
    private const int Bad = 7;
    private static readonly float[]?[] Wrong = [null, [], [1, 2], [1, 2, 3, 4, 5]];
    private readonly MLContext _context = Rows.Context();

    [TestCaseSource(nameof(Wrong))]
    public void Features_of_another_length_trained_on_zeros_or_on_the_rest_of_another_row(float[]? features) => Assert.That(
        () => _context.Fit(Rows.Quick(), View(r => r.Features = features!)),
        Throws.InvalidOperationException.With.Message.EqualTo(
            $"Column 'Features' must have 4 values in every row; it has another number in 1 (rows 7, counted from 0) of 240 rows; the first has {Found(features)}. " +
            "Correct the steps that make the column, or set MissingFeatures to Drop to leave such rows out."));

    [Test]
    public void Features_of_another_length_are_found_in_bytes_and_in_validation_data_too()
    {
        var pictures = Picture.Some();
        pictures[Bad].Features = [1, 2];
        var validation = View(r => r.Features = null!);
        Assert.Multiple(() =>
        {
            Assert.That(
                () => _context.Fit(Rows.Quick(), _context.Keyed(pictures)),
                Throws.InvalidOperationException.With.Message.StartWith("Column 'Features' must have 64 values in every row; it has another number in 1 (rows 7,"));
            Assert.That(
                () => _context.Fit(Rows.Quick() with { ValidationData = validation }, _context.Keyed(Rows.Points())),
                Throws.InvalidOperationException.With.Message.StartWith("Column 'Features' must have 4 values in every row of the validation data;"));
        });
    }

    /// <summary>ML.NET's own models throw at such a row, so they must not be given it either.</summary>
    [Test]
    public void Drop_leaves_such_rows_out_for_student_and_teacher([Values] bool fittedHere, [Values] bool labelled)
    {
        var view = View(r => (r.Features, r.Label) = (null!, labelled ? r.Label : ""));
        var whole = _context.Keyed(Rows.Points().Where((_, i) => i != Bad));
        var log = new RowsLog(_context);
        float[][] Fit(IDataView rows) => _context.Fit(
            Rows.Quick(fittedHere ? Teacher.FromEstimator(_context.Regression()) : Teacher.FromTransformer(_context.Regression().Fit(whole))) with
            {
                MissingFeatures = MissingFeatures.Drop,
                MissingLabels = MissingLabels.Drop,
            },
            rows).Scores(whole);
        var found = Fit(view);
        // Beside much else that runs, times of a row may be such that there is a warning of them too.
        Assert.That(log.Warnings.Where(warning => !warning.Contains("slower than its teacher", StringComparison.Ordinal)), Is.EqualTo(new[]
        {
            labelled
                ? "Left out of the training data: 0 rows with NaN or infinite features, 0 without a label, 1 (rows 7, counted from 0) have another number of values than 4 in column 'Features'."
                : "Left out of the training data: 0 rows with NaN or infinite features, 1 without a label.",
        }));
        Assert.That(ModelScores.LargestDifference(found, Fit(whole)), Is.LessThan(1e-5f));
    }

    [Test]
    public void Scores_that_were_missing_were_those_of_an_earlier_row([Values(null, "Short")] string? kind, [Values] bool embedding)
    {
        var column = embedding ? "Seen" : "TeacherScore";
        var view = Scored((row, i) => Spoil(row, i == Bad, kind, embedding));
        Assert.That(
            () => _context.Fit(FromColumn(), view),
            Throws.InvalidOperationException.With.Message.EqualTo(
                $"The teacher's column '{column}' must have {(embedding ? 4 : 3)} values in every row; row 7 (counted from 0) has {(kind is null ? "none (a null or empty vector)" : "2")}. " +
                "Correct or leave out the row; where the column is in the data, MissingFeatures.Drop leaves such rows out."));
    }

    [Test]
    public void Embeddings_that_are_no_numbers_are_named() => Assert.That(
        () => _context.Fit(FromColumn(), Scored((row, i) => row.Seen[2] = i == Bad ? float.NaN : row.Seen[2])),
        Throws.InvalidOperationException.With.Message.StartWith("The teacher's column 'Seen' must hold finite embeddings; row 7 (counted from 0) has NaN at 2."));

    [Test]
    public void Drop_leaves_rows_without_scores_or_embeddings_out()
    {
        var view = Scored((row, i) =>
        {
            Spoil(row, i == Bad, null, embedding: false);
            Spoil(row, i == Bad + 1, "Short", embedding: true);
            row.TeacherScore = i == Bad + 2 ? [float.NaN, 0, 0] : row.TeacherScore;
        });
        var whole = Scored((_, _) => { }, i => i is < Bad or > Bad + 2);
        var options = FromColumn() with { MissingFeatures = MissingFeatures.Drop };
        var log = new RowsLog(_context);
        var found = _context.Fit(options, view).Scores(whole);
        Assert.Multiple(() =>
        {
            Assert.That(log.Warnings, Has.One.EqualTo(
                "Left out of the training data: 0 rows with NaN or infinite features, 0 without a label, " +
                "3 (rows 7, 8, 9, counted from 0) have no whole values in 'TeacherScore' or 'Seen', which the teacher reads."));
            Assert.That(found, Is.EqualTo(_context.Fit(options, whole).Scores(whole)));
        });
    }

    [Test]
    public void A_column_that_only_the_teacher_reads_is_checked_and_dropped_by([Values] bool drop)
    {
        var teacher = Teacher.FromOnnx(OnnxBytes.Linear(4).Write(), input: new TeacherInput { ColumnName = "Seen" }, classNames: Rows.Classes, scoreKind: ScoreKind.Logits);
        var options = Rows.Quick(teacher) with { MinimumTeacherAccuracy = 0, MissingFeatures = drop ? MissingFeatures.Drop : MissingFeatures.Error };
        var view = Scored((row, i) => Spoil(row, i == Bad, null, embedding: true));
        if (drop)
        {
            var whole = Scored((_, _) => { }, i => i != Bad);
            Assert.That(_context.Fit(options, view).Scores(whole), Is.EqualTo(_context.Fit(options, whole).Scores(whole)));
            return;
        }

        Assert.That(() => _context.Fit(options, view), Throws.InvalidOperationException.With.Message.EqualTo(
            "Column 'Seen', which the teacher reads, must have 4 values in every row; row 7 (counted from 0) has none (a null or empty vector). " +
            "Correct the steps that make the column, or set MissingFeatures to Drop to leave such rows out."));
    }

    [TestCase("TeacherScore", "teacher")]
    [TestCase("Score", "student")]
    public void A_row_without_scores_is_named_in_an_evaluation(string missing, string whose)
    {
        var rows = Scored((row, i) => Spoil(row, i == Bad, "Short", embedding: false));
        var whole = Scored((_, _) => { });
        IDataView Copied(IDataView view, string column) => _context.Transforms.CopyColumns(column, "TeacherScore").Fit(view).Transform(view);
        // Both columns in one view: the other one is a copy of a whole one, by a mapping that repairs it.
        var repaired = _context.Transforms.CustomMapping<Answer, Answered>(
            (row, answer) => answer.Repaired = row.TeacherScore.Length == 3 ? row.TeacherScore : [0.2f, 0.3f, 0.5f], null).Fit(rows).Transform(rows);
        var (teacher, student) = missing == "Score" ? ("Repaired", "TeacherScore") : ("TeacherScore", "Repaired");
        Assert.Multiple(() =>
        {
            Assert.That(() => Evaluate(Copied(whole, "Score"), "TeacherScore", "Score"), Throws.Nothing);
            Assert.That(
                () => Evaluate(repaired, teacher, student),
                Throws.InvalidOperationException.With.Message.EqualTo(
                    $"The {whose}'s column 'TeacherScore' must have 3 values in every row; row 7 (counted from 0) has 2. Score the row, or leave it out."));
        });

        DistillationMetrics Evaluate(IDataView view, string teacherColumn, string studentColumn) =>
            _context.MulticlassClassification.EvaluateDistillation(view, teacherColumn, studentColumn, "Class");
    }

    private static string Found(float[]? features) => features is null or [] ? "none (a null or empty vector)" : $"{features.Length}";

    private static void Spoil(ScoredPoint row, bool isBad, string? kind, bool embedding)
    {
        if (!isBad)
            return;
        float[]? wrong = kind is null ? null : [0.5f, 0.5f];
        (row.TeacherScore, row.Seen) = embedding ? (row.TeacherScore, wrong!) : (wrong!, row.Seen);
    }

    private static DistillationOptions FromColumn() => Rows.Quick(Teacher.FromColumn("TeacherScore", classNames: Rows.Classes, embeddingColumnName: "Seen")) with
    {
        Method = DistillationMethod.Cckd(),
        MinimumTeacherAccuracy = 0,
        Epochs = 2,
    };

    private IDataView View(Action<Point> spoil)
    {
        var rows = Rows.Points();
        spoil(rows[Bad]);
        return Keys().Transform(_context.Data.LoadFromEnumerable(rows));
    }

    private IDataView Scored(Action<ScoredPoint, int> change, Func<int, bool>? kept = null)
    {
        ScoredPoint[] rows = [.. Rows.Points().Select(p => new ScoredPoint
        {
            Label = p.Label,
            Features = p.Features,
            Seen = [.. p.Features],
            TeacherScore = RowsTeachers.Rule(p.Features),
        })];
        foreach (var (i, row) in rows.Index())
            change(row, i);
        return Keys().Transform(_context.Data.LoadFromEnumerable(rows.Where((_, i) => kept?.Invoke(i) != false).ToArray()));
    }

    private ITransformer Keys() => _context.Transforms.Conversion.MapValueToKey("Class", "Label").Fit(_context.Data.LoadFromEnumerable(Rows.Points(3)));

    private sealed class ScoredPoint
    {
        public string Label { get; set; } = "";

        [VectorType(4)]
        public float[] Features { get; set; } = [];

        [VectorType(3)]
        public float[] TeacherScore { get; set; } = [];

        [VectorType(4)]
        public float[] Seen { get; set; } = [];
    }

    private sealed class Answer
    {
        [VectorType(3)]
        public float[] TeacherScore { get; set; } = [];
    }

    private sealed class Answered
    {
        [VectorType(3)]
        public float[] Repaired { get; set; } = [];
    }
}
