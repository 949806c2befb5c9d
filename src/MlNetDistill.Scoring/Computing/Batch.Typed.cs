using Microsoft.ML.OnnxRuntime;

namespace MlNetDistill.Computing;

/// <summary>A batch with features of a type: bytes or floats.</summary>
internal sealed class Batch<T> : Batch
    where T : unmanaged
{
    private readonly SharedSession? _session;
    private readonly string[] _inputs = [];
    private readonly string[] _outputs = [];
    private readonly OrtValue[] _wholeInput = [];
    private readonly OrtValue[] _wholeOutput = [];
    private readonly RunOptions? _options;

    public Batch(SharedSession? session, StudentHead head, int rows, int threads)
        : base(head, rows, threads)
    {
        _session = session;
        FeatureLength = session?.InputLength ?? head.EmbeddingLength;
        Features = new T[(long)rows * FeatureLength];
        if (session is null)
        {
            Embeddings = (float[])(object)Features;
            return;
        }

        Embeddings = new float[(long)rows * session.OutputLength];
        (_inputs, _outputs, _options) = ([session.Input], [session.Output], new RunOptions());
        (_wholeInput, _wholeOutput) = ([TensorOver(Features, rows)], [TensorOver(Embeddings, rows)]);
    }

    /// <summary>Number of features of a row.</summary>
    public int FeatureLength { get; }

    /// <summary>Row after row.</summary>
    public T[] Features { get; }

    public override float[] Embeddings { get; }

    /// <summary>The place of the features of a row.</summary>
    public Span<T> this[int row] => Features.AsSpan(row * FeatureLength, FeatureLength);

    public override void Dispose()
    {
        foreach (var tensor in _wholeInput.Concat(_wholeOutput))
            tensor.Dispose();
        _options?.Dispose();
    }

    protected override void ComputeEmbeddings(int rows)
    {
        if (_session is null)
            return;
        if (rows == Capacity)
        {
            _session.Run(_options!, _inputs, _wholeInput, _outputs, _wholeOutput);
            return;
        }

        using var input = TensorOver(Features, rows);
        using var output = TensorOver(Embeddings, rows);
        _session.Run(_options!, _inputs, [input], _outputs, [output]);
    }

    private OrtValue TensorOver<TValue>(TValue[] values, int rows)
        where TValue : unmanaged
    {
        var length = values.Length / Capacity;
        return OrtValue.CreateTensorValueFromMemory(OrtMemoryInfo.DefaultInstance, values.AsMemory(0, rows * length), [rows, length]);
    }
}
