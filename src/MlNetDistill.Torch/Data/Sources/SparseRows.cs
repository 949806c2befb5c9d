using System.Runtime.InteropServices;
using MlNetDistill.Core;
using static TorchSharp.torch;

namespace MlNetDistill.Data;

/// <summary>Rows of a vector of floats of which most elements are 0, such as n-grams. They stay in the memory of the CPU, and are written out when they are gathered.</summary>
internal sealed class SparseRows : IRowSource, ISparseSource
{
    // More rows than that are not written at once, because a span has 32-bit lengths.
    private const long WrittenBytes = 1L << 30;
    private readonly SparseMatrix _features;

    /// <summary>Takes ownership of the tensors.</summary>
    /// <param name="features">The features, which are not added to any more.</param>
    /// <param name="labels">N labels, 64-bit; <see cref="IRowSource.MissingLabel"/> for a row without one.</param>
    /// <param name="rowIds">N identities.</param>
    /// <param name="weights">N example weights, 32-bit floats; or null, all 1.</param>
    public SparseRows(SparseMatrix features, Tensor labels, RowIds rowIds, Tensor? weights = null)
    {
        (_features, Labels, RowIds, Weights) = (features, labels, rowIds, weights);
        if (features.Rows != rowIds.Count || labels.shape[0] != rowIds.Count || (weights is not null && weights.shape[0] != rowIds.Count))
            throw new ArgumentException($"There are {features.Rows} rows, {labels.shape[0]} labels, {weights?.shape[0]} weights and {rowIds.Count} identities.", nameof(features));
        using var scope = NewDisposeScope();
        HasMissingLabels = labels.IsEqualTo(IRowSource.MissingLabel).any().item<bool>();
    }

    /// <summary>Bytes of the features.</summary>
    public long StoredBytes => _features.Bytes;

    public long Count => RowIds.Count;

    public InputShape Shape => InputShape.Vector(_features.Width);

    public ScalarType ElementType => ScalarType.Float32;

    public RowIds RowIds { get; }

    public Tensor Labels { get; private set; }

    public Tensor? Weights { get; private set; }

    public bool HasMissingLabels { get; }

    public Device Device => Labels.device;

    public void MoveTo(Device device)
    {
        Labels = SourceTensors.Move(Labels, device);
        Weights = Weights is null ? null : SourceTensors.Move(Weights, device);
    }

    public Tensor Gather(Tensor positions, Device device)
    {
        using var scope = NewDisposeScope();
        var rows = positions.cpu().contiguous().data<long>();
        var result = zeros([rows.Count, _features.Width], float32, CPU);
        var together = Math.Max(1, WrittenBytes / this.RowBytes);
        for (long from = 0; from < rows.Count; from += together)
        {
            var count = Math.Min(together, rows.Count - from);
            using var part = result.narrow(0, from, count);
            var values = MemoryMarshal.Cast<byte, float>(part.bytes);
            for (var i = 0; i < count; i++)
                _features.CopyTo(rows[from + i], values.Slice(i * _features.Width, _features.Width));
        }

        return result.On(device).MoveToOuterDisposeScope();
    }

    public Tensor GatherElements(Tensor positions, Device device)
    {
        using var scope = NewDisposeScope();
        var rows = positions.cpu().contiguous().data<long>();
        var elements = new float[rows.Count];
        var at = 0;
        foreach (var row in rows)
        {
            elements[at] = _features[row, at % _features.Width];
            at++;
        }

        return tensor(elements, positions.shape, device: CPU).On(device).MoveToOuterDisposeScope();
    }

    public void ReadStored(long position, StoredElements read) => _features.ReadStored(position, read);

    /// <remarks>The shard shares the memory of the features.</remarks>
    public IRowSource Shard(int rank, int shards) => new StridedRows(this, rank, shards);

    public void Dispose()
    {
        Labels.Dispose();
        Weights?.Dispose();
    }
}
