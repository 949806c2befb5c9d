using System.Runtime.InteropServices;
using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Core;
using MlNetDistill.Data;
using TorchSharp;
using static System.FormattableString;

namespace MlNetDistill.Reading;

/// <summary>One pass over the trainer's columns, which collects the usable rows. Nothing is kept for columns that the data do not have.</summary>
internal sealed class TrainingPass<T>(
    TrainerColumns columns, DistillationOptions options, string role, HashedColumns? hashed, IReadOnlyList<TeacherColumn> teacher, long? expectedRows) : IDisposable
    where T : unmanaged
{
    private readonly FeatureBuilder<T> _features = new(columns.Layout, expectedRows, role, options.RowStorage);
    private readonly TensorBuilder<long> _labels = new(torch.ScalarType.Int64, [], expectedRows);
    private readonly TensorBuilder<float>? _weights = columns.Weight is null ? null : new(torch.ScalarType.Float32, [], expectedRows);
    private readonly TensorBuilder<bool>? _held = columns.Validation is null ? null : new(torch.ScalarType.Bool, [], expectedRows);
    private readonly RowIdsBuilder _ids = new();
    private readonly RowFindings _findings = new(columns, options, role, teacher);
    private readonly HashSet<RowId> _unusable = [];
    private readonly DataHash? _hash = hashed is null ? null : new DataHash();
    private readonly DataHash? _leftOut = hashed is { RowsLeftOut: true } ? new DataHash() : null;

    /// <summary>Reads all rows. A pass is run once.</summary>
    /// <param name="data">The rows.</param>
    /// <param name="leavesOutUnreadable">Whether rows on which an earlier step fails are left out; their values are then computed on one thread.</param>
    public TrainingRows Run(IDataView data, bool leavesOutUnreadable)
    {
        DataViewSchema.Column?[] optional = [columns.Label, columns.Weight, columns.Validation];
        DataViewSchema.Column[] read = [columns.Features, .. optional.OfType<DataViewSchema.Column>(), .. hashed?.Columns ?? [], .. teacher.Select(t => t.Column)];
        var source = new ViewColumns(data, read, row => $"Row {row} (counted from 0) of the {role} cannot be read")
        {
            Remedy = "Correct what the row is made from, or set MissingFeatures to Drop to leave such rows out.",
        };
        using var cursor = leavesOutUnreadable ? source.OpenOnOneThread(UnreadableRow.TextColumns(data.Schema)) : source.Open();
        var bytes = hashed is null ? null : new RowBytes(cursor, hashed.Columns);
        var getId = cursor.CreateIdReader();
        var getFeatures = cursor.GetGetter<VBuffer<T>>(columns.Features);
        var getLabel = columns.Label is { } l ? cursor.GetGetter<uint>(l) : null;
        var getWeight = columns.Weight is { } w ? cursor.GetGetter<float>(w) : null;
        var getHeld = columns.Validation is { } v ? cursor.GetGetter<bool>(v) : null;
        Func<bool>[] hasTeacherVectors = [.. teacher.Select(t => t.CreateCheck(cursor))];
        VBuffer<T> features = default;
        uint label = 0;
        float weight = 1;
        var held = false;
        long row = -1;
        while (cursor.MoveNext())
        {
            options.CancellationToken.ThrowIfCancellationRequested();
            row++;
            try
            {
                ReadRow();
            }
            catch (ViewReadException e) when (leavesOutUnreadable)
            {
                _findings.Unreadable.Add(row, $"{UnreadableRow.DescribeFailure(e)}{UnreadableRow.DescribeTexts(cursor)}");
                _unusable.Add(getId());
            }
            catch (OutOfMemoryException e)
            {
                throw _features.CreateError(e);
            }
        }

        _findings.Check(row + 1);
        return new TrainingRows(ToRows(), _held?.ToTensor(), _findings) { Hash = Hash(), Unusable = _unusable };

        void ReadRow()
        {
            getLabel?.Invoke(ref label);
            if (label == 0 && getLabel is not null)
                _findings.NoLabels.Add(row);
            if (label == 0 && !_findings.NeedsNoLabels)
            {
                // A model that reads the data after the student would fail on a row of another length, labelled or not.
                if (_findings.Drops && !HasLength(ref features))
                    _unusable.Add(getId());
                else
                    LeaveOut();
                return;
            }

            if (!HasLength(ref features))
            {
                _findings.OtherLengths.Add(row, VectorLength.Describe(features.Length));
                _unusable.Add(getId());
                return;
            }

            if (!hasTeacherVectors.All(usable => usable()))
            {
                LeaveOut();
                _findings.NoTeacherVectors.Add(row);
                return;
            }

            if (!IsFinite(features.GetValues()))
            {
                LeaveOut();
                _findings.BadFeatures.Add(row);
                return;
            }

            getWeight?.Invoke(ref weight);
            CheckWeight(weight, row);
            getHeld?.Invoke(ref held);
            // The last values that are read: from here on the row is whole.
            if (bytes is not null)
                _hash!.Add(getId(), bytes.ReadRow());
            Add(getId(), features, label == 0 ? IRowSource.MissingLabel : label - 1L, weight, held);
        }

        bool HasLength(ref VBuffer<T> values)
        {
            getFeatures(ref values);
            return values.Length == columns.Shape.Length;
        }

        void LeaveOut() => _leftOut?.Add(getId(), bytes!.ReadRow());
    }

    private static bool IsFinite(ReadOnlySpan<T> values)
    {
        if (typeof(T) != typeof(float))
            return true;
        foreach (var value in MemoryMarshal.Cast<T, float>(values))
        {
            if (!float.IsFinite(value))
                return false;
        }

        return true;
    }

    private void CheckWeight(float weight, long row)
    {
        if (!(weight >= 0 && float.IsFinite(weight)))
        {
            throw new InvalidOperationException(
                Invariant($"Column '{columns.Weight!.Value.Name}' must hold finite weights of at least 0; row {row} (counted from 0) has {weight}. ") +
                "Correct the weight; to leave the row out, give it weight 0.");
        }
    }

    private void Add(RowId id, in VBuffer<T> features, long label, float weight, bool held)
    {
        _features.Add(features);
        _labels.Add(label);
        _weights?.Add(weight);
        _held?.Add(held);
        _ids.Add(id);
        _findings.AddUsable(label, weight);
    }

    private string? Hash() =>
        _hash is null ? null : $"{_hash.Value} of {RowBytes.HashSchema(hashed!.Columns)}{(_leftOut is null ? "" : $", left out {_leftOut.Value}")}";

    private IRowSource ToRows() => _features.ToRows(_labels.ToTensor(), _ids.ToRowIds(), _weights?.ToTensor());

    public void Dispose()
    {
        _features.Dispose();
        _labels.Dispose();
        _weights?.Dispose();
        _held?.Dispose();
        _hash?.Dispose();
        _leftOut?.Dispose();
    }
}
