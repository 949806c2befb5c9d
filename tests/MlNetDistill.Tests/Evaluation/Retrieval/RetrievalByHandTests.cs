using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Evaluation;
using static MlNetDistill.Tests.Evaluation.Retrieval.EmbeddingViews;

namespace MlNetDistill.Tests.Evaluation.Retrieval;

/// <summary>Searches among a few vectors on a circle, whose ranks can be written down.</summary>
public sealed class RetrievalByHandTests
{
    private static readonly double[] Angles = [0, 10, 31, 60, 101];
    private readonly MLContext _context = new(1);

    [Test]
    public void Ranks_precision_and_neighbours_are_those_of_the_angles()
    {
        // Ranks of the matches: 2 4, 3, 3 4, 3, 2 4.
        var metrics = _context.Ranking.EvaluateRetrieval(_context.Vectors(Five([0, 90, 31, 60, 101])), options: new() { TeacherColumnName = "Teacher", Neighbours = 2, MaximumRank = 3 });
        Assert.Multiple(() =>
        {
            Assert.That(metrics.Student.MatchCurve, Is.EqualTo(new[] { 0, 2 / 5.0, 1 }));
            Assert.That(metrics.Student.MeanAveragePrecision, Is.EqualTo((0.5 + (1 / 3.0) + (5 / 12.0) + (1 / 3.0) + 0.5) / 5).Within(1e-12));
            // The teacher's ranks are 1 4, 2, 2 4, 2, 3 4.
            Assert.That(metrics.Teacher!.MatchCurve, Is.EqualTo(new[] { 1 / 5.0, 4 / 5.0, 1 }));
            Assert.That(metrics.Teacher.MeanAveragePrecision, Is.EqualTo((0.75 + 0.5 + 0.5 + 0.5 + (5 / 12.0)) / 5).Within(1e-12));
            // The two nearest are 1 2, 0 2, 1 3, 2 4, 2 3; the teacher's 2 3, 3 4, 0 3, 1 2, 1 3.
            Assert.That(metrics.NeighbourAgreement, Is.EqualTo((0.5 + 0 + 0.5 + 0.5 + 0.5) / 5).Within(1e-12));
            Assert.That((metrics.Rows, metrics.GalleryRows, metrics.Queries, metrics.Neighbours), Is.EqualTo((5, 5, 5, 2)));
        });
    }

    [Test]
    public void It_prints_as_a_table()
    {
        var options = new RetrievalOptions { TeacherColumnName = "Teacher", Neighbours = 2 };
        Assert.That($"{_context.Ranking.EvaluateRetrieval(_context.Vectors(Five([0, 90, 31, 60, 101])), options: options)}", Is.EqualTo("""
            5 queries in 5 rows
                      rank 1    rank 5   rank 10      mAP
            student   0.00 %  100.00 %  100.00 %  41.67 %
            teacher  20.00 %  100.00 %  100.00 %  53.33 %
            40.00 % of the 2 nearest rows are the teacher's
            """.ReplaceLineEndings()));
        var alone = _context.Ranking.EvaluateRetrieval(_context.Vectors(Five(Angles)), options: new() { MaximumRank = 4 });
        Assert.That($"{alone}", Is.EqualTo("""
            5 queries in 5 rows
                     rank 1      mAP
            student  0.00 %  41.67 %
            """.ReplaceLineEndings()));
        Assert.That($"{alone.Student}", Is.EqualTo("rank 1: 0.00 %, mAP 41.67 %"));
        Assert.That((alone.Teacher, alone.NeighbourAgreement), Is.EqualTo(((object?)null, (double?)null)));
    }

    [Test]
    public void A_rank_beyond_the_curve_is_refused()
    {
        var student = _context.Ranking.EvaluateRetrieval(_context.Vectors(Five(Angles)), options: new() { MaximumRank = 3 }).Student;
        Assert.That((student.RankAt(2), student.RankAt(3)), Is.EqualTo((0.4, 1)));
        Assert.That(() => student.RankAt(0), Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.Contains("rank"));
        Assert.That(() => student.RankAt(4), Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.Contains("rank"));
    }

    [Test]
    public void Of_rows_that_are_equally_near_the_first_are_the_nearest()
    {
        // The student's two nearest are 1 2, 0 2, 0 1, 0 1; the teacher's 1 2, 0 2, 0 1, 1 2.
        EmbeddingRow[] rows = [.. new[] { 0.0, 10, 30, 70 }.Select(angle => new EmbeddingRow { Embedding = [1, 2], Teacher = At(angle), Label = 1 })];
        Assert.That(Agreement(rows, 2), Is.EqualTo(3.5 / 4).Within(1e-12));
        Assert.That(Agreement(rows, 10), Is.EqualTo(1), "all other rows");
    }

