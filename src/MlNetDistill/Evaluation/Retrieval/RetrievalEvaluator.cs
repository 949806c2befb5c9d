namespace MlNetDistill.Evaluation;

/// <summary>Searches a gallery for every query, with the embeddings of the student and of the teacher.</summary>
/// <param name="queries">The queries; the first of their embeddings is the student's, the second, if there is one, the teacher's.</param>
/// <param name="gallery">The rows that are searched; the queries themselves if every query leaves out its own row.</param>
/// <param name="options">Settings.</param>
internal sealed class RetrievalEvaluator(EmbeddingRows queries, EmbeddingRows gallery, RetrievalOptions options)
{
    public RetrievalMetrics Run()
    {
        var hasTeacher = queries.Embeddings.Count > 1;
        var neighbours = hasTeacher ? new int[queries.Count][] : null;
        var shares = new double[queries.Count];
        var (student, count) = Search(0, (query, scores) =>
        {
            if (neighbours is not null)
                neighbours[query] = Nearest(query, scores);
        });
        var teacher = !hasTeacher ? null : Search(1, (query, scores) => shares[query] = Overlap(neighbours![query], Nearest(query, scores))).Quality;
        return new RetrievalMetrics
        {
            Rows = queries.Count,
            GalleryRows = gallery.Count,
            Queries = count,
            Student = student,
            Teacher = teacher,
            NeighbourAgreement = hasTeacher ? shares.Average() : null,
            Neighbours = options.Neighbours,
        };
    }

    private bool SearchesItself => ReferenceEquals(queries, gallery);

    private (RetrievalQuality Quality, int Queries) Search(int column, Action<int, float[]> use)
    {
        var first = new int[queries.Count];
        var precision = new double[queries.Count];
        Similarities.ForEachQuery(queries.Embeddings[column], gallery.Embeddings[column], (query, scores) =>
        {
            var ranks = RetrievalRanks.Of(scores, row => KindOf(query, row));
            if (ranks.Length > 0)
            {
                first[query] = ranks[0];
                precision[query] = ranks.Select((rank, i) => (i + 1.0) / rank).Average();
            }

            use(query, scores);
        });
        // Sums in the order of the rows are the same on any number of threads.
        var count = first.Count(rank => rank > 0);
        if (count == 0)
            throw new InvalidOperationException("No row has another row of its identity to be found, so there is nothing to measure. Give rows of which some share their identity.");
        var curve = Enumerable.Range(1, options.MaximumRank).Select(rank => (double)first.Count(found => found > 0 && found <= rank) / count).ToArray();
        return (new RetrievalQuality { MatchCurve = curve, MeanAveragePrecision = precision.Sum() / count }, count);
    }

    private RowKind KindOf(int query, int row)
    {
        if (SearchesItself && query == row)
            return RowKind.LeftOut;
        if (queries.Ids[query] != gallery.Ids[row] || gallery.Ids[row] == IdReader.None)
            return RowKind.Other;
        var isSameCamera = queries.Cameras.Length > 0 && queries.Cameras[query] == gallery.Cameras[row] && gallery.Cameras[row] != IdReader.None;
        return isSameCamera ? RowKind.LeftOut : RowKind.Match;
    }

    private int[] Nearest(int query, float[] scores)
    {
        // Of equal scores the later row is removed first.
        var kept = new PriorityQueue<int, (float Score, int Row)>(Comparer<(float Score, int Row)>.Create((a, b) => a.Score != b.Score ? a.Score.CompareTo(b.Score) : b.Row.CompareTo(a.Row)));
        for (var row = 0; row < scores.Length; row++)
        {
            if (SearchesItself && query == row)
                continue;
            if (kept.Count < options.Neighbours)
                kept.Enqueue(row, (scores[row], row));
            else if (scores[row] > scores[kept.Peek()])
                kept.EnqueueDequeue(row, (scores[row], row));
        }

        return [.. kept.UnorderedItems.Select(item => item.Element)];
    }

    private static double Overlap(int[] a, int[] b) => (double)a.Intersect(b).Count() / a.Length;
}
