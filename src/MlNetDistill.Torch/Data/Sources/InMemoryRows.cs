using MlNetDistill.Core;
using static TorchSharp.torch;

namespace MlNetDistill.Data;

/// <summary>Rows whose features are in one tensor, on the CPU or on a GPU. Disposing them disposes the tensors.</summary>
public sealed class InMemoryRows : IRowSource
{
    private Tensor _features;

    /// <summary>Takes ownership of the tensors.</summary>
    /// <param name="features">N×(shape of a row); unsigned bytes or 32-bit floats.</param>
    /// <param name="labels">N class indices from 0, 64-bit; <see cref="IRowSource.MissingLabel"/> for a row without one.</param>
    /// <param name="rowIds">N identities.</param>
    /// <param name="shape">Shape of one row.</param>
    /// <param name="weights">N example weights of at least 0, 32-bit floats; or null, all 1.</param>
    /// <exception cref="ArgumentException">The tensors disagree with each other or with the shape.</exception>
    public InMemoryRows(Tensor features, Tensor labels, RowIds rowIds, InputShape shape, Tensor? weights = null)
    {
        ArgumentNullException.ThrowIfNull(features);
        ArgumentNullException.ThrowIfNull(labels);
        ArgumentNullException.ThrowIfNull(rowIds);
        long rows = rowIds.Count;
        if (!features.shape.SequenceEqual([rows, .. shape.Dimensions]))
            throw new ArgumentException($"Features must be {rows} rows of {shape}; were [{string.Join(", ", features.shape)}].", nameof(features));
        if (!labels.shape.SequenceEqual([rows]) || labels.dtype != ScalarType.Int64)
            throw new ArgumentException($"Labels must be {rows} 64-bit integers; were [{string.Join(", ", labels.shape)}] {labels.dtype}.", nameof(labels));
        if (weights is not null && (!weights.shape.SequenceEqual([rows]) || weights.dtype != ScalarType.Float32))
            throw new ArgumentException($"Weights must be {rows} 32-bit floats; were [{string.Join(", ", weights.shape)}] {weights.dtype}.", nameof(weights));
        if (features.dtype is not (ScalarType.Byte or ScalarType.Float32))
            throw new ArgumentException($"Features must be unsigned bytes or 32-bit floats; were {features.dtype}.", nameof(features));
        _features = features;
        Device = features.device;
        Labels = labels;
        Weights = weights;
        RowIds = rowIds;
        Shape = shape;
        using var scope = NewDisposeScope();
        HasMissingLabels = labels.IsEqualTo(IRowSource.MissingLabel).any().item<bool>();
    }

    /// <inheritdoc/>
    public long Count => RowIds.Count;

    /// <inheritdoc/>
    public InputShape Shape { get; }

    /// <inheritdoc/>
    public ScalarType ElementType => _features.dtype;

    /// <inheritdoc/>
    public RowIds RowIds { get; }

    /// <inheritdoc/>
    public Tensor Labels { get; private set; }

    /// <inheritdoc/>
    public Tensor? Weights { get; private set; }

    /// <inheritdoc/>
    public bool HasMissingLabels { get; }

    /// <inheritdoc/>
    public Device Device { get; private set; }

    /// <inheritdoc/>
    public void MoveTo(Device device)
    {
        ArgumentNullException.ThrowIfNull(device);
        _features = SourceTensors.Move(_features, device);
        Labels = SourceTensors.Move(Labels, device);
        Weights = Weights is null ? null : SourceTensors.Move(Weights, device);
        Device = _features.device;
    }

    /// <inheritdoc/>
    public Tensor Gather(Tensor positions, Device device)
    {
        ArgumentNullException.ThrowIfNull(positions);
        ArgumentNullException.ThrowIfNull(device);
        return _features.index_select(0, positions.On(Device)).On(device);
    }

    /// <inheritdoc/>
    public Tensor GatherElements(Tensor positions, Device device)
    {
        ArgumentNullException.ThrowIfNull(positions);
        ArgumentNullException.ThrowIfNull(device);
        using var scope = NewDisposeScope();
        return _features.flatten(1).gather(0, positions.On(Device)).On(device).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    /// <remarks>The shard shares the memory of the features.</remarks>
    public IRowSource Shard(int rank, int shards)
    {
        ShardRange.Check(rank, shards, Count);
        using var scope = NewDisposeScope();
        return new InMemoryRows(
            SelectShard(_features).DetachFromDisposeScope(),
            SelectShard(Labels).clone().DetachFromDisposeScope(),
            RowIds.Every(rank, shards),
            Shape,
            Weights is null ? null : SelectShard(Weights).clone().DetachFromDisposeScope());

        Tensor SelectShard(Tensor all) => all.slice(0, rank, Count, shards);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _features.Dispose();
        Labels.Dispose();
        Weights?.Dispose();
    }
}
