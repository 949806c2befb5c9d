using System.Collections.Concurrent;

namespace MlNetDistill.Computing;

/// <summary>A student's function, from rows of features to rows of scores, and memory for batches of rows.</summary>
/// <param name="session">The ONNX model up to the embedding; null for a linear student, whose features are its embedding.</param>
/// <param name="head">What follows.</param>
/// <param name="batchSize">Most rows of a batch.</param>
/// <param name="threads">Most threads for what follows the ONNX model.</param>
internal sealed class StudentNetwork(SharedSession? session, StudentHead head, int batchSize, int threads) : IDisposable
{
    private readonly ConcurrentBag<Batch> _unused = [];
    private bool _isDisposed;

    public bool IsByte => session?.IsByte ?? false;

    /// <summary>Number of features of a row.</summary>
    public int FeatureLength => session?.InputLength ?? head.EmbeddingLength;

    public int EmbeddingLength => head.EmbeddingLength;

    /// <summary>Number of scores of a row.</summary>
    public int ScoreLength => head.ScoreLength;

    public int BatchSize => batchSize;

    /// <summary>Memory for one row; else like <see cref="Rent"/>.</summary>
    public Batch RentRow() => Use(() => Create(1));

    /// <summary>Memory for a batch, which the caller gives back with <see cref="Return"/>. Until then it can be used, even if this network is disposed.</summary>
    /// <exception cref="ObjectDisposedException">This network is disposed.</exception>
    public Batch Rent() => Use(() => _unused.TryTake(out var batch) ? batch : Create(batchSize));

    public void Return(Batch batch)
    {
        if (_isDisposed || batch.Capacity != batchSize || _unused.Count >= 2 * Environment.ProcessorCount)
            batch.Dispose();
        else
            _unused.Add(batch);
        // Disposed in the meantime?
        if (_isDisposed)
            DisposeUnused();
        session?.RemoveUser();
    }

    public void Dispose()
    {
        _isDisposed = true;
        DisposeUnused();
        session?.Dispose();
    }

    /// <summary>The error of a use after the scorer was disposed.</summary>
    public static ObjectDisposedException CreateDisposedError() => new("BatchScorer");

    private Batch Use(Func<Batch> create)
    {
        if (_isDisposed)
            throw CreateDisposedError();
        session?.AddUser();
        try
        {
            return create();
        }
        catch
        {
            session?.RemoveUser();
            throw;
        }
    }

    private Batch Create(int rows) => IsByte ? new Batch<byte>(session, head, rows, threads) : new Batch<float>(session, head, rows, threads);

    private void DisposeUnused()
    {
        while (_unused.TryTake(out var batch))
            batch.Dispose();
    }
}