    [Test]
    public void In_a_gallery_of_its_own_a_query_is_compared_with_every_row()
    {
        EmbeddingRow[] gallery = [new() { Embedding = At(0), Teacher = At(0), Label = 1 }, new() { Embedding = At(50), Teacher = At(50), Label = 2 }];
        EmbeddingRow[] queries = [new() { Embedding = At(5), Teacher = At(45), Label = 1 }, new() { Embedding = At(45), Teacher = At(5), Label = 2 }];
        var metrics = _context.Ranking.EvaluateRetrieval(
            _context.Vectors(queries), options: new() { Gallery = _context.Vectors(gallery), TeacherColumnName = "Teacher", Neighbours = 1 });
        Assert.That((metrics.Student.RankOne, metrics.Teacher!.RankOne, metrics.NeighbourAgreement), Is.EqualTo((1, 0, 0)));
    }

    [Test]
    public void One_query_is_counted_as_one()
    {
        var one = _context.Vectors(new[] { new EmbeddingRow { Embedding = At(5), Label = 1 } });
        var gallery = _context.Vectors(new[] { new EmbeddingRow { Embedding = At(0), Label = 1 } });
        Assert.That($"{_context.Ranking.EvaluateRetrieval(one, options: new() { Gallery = gallery })}", Does.StartWith("1 query in 1 row" + Environment.NewLine));
    }

    [Test]
    public void Rows_without_a_camera_are_not_of_the_same_camera()
    {
        EmbeddingRow[] Rows(string camera) => [.. new[] { 0.0, 10, 20 }.Select((angle, i) => new EmbeddingRow { Embedding = At(angle), Label = i / 2, Camera = camera })];
        var options = new RetrievalOptions { CameraColumnName = "Camera" };
        Assert.That(_context.Ranking.EvaluateRetrieval(_context.Vectors(Rows("")), options: options).Queries, Is.EqualTo(2));
        Assert.That(() => _context.Ranking.EvaluateRetrieval(_context.Vectors(Rows("one")), options: options), Throws.InvalidOperationException.With.Message.StartsWith("No row has another row"));
    }

    [Test]
    public void An_identity_may_be_of_any_type_that_is_exact()
    {
        // Only the row at 25° has a row of another identity nearest.
        var rows = new[] { 0.0, 10, 25, 60 }.Select((angle, i) => new TypedRow { Embedding = At(angle), Number = i / 2 });
        var definition = SchemaDefinition.Create(typeof(TypedRow));
        definition["Embedding"].ColumnType = new VectorDataViewType(NumberDataViewType.Single, 2);
        definition["Key"].ColumnType = new KeyDataViewType(typeof(uint), 3);
        definition["Small"].ColumnType = new KeyDataViewType(typeof(byte), 3);
        var view = _context.Data.LoadFromEnumerable(rows, definition);
        Assert.Multiple(() =>
        {
            foreach (var column in new[] { "Key", "Whole", "Long", "Unsigned", "Text" })
            {
                var metrics = _context.Ranking.EvaluateRetrieval(view, idColumnName: column);
                Assert.That((metrics.Queries, metrics.Student.RankOne), Is.EqualTo((4, 3 / 4.0)), column);
            }

            foreach (var column in new[] { "Small", "Number" })
            {
                Assert.That(
                    () => _context.Ranking.EvaluateRetrieval(view, idColumnName: column),
                    Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.StartsWith($"Column '{column}' must be a key of UInt32, String, Int32, Int64 or UInt32; found"));
            }
        });
    }

    [Test]
    public void An_embedding_of_another_length_than_its_column_is_named_with_its_row()
    {
        var rows = Five(Angles);
        rows[3].Embedding = [1, 2, 3];
        Assert.That(
            () => _context.Ranking.EvaluateRetrieval(_context.Vectors(rows)),
            Throws.InvalidOperationException.With.Message.Contains("Column 'Embedding'").And.Message.Contains("row 3 (counted from 0)"));
    }

    private static EmbeddingRow[] Five(double[] teacher) => [.. Angles.Select((angle, i) => new EmbeddingRow { Embedding = At(angle, i + 1), Teacher = At(teacher[i]), Label = 1 + (i % 2) })];

    private double? Agreement(EmbeddingRow[] rows, int neighbours) =>
        _context.Ranking.EvaluateRetrieval(_context.Vectors(rows), options: new() { TeacherColumnName = "Teacher", Neighbours = neighbours }).NeighbourAgreement;

    private sealed class TypedRow
    {
        public float[] Embedding { get; set; } = [];

        public float Number { get; set; }

        public int Whole => (int)Number;

        public long Long => (long)Number;

        public uint Unsigned => (uint)Number;

        public string Text => $"identity {Whole}";

        public uint Key => Unsigned;

        public byte Small => (byte)Number;
    }
}
