namespace MlNetDistill.Computing;

/// <summary>Memory for the features, embeddings and scores of some rows, and what computes the latter. One thread at a time uses it.</summary>
internal abstract class Batch : IDisposable
{
    private readonly StudentHead _head;

    protected Batch(StudentHead head, int rows)
    {
        _head = head;
        Scores = new float[(long)rows * head.ScoreLength];
    }

    /// <summary>Row after row.</summary>
    public abstract float[] Embeddings { get; }

    /// <summary>Row after row.</summary>
    public float[] Scores { get; }

    /// <summary>Computes embeddings and scores of the first rows, whose features are set.</summary>
    public void Compute(int rows)
    {
        ComputeEmbeddings(rows);
        _head.Compute(Embeddings, rows, Scores);
    }

    public abstract void Dispose();

    protected abstract void ComputeEmbeddings(int rows);
}
