namespace MlNetDistill.Computing;

/// <summary>Memory for the features, embeddings and scores of some rows, and what computes the latter. One thread at a time uses it.</summary>
internal abstract class Batch : IDisposable
{
    // Multiplications that take about as long as it takes to wake a thread.
    private const long LeastWork = 1 << 19;

    private readonly StudentHead _head;
    private readonly int _threads;

    protected Batch(StudentHead head, int rows, int threads)
    {
        (_head, Capacity, _threads) = (head, rows, threads);
        Scores = new float[(long)rows * head.ScoreLength];
    }

    /// <summary>Most rows.</summary>
    public int Capacity { get; }

    /// <summary>Row after row.</summary>
    public abstract float[] Embeddings { get; }

    /// <summary>Row after row.</summary>
    public float[] Scores { get; }

    /// <summary>Computes embeddings and scores of the first rows, whose features are set.</summary>
    public void Compute(int rows)
    {
        ComputeEmbeddings(rows);
        var parts = (int)Math.Min(_threads, (long)rows * _head.EmbeddingLength * _head.ScoreLength / LeastWork);
        if (parts <= 1)
            ComputeScores(0, rows);
        else
            ComputeInParts(rows, parts);
    }

    public abstract void Dispose();

    protected abstract void ComputeEmbeddings(int rows);

    private void ComputeInParts(int rows, int parts) =>
        Parallel.For(0, parts, part => ComputeScores((int)((long)rows * part / parts), (int)((long)rows * (part + 1) / parts)));

    private void ComputeScores(int start, int end)
    {
        var rows = end - start;
        var embeddings = Embeddings.AsSpan(start * _head.EmbeddingLength, rows * _head.EmbeddingLength);
        _head.Compute(embeddings, rows, Scores.AsSpan(start * _head.ScoreLength, rows * _head.ScoreLength));
    }
}
