using Microsoft.ML;
using Microsoft.ML.Data;

namespace MlNetDistill.Tests.Evaluation.Retrieval;

/// <summary>What the evaluators of search and verification do beyond the golden records.</summary>
public sealed class RetrievalTests
{
    private readonly MLContext _context = new(1);

    [Test]
    public void Ranks_and_precision_equal_those_of_sorting_every_row()
    {
        var rows = Draw(83, 5, 9, seed: 3);
        var (first, precision) = (new List<int>(), new List<double>());
        for (var q = 0; q < rows.Length; q++)
        {
            var order = Enumerable.Range(0, rows.Length).Where(j => j != q).OrderByDescending(j => Cosine(rows[q].Embedding, rows[j].Embedding)).ThenBy(j => j).ToList();
            var hits = order.Select((row, i) => (Row: row, Rank: i + 1)).Where(hit => rows[hit.Row].Label == rows[q].Label).Select(hit => hit.Rank).ToList();
            first.Add(hits[0]);
            precision.Add(hits.Select((rank, i) => (i + 1.0) / rank).Average());
        }

        var metrics = _context.Ranking.EvaluateRetrieval(View(rows));
        Assert.That(metrics.Student.MeanAveragePrecision, Is.EqualTo(precision.Average()).Within(1e-9));
        Assert.That(metrics.Student.MatchCurve, Is.EqualTo(Enumerable.Range(1, 20).Select(rank => first.Count(f => f <= rank) / 83.0)).Within(1e-9));
    }

    [Test]
    public void Rates_and_area_equal_those_of_counting_every_pair()
    {
        var rows = Draw(60, 4, 7, seed: 5);
        var pairs = Enumerable.Range(0, 60).SelectMany(i => Enumerable.Range(i + 1, 59 - i).Select(j => (Score: Cosine(rows[i].Embedding, rows[j].Embedding), Same: rows[i].Label == rows[j].Label))).ToList();
        var (same, unlike) = (pairs.Where(p => p.Same).Select(p => p.Score).ToList(), pairs.Where(p => !p.Same).Select(p => p.Score).ToList());
        var metrics = _context.BinaryClassification.EvaluateVerification(View(rows), options: new() { FalseAcceptRates = [0.02, 0.3] });
        Assert.That(metrics.AreaUnderCurve, Is.EqualTo(same.Average(s => unlike.Average(u => s > u ? 1.0 : 0))).Within(1e-9));
        foreach (var rate in metrics.AcceptRates)
        {
            var best = pairs.Select(p => p.Score).Where(t => unlike.Count(u => u >= t) <= rate.FalseAcceptRate * unlike.Count).Min();
            Assert.That(rate.Threshold, Is.EqualTo(best).Within(1e-5));
            Assert.That(rate.TrueAcceptRate, Is.EqualTo(same.Count(s => s >= best - 1e-6) / (double)same.Count).Within(1e-9));
        }

        Assert.That(metrics.Curve.Select(point => point.TrueAcceptRate), Is.Ordered);
        Assert.That(metrics.Curve.Select(point => point.FalseAcceptRate), Is.Ordered);
        Assert.That(metrics.FoldAccuracies, Is.Null);
    }

    [Test]
    public void A_teacher_equal_to_the_student_agrees_and_a_rotated_one_too()
    {
        var rows = Draw(40, 6, 5, seed: 1);
        foreach (var row in rows)
            row.Teacher = [row.Embedding[3], -row.Embedding[0], row.Embedding[5], row.Embedding[1], row.Embedding[4], -row.Embedding[2]];
        var metrics = _context.Ranking.EvaluateRetrieval(View(rows), options: new() { TeacherColumnName = "Teacher", Neighbours = 5 });
        Assert.That(metrics.NeighbourAgreement, Is.EqualTo(1).Within(0.02), "but for scores that round otherwise");
        Assert.That(metrics.Teacher!.RankOne, Is.EqualTo(metrics.Student.RankOne).Within(0.03));
        foreach (var (row, other) in rows.Zip(Draw(40, 6, 5, seed: 2)))
            row.Teacher = other.Embedding;
        var unlike = _context.Ranking.EvaluateRetrieval(View(rows), options: new() { TeacherColumnName = "Teacher", Neighbours = 5 });
        Assert.That(unlike.NeighbourAgreement, Is.LessThan(0.35), "5 of 39 by chance");
        Assert.That($"{metrics}", Does.Contain("student").And.Contain("teacher").And.Contain("rank 5").And.Contain("40 queries in 40 rows"));
    }

    [Test]
    public void A_gallery_of_its_own_is_searched_and_keys_are_compared_by_name()
    {
        var rows = Draw(30, 4, 5, seed: 4);
        IDataView Keyed(IEnumerable<EmbeddingRow> some) => _context.Transforms.Conversion.ConvertType("Label", outputKind: DataKind.String)
            .Append(_context.Transforms.Conversion.MapValueToKey("Label")).Fit(View([.. some])).Transform(View([.. some]));
        var reversed = Keyed(rows.Reverse());
        var metrics = _context.Ranking.EvaluateRetrieval(Keyed(rows), options: new() { Gallery = reversed });
        Assert.That(metrics.Student.RankOne, Is.EqualTo(1), "every row finds itself");
        Assert.That((metrics.Rows, metrics.GalleryRows, metrics.Queries), Is.EqualTo((30, 30, 30)));
    }

