using Microsoft.ML.Data;
using MlNetDistill.Core;
using MlNetDistill.Data;
using static TorchSharp.torch;

namespace MlNetDistill.Reading;

/// <summary>The usable rows of a pass over the trainer's columns, as they are read: nothing is kept of columns that there are not.</summary>
/// <param name="columns">The trainer's columns.</param>
/// <param name="expectedRows">Number of rows where the view knows it.</param>
internal sealed class CollectedRows<T>(TrainerColumns columns, long? expectedRows) : IDisposable
    where T : unmanaged
{
    private readonly TensorBuilder<T> _features = new(columns.IsByte ? ScalarType.Byte : ScalarType.Float32, columns.Shape.Dimensions, expectedRows);
    private readonly TensorBuilder<long> _labels = new(ScalarType.Int64, [], expectedRows);
    private readonly TensorBuilder<float>? _weights = columns.Weight is null ? null : new(ScalarType.Float32, [], expectedRows);
    private readonly TensorBuilder<bool>? _held = columns.Validation is null ? null : new(ScalarType.Bool, [], expectedRows);
    private readonly RowIdsBuilder _ids = new();
    private readonly HashSet<long> _classes = [];

    /// <summary>Rows so far.</summary>
    public long Count => _ids.Count;

    /// <summary>Whether some row has no label.</summary>
    public bool HasMissingLabels { get; private set; }

    /// <summary>Whether some row has a weight above 0.</summary>
    public bool HasWeight { get; private set; }

    /// <summary>Whether some labelled row has a weight above 0.</summary>
    public bool HasLabelledWeight { get; private set; }

    /// <summary>The class of all labelled rows; null where they are of several or there is none.</summary>
    public string? OnlyClass => _classes.Count == 1 ? columns.Classes.NameOf((int)_classes.Single()) : null;

    /// <summary>Adds a row.</summary>
    /// <param name="id">Its id.</param>
    /// <param name="features">Its features, of the right number.</param>
    /// <param name="label">Its class, or <see cref="IRowSource.MissingLabel"/>.</param>
    /// <param name="weight">Its weight, 1 without a column of weights.</param>
    /// <param name="held">Whether it is held out for validation.</param>
    public void Add(RowId id, in VBuffer<T> features, long label, float weight, bool held)
    {
        columns.Layout.Copy(features, _features.NextRow());
        _labels.Add(label);
        _weights?.Add(weight);
        _held?.Add(held);
        _ids.Add(id);
        if (label == IRowSource.MissingLabel)
            HasMissingLabels = true;
        else if (_classes.Count < 2)
            _classes.Add(label);
        HasWeight |= weight > 0;
        HasLabelledWeight |= weight > 0 && label != IRowSource.MissingLabel;
    }

    /// <summary>All rows. Empties this.</summary>
    public (IRowSource Rows, Tensor? Held) ToRows() =>
        (new InMemoryRows(_features.ToTensor(), _labels.ToTensor(), _ids.ToRowIds(), columns.Shape, _weights?.ToTensor()), _held?.ToTensor());

    public void Dispose()
    {
        _features.Dispose();
        _labels.Dispose();
        _weights?.Dispose();
        _held?.Dispose();
    }
}
