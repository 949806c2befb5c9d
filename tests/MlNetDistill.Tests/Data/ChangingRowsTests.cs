using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Networks;
using MlNetDistill.Reporting;
using MlNetDistill.Teachers;
using MlNetDistill.Tests.Support;
using MlNetDistill.Tests.Teachers.Onnx;

namespace MlNetDistill.Tests.Data;

/// <summary>Views over an iterator that gives other rows each time: the row ids are the same, so a teacher's answers were joined with rows that it never saw.</summary>
public sealed class ChangingRowsTests
{
    private const string Refusal = "The data are not the same each time they are read: row id ";
    private static readonly string[] Readers = ["model", "pipeline", "folds", "column", "network over a column"];
    private readonly MLContext _context = Rows.Context();
    private int _pass;

    private static IEnumerable<string> Changes() => ["draws", "shuffles", "draws labels", "draws a few rows at the end", "grows"];

    [Test]
    public void Rows_that_change_between_the_passes_of_student_and_teacher_are_refused(
        [ValueSource(nameof(Readers))] string reader, [ValueSource(nameof(Changes))] string change) => Assert.That(
        () => _context.Fit(Options(reader), View(change)),
        Throws.InvalidOperationException.With.Message.StartsWith(Refusal).And.Message.Contains("mlContext.Data.Cache"));

    [Test]
    public void Rows_that_are_cached_or_read_once_may_be_drawn([ValueSource(nameof(Changes))] string change) => Assert.Multiple(() =>
    {
        Assert.That(() => _context.Fit(Options("model"), _context.Data.Cache(View(change))), Throws.Nothing);
        Assert.That(() => _context.Fit(Rows.Quick(Teacher.Train(NetworkSpec.Mlp(8), epochs: 4)), View(change)), Throws.Nothing);
    });

    [Test]
    public void Answers_are_not_joined_with_rows_that_changed_later()
    {
        var scored = _context.MulticlassClassification.Trainers.Distill(Options("column")).ScoreTeacher(View(null));
        var changed = View("draws after two passes");
        var later = _context.MulticlassClassification.Trainers.Distill(Options("column")).ScoreTeacher(changed);
        Assert.Multiple(() =>
        {
            Assert.That(ModelScores.ReadScores(scored, "TeacherScore"), Has.Length.EqualTo(240));
            Assert.That(() => ModelScores.ReadScores(later, "TeacherScore"), Throws.InstanceOf<InvalidOperationException>().With.Message.StartsWith(Refusal));
        });
    }

    [Test]
    public void An_evaluation_of_two_models_and_a_report_refuse_rows_that_change([ValueSource(nameof(Changes))] string change)
    {
        var whole = View(null);
        var teacher = _context.Regression().Fit(whole);
        var student = _context.Fit(Rows.Quick(), whole);
        // Both go over the rows side by side, and then one of them ends before the other.
        var refusal = change == "grows" ? "Teacher and student must return the same rows in the same order; the teacher's output has 240 rows, the student's more." : Refusal;
        Assert.Multiple(() =>
        {
            Assert.That(
                () => _context.MulticlassClassification.EvaluateDistillation(View(change), teacher, student, "Class"),
                Throws.InvalidOperationException.With.Message.StartsWith(refusal));
            Assert.That(
                () => DistillationReport.Create(_context, new ReportInput { Title = "Changing", Test = View(change), Student = student, Teacher = teacher, LabelColumnName = "Class" }),
                Throws.InvalidOperationException.With.Message.StartsWith(refusal));
        });
    }

    [Test]
    public void Rows_that_share_an_id_are_no_change()
    {
        var doubled = new OneId(_context.Keyed(Rows.Points(60)));
        Assert.That(() => _context.Fit(Rows.Quick(), doubled), Throws.Nothing);
    }

    private DistillationOptions Options(string reader) => Rows.Quick(reader switch
    {
        "model" => Teacher.FromTransformer(_context.Regression().Fit(View(null))),
        "pipeline" => Teacher.FromEstimator(_context.Regression()),
        "folds" => Teacher.FromEstimator(_context.Regression(), folds: 2),
        "column" => Teacher.FromColumn("Given", classNames: Rows.Classes),
        _ => Teacher.FromOnnx(OnnxBytes.Linear(4).Write(), input: new TeacherInput { ColumnName = "Seen" }, classNames: Rows.Classes, scoreKind: ScoreKind.Logits),
    }) with
    {
        MinimumTeacherAccuracy = 0,
        Epochs = 1,
    };

    /// <summary>Rows under an iterator, which changes them in the named way; null for one that does not.</summary>
    private IDataView View(string? change)
    {
        var keys = _context.Transforms.Conversion.MapValueToKey("Class", "Label").Fit(_context.Data.LoadFromEnumerable(Rows.Points(3)));
        _pass = 0;
        return keys.Transform(_context.Data.LoadFromEnumerable(Iterate()));

        IEnumerable<ScoredPoint> Iterate()
        {
            var random = new Random(_pass++);
            var rows = Rows.Points(change == "grows" && _pass > 1 ? 270 : 240).Select(p => new ScoredPoint { Label = p.Label, Features = p.Features, Seen = [.. p.Features], Given = RowsTeachers.Rule(p.Features) }).ToArray();
            if (change == "shuffles")
                random.Shuffle(rows);
            foreach (var (i, row) in rows.Index())
            {
                if (change == "draws" || (change == "draws a few rows at the end" && i >= 220) || (change == "draws after two passes" && _pass > 2))
                    row.Features[1] += random.NextSingle();
                if (change == "draws labels" && random.Next(4) == 0)
                    row.Label = Rows.Classes[random.Next(3)];
                yield return row;
            }
        }
    }

    private sealed class ScoredPoint
    {
        public string Label { get; set; } = "";

        [VectorType(4)]
        public float[] Features { get; set; } = [];

        [VectorType(4)]
        public float[] Seen { get; set; } = [];

        [VectorType(3)]
        public float[] Given { get; set; } = [];
    }

    /// <summary>A view of someone who gives every row the same id.</summary>
    private sealed class OneId(IDataView data) : IDataView
    {
        public bool CanShuffle => false;

        public DataViewSchema Schema => data.Schema;

        public long? GetRowCount() => data.GetRowCount();

        public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null) => new Cursor(data.GetRowCursor(columnsNeeded));

        public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null) => [GetRowCursor(columnsNeeded)];

        private sealed class Cursor(DataViewRowCursor input) : DataViewRowCursor
        {
            public override long Position => input.Position;

            public override long Batch => input.Batch;

            public override DataViewSchema Schema => input.Schema;

            public override bool MoveNext() => input.MoveNext();

            public override bool IsColumnActive(DataViewSchema.Column column) => input.IsColumnActive(column);

            public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column) => input.GetGetter<TValue>(column);

            public override ValueGetter<DataViewRowId> GetIdGetter() => (ref DataViewRowId id) => id = new DataViewRowId(1, 0);

            protected override void Dispose(bool disposing)
            {
                if (disposing)
                    input.Dispose();
                base.Dispose(disposing);
            }
        }
    }
}