    [Test]
    public void Rows_without_an_identity_are_neither_queries_nor_matches()
    {
        var rows = Draw(12, 4, 3, seed: 6).Select(row => new TextRow { Embedding = row.Embedding, Label = row.Label == 0 ? "" : $"{row.Label}" }).ToArray();
        var metrics = _context.Ranking.EvaluateRetrieval(View(rows));
        Assert.That(metrics.Queries, Is.EqualTo(rows.Count(row => row.Label.Length > 0)));
        Assert.That(metrics.Rows, Is.EqualTo(12));
        var pairs = _context.BinaryClassification.EvaluateVerification(View(rows));
        Assert.That(pairs.Positives + pairs.Negatives, Is.EqualTo(8 * 7 / 2));
    }

    [Test]
    public void Equal_scores_are_accepted_together()
    {
        // All embeddings are the same: one threshold, which accepts everything.
        var rows = Enumerable.Range(0, 6).Select(i => new EmbeddingRow { Embedding = [1, 2], Teacher = [1, 2], Label = i / 2 }).ToArray();
        var metrics = _context.BinaryClassification.EvaluateVerification(View(rows));
        Assert.That(metrics.AreaUnderCurve, Is.EqualTo(0.5));
        Assert.That(metrics.AcceptRates.Select(rate => (rate.TrueAcceptRate, rate.Threshold)), Is.All.EqualTo((0.0, (double?)null)));
        Assert.That(_context.Ranking.EvaluateRetrieval(View(rows)).Student.RankOne, Is.EqualTo(2 / 6.0), "of equal rows the first is the nearest");
    }

    [Test]
    public void Embeddings_of_any_length_count_by_their_direction_and_zeros_have_none()
    {
        var rows = Draw(24, 4, 4, seed: 8);
        var plain = _context.Ranking.EvaluateRetrieval(View(rows)).Student;
        foreach (var (row, i) in rows.Select((row, i) => (row, i)))
            row.Embedding = [.. row.Embedding.Select(value => value * (i % 2 == 0 ? 1e30f : 1e-3f))];
        Assert.That(_context.Ranking.EvaluateRetrieval(View(rows)).Student.MeanAveragePrecision, Is.EqualTo(plain.MeanAveragePrecision).Within(1e-6));
        rows[0].Embedding = [0, 0, 0, 0];
        Assert.That(_context.Ranking.EvaluateRetrieval(View(rows)).Student.MeanAveragePrecision, Is.InRange(0, 1));
    }

    [Test]
    public void Errors_name_the_column_the_row_and_the_remedy()
    {
        var rows = Draw(6, 4, 2, seed: 1);
        Assert.Multiple(() =>
        {
            Assert.That(() => _context.Ranking.EvaluateRetrieval(View(rows), options: new() { TeacherColumnName = "Embedding" }), Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.StartsWith("TeacherColumnName is 'Embedding', the embedding itself"));
            var view = View(rows);
            Assert.That(() => _context.Ranking.EvaluateRetrieval(view, options: new() { Gallery = view }), Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.StartsWith("The Gallery is the data itself"));
            Assert.That(() => _context.Ranking.EvaluateRetrieval(View(rows), "Nothing"), Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.Contains("The embedding column 'Nothing' is not in the data."));
            Assert.That(() => _context.Ranking.EvaluateRetrieval(View(rows), "Label"), Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.StartsWith("Column 'Label' must be Vector<Single, D>, one embedding for each row; found Int64."));
            Assert.That(() => _context.Ranking.EvaluateRetrieval(View(rows), idColumnName: "Embedding"), Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.StartsWith("Column 'Embedding' must be a key of UInt32, String, Int32, Int64 or UInt32; found"));
            Assert.That(() => _context.Ranking.EvaluateRetrieval(View(rows), options: new() { Neighbours = 0, MaximumRank = 0 }), Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.Contains("Neighbours must be at least 1; was 0.").And.Message.Contains("MaximumRank"));
            Assert.That(() => _context.BinaryClassification.EvaluateVerification(View(rows), options: new() { FalseAcceptRates = [1] }), Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.Contains("FalseAcceptRates must be in (0, 1); one was 1."));
        });
        rows[4].Embedding[1] = float.NaN;
        Assert.That(() => _context.Ranking.EvaluateRetrieval(View(rows)), Throws.InvalidOperationException.With.Message.StartsWith("Column 'Embedding' has NaN or infinity in row 4"));
        var alone = Draw(5, 4, 5, seed: 1);
        Assert.That(() => _context.Ranking.EvaluateRetrieval(View(alone)), Throws.InvalidOperationException.With.Message.StartsWith("No row has another row of its identity"));
        Assert.That(() => _context.BinaryClassification.EvaluateVerification(View(alone)), Throws.InvalidOperationException.With.Message.StartsWith("There is no pair of the same identity"));
    }

    private static double Cosine(float[] a, float[] b) =>
        a.Zip(b, (x, y) => (double)x * y).Sum() / Math.Sqrt(a.Sum(x => (double)x * x) * b.Sum(y => (double)y * y));

    private static EmbeddingRow[] Draw(int rows, int length, int ids, int seed)
    {
        var random = new Random(seed);
        var centres = Enumerable.Range(0, ids).Select(_ => Values()).ToArray();
        return [.. Enumerable.Range(0, rows).Select(i => new EmbeddingRow { Label = i % ids, Embedding = [.. Values().Zip(centres[i % ids], (noise, centre) => noise + centre)], Teacher = Values(), Camera = "" })];

        float[] Values() => [.. Enumerable.Range(0, length).Select(_ => (float)((random.NextDouble() * 2) - 1))];
    }

    private IDataView View<T>(T[] rows)
        where T : class => _context.Vectors(rows);

    private sealed class TextRow
    {
        public float[] Embedding { get; set; } = [];

        public string Label { get; set; } = "";
    }
}
