using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Data;
using MlNetDistill.Methods;
using MlNetDistill.Tests.Support;

namespace MlNetDistill.Tests.Teachers;

/// <summary>Scores that came with the data.</summary>
public sealed class ColumnTeacherTests
{
    private readonly MLContext _context = Rows.Context();

    [Test]
    public void Scores_in_a_column_teach_what_the_model_that_gave_them_teaches()
    {
        var view = View(p => RowsTeachers.Rule(p.Features));
        var column = Fit(Teacher.FromColumn("TeacherScore", classNames: Rows.Classes), view);
        var model = Fit(_context.Saying(view, RowsTeachers.Rule), view);
        Assert.That(column, Is.EqualTo(model));
    }

    [Test]
    public void The_saved_student_does_not_ask_for_the_teachers_column()
    {
        var view = View(p => RowsTeachers.Rule(p.Features));
        var model = _context.Fit(Options(Teacher.FromColumn("TeacherScore", classNames: Rows.Classes)), view);
        using var folder = new ToyFolder();
        _context.Model.Save(model, view.Schema, folder.File("student.zip"));
        var loaded = _context.Loaded(folder.File("student.zip"));
        Assert.That(loaded.Scores(_context.Keyed(Rows.Points())), Is.EqualTo(model.Scores(view)));
    }

    [Test]
    public void Embeddings_may_come_with_the_data_too()
    {
        var options = Options(Teacher.FromColumn("TeacherScore", classNames: Rows.Classes, embeddingColumnName: "Features")) with { Method = DistillationMethod.Cckd() };
        var view = View(p => RowsTeachers.Rule(p.Features));
        Assert.Multiple(() =>
        {
            var history = _context.Fit(options, view).Model.History;
            Assert.That(history[^1].Losses["correlationCongruence"], Is.LessThan(history[0].Losses["correlationCongruence"]));
        });
    }

    [Test]
    public void Embeddings_that_only_the_sampler_reads_were_read_in_a_pass_for_each_batch()
    {
        var passes = 0;
        var view = View(p => RowsTeachers.Rule(p.Features));
        var counted = _context.Data.FilterByCustomPredicate<ScoredPoint>(view, row =>
        {
            passes += row.Features.SequenceEqual(Rows.Points()[0].Features) ? 1 : 0;
            return false;
        });
        var options = Options(Teacher.FromColumn("TeacherScore", classNames: Rows.Classes, embeddingColumnName: "Features")) with
        {
            Sampling = BatchSampling.SuperclassUniform(4, 2),
            BatchSize = 8,
            Epochs = 1,
        };
        _context.Fit(options, counted);
        // The rows, the scores, and scores with embeddings.
        Assert.That(passes, Is.LessThanOrEqualTo(3));
    }

    [Test]
    public void A_column_that_is_not_there_is_named_with_those_that_are() => Assert.That(
        () => Fit(Teacher.FromColumn("Scores", classNames: Rows.Classes), View(p => RowsTeachers.Rule(p.Features))),
        Throws.InvalidOperationException.With.Message.EqualTo(
            "The data hold no column 'Scores' with the teacher's scores. They hold 'Label', 'Features', 'TeacherScore', 'Class'; name one of them in Teacher.FromColumn."));

    [Test]
    public void A_row_without_scores_is_named() => Assert.That(
        () => Fit(Teacher.FromColumn("TeacherScore", classNames: Rows.Classes), View((p, i) => i == 7 ? [float.NaN, 0, 0] : RowsTeachers.Rule(p.Features))),
        Throws.InvalidOperationException.With.Message.StartsWith("The teacher's column 'TeacherScore' must hold finite scores; row 7 (counted from 0) has NaN for class 0 (counted from 0)."));

    [Test]
    public void Scores_without_class_names_are_never_matched_by_position() => Assert.That(
        () => Fit(Teacher.FromColumn("TeacherScore"), View(p => RowsTeachers.Rule(p.Features))),
        Throws.InvalidOperationException.With.Message.Contains("has no names for the classes of its 3 scores"));

    private static DistillationOptions Options(Teacher teacher) => Rows.Quick(teacher) with { MinimumTeacherAccuracy = 0 };

    private float[][] Fit(Teacher teacher, IDataView view) => _context.Fit(Options(teacher), view).Scores(view);

    private IDataView View(Func<Point, float[]> scores) => View((p, _) => scores(p));

    private IDataView View(Func<Point, int, float[]> scores) => _context.Keyed(Rows.Points().Select((p, i) => new ScoredPoint
    {
        Label = p.Label,
        Features = p.Features,
        TeacherScore = scores(p, i),
    }));

    private sealed class ScoredPoint
    {
        public string Label { get; set; } = "";

        [VectorType(4)]
        public float[] Features { get; set; } = [];

        [VectorType(3)]
        public float[] TeacherScore { get; set; } = [];
    }
}
