using MlNetDistill.Core;
using static TorchSharp.torch;

namespace MlNetDistill.Data;

/// <summary>
/// The rows of a run as tensors, read once. Rows are addressed by position here and identified to the outside by their <see cref="RowId"/>.
/// Disposing the set disposes its tensors.
/// </summary>
public sealed class TrainingSet : IDisposable
{
    /// <summary>The label of a row that has none.</summary>
    public const long MissingLabel = -100;

    private string? _hash;

    /// <summary>Takes ownership of the tensors.</summary>
    /// <param name="features">N×(shape of a row); unsigned bytes or 32-bit floats.</param>
    /// <param name="labels">N class indices from 0, 64-bit; <see cref="MissingLabel"/> where a row has none.</param>
    /// <param name="rowIds">N identities.</param>
    /// <param name="shape">Shape of one row.</param>
    /// <param name="classes">Number of classes.</param>
    /// <param name="weights">N example weights of at least 0, 32-bit floats; or null, all 1.</param>
    /// <exception cref="ArgumentException">The tensors disagree with each other or with the shape.</exception>
    public TrainingSet(Tensor features, Tensor labels, IReadOnlyList<RowId> rowIds, InputShape shape, int classes, Tensor? weights = null)
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
        Features = features;
        Labels = labels;
        Weights = weights;
        RowIds = rowIds;
        Shape = shape;
        Classes = classes;
        using var scope = NewDisposeScope();
        HasMissingLabels = labels.IsEqualTo(MissingLabel).any().item<bool>();
    }

    /// <summary>N×(shape of a row); bytes stay bytes.</summary>
    public Tensor Features { get; private set; }

    /// <summary>N class indices; <see cref="MissingLabel"/> where a row has none.</summary>
    public Tensor Labels { get; private set; }

    /// <summary>N example weights, or null where all rows weigh the same.</summary>
    public Tensor? Weights { get; private set; }

    /// <summary>Identity of each row.</summary>
    public IReadOnlyList<RowId> RowIds { get; }

    /// <summary>Shape of one row.</summary>
    public InputShape Shape { get; }

    /// <summary>Number of classes K.</summary>
    public int Classes { get; }

    /// <summary>Number of rows N.</summary>
    public int Count => RowIds.Count;

    /// <summary>Whether features are bytes.</summary>
    public bool IsByte => Features.dtype == ScalarType.Byte;

    /// <summary>Whether some rows have no label.</summary>
    public bool HasMissingLabels { get; }

    /// <summary>Hash of the rows and their ids; taken once, as every anchor of a route asks for it.</summary>
    internal string Hash => _hash ??= DataHash.Of(this);

    /// <summary>Whether some labelled row at <paramref name="positions"/> has a weight above 0.</summary>
    internal bool HasLabelledWeight(Tensor positions)
    {
        using var scope = NewDisposeScope();
        var counts = Labels.index_select(0, positions).IsUnequalTo(MissingLabel).to(ScalarType.Float32);
        return (Weights is null ? counts : counts.mul(Weights.index_select(0, positions))).sum().item<float>() > 0;
    }

    /// <summary>Number of rows that have a label.</summary>
    internal int LabelledRows
    {
        get
        {
            using var scope = NewDisposeScope();
            return (int)Labels.IsUnequalTo(MissingLabel).sum().item<long>();
        }
    }

    /// <summary>Whether some row at <paramref name="positions"/> has a weight above 0.</summary>
    internal bool HasWeight(Tensor positions)
    {
        using var scope = NewDisposeScope();
        return Weights is null ? positions.shape[0] > 0 : Weights.index_select(0, positions).sum().item<float>() > 0;
    }

    /// <summary>Whether some row at <paramref name="positions"/> has a label, of whatever weight.</summary>
    internal bool HasLabel(Tensor positions)
    {
        using var scope = NewDisposeScope();
        return Labels.index_select(0, positions).IsUnequalTo(MissingLabel).any().item<bool>();
    }

    /// <summary>Moves the tensors to <paramref name="device"/>.</summary>
    public void MoveTo(Device device)
    {
        ArgumentNullException.ThrowIfNull(device);
        Features = Moved(Features, device);
        Labels = Moved(Labels, device);
        Weights = Weights is null ? null : Moved(Weights, device);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Features.Dispose();
        Labels.Dispose();
        Weights?.Dispose();
    }

    private static Tensor Moved(Tensor tensor, Device device)
    {
        if (tensor.device_type == device.type && (device.index < 0 || tensor.device_index == device.index))
            return tensor;
        var moved = tensor.to(device).DetachFromDisposeScope();
        tensor.Dispose();
        return moved;
    }
}
