using System.Runtime.InteropServices;
using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Core;
using MlNetDistill.Data;
using static System.FormattableString;

namespace MlNetDistill.Reading;

/// <summary>One pass over the trainer's columns.</summary>
internal sealed class TrainingPass<T>(TrainerColumns columns, DistillationOptions options, string role, HashedColumns? hashed, IReadOnlyList<TeacherVector> teacher)
        where T : unmanaged
{
    private readonly UnusableRows _faults = new(columns, options, role, teacher);
    private readonly HashSet<RowId> _unusable = [];
    private readonly DataHash? _hash = hashed is null ? null : new DataHash();
    private readonly DataHash? _leftOut = hashed is { RowsLeftOut: true } ? new DataHash() : null;

    /// <param name="data">The rows.</param>
    /// <param name="leavesOutUnreadable">Whether rows are left out at which a step before fails; their values are then computed on one thread.</param>
    public ReadRows Run(IDataView data, bool leavesOutUnreadable)
    {
        DataViewSchema.Column?[] optional = [columns.Label, columns.Weight, columns.Validation];
        DataViewSchema.Column[] read = [columns.Features, .. optional.OfType<DataViewSchema.Column>(), .. hashed?.Columns ?? [], .. teacher.Select(t => t.Column)];
        var source = new ViewColumns(data, read, row => $"Row {row} (counted from 0) of the {role} cannot be read")
        {
            Remedy = "Correct what the row is made from, or set MissingFeatures to Drop to leave such rows out.",
        };
        using var rows = new CollectedRows<T>(columns, data.GetRowCount());
        using var cursor = leavesOutUnreadable ? source.OpenOnOneThread(UnreadableRow.Texts(data.Schema)) : source.Open();
        var bytes = hashed is null ? null : new RowBytes(cursor, hashed.Columns);
        var getId = cursor.GetIdGetter();
        var getFeatures = cursor.GetGetter<VBuffer<T>>(columns.Features);
        var getLabel = columns.Label is { } l ? cursor.GetGetter<uint>(l) : null;
        var getWeight = columns.Weight is { } w ? cursor.GetGetter<float>(w) : null;
        var getHeld = columns.Validation is { } v ? cursor.GetGetter<bool>(v) : null;
        Func<bool>[] hasTeacherVectors = [.. teacher.Select(t => t.Usable(cursor))];
        VBuffer<T> features = default;
        DataViewRowId id = default;
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
                _faults.Unreadable.Add(row, $"{UnreadableRow.Shown(e)}{UnreadableRow.TextOf(cursor)}");
                _unusable.Add(Id());
            }
        }

        _faults.Check(rows, row + 1);
        return ToTensors(rows);

        void ReadRow()
        {
            getLabel?.Invoke(ref label);
            if (label == 0 && getLabel is not null)
                _faults.NoLabels.Add(row);
            if (label == 0 && !_faults.NeedsNoLabels)
            {
                // A model that reads the data after the student would come to grief over a row of another length, labelled or not.
                if (_faults.Drops && !HasLength(ref features))
                    _unusable.Add(Id());
                else
                    LeaveOut();
                return;
            }

            if (!HasLength(ref features))
            {
                _faults.OtherLengths.Add(row, VectorLength.Found(features.Length));
                _unusable.Add(Id());
                return;
            }

            if (!hasTeacherVectors.All(usable => usable()))
            {
                LeaveOut();
                _faults.NoTeacherVectors.Add(row);
                return;
            }

            if (!IsFinite(features.GetValues()))
            {
                LeaveOut();
                _faults.BadFeatures.Add(row);
                return;
            }

            getWeight?.Invoke(ref weight);
            CheckWeight(weight, row);
            getHeld?.Invoke(ref held);
            // The last values that are read: from here on the row is whole.
            if (bytes is not null)
                _hash!.Add(Id(), bytes.OfRow());
            rows.Add(Id(), features, label == 0 ? IRowSource.MissingLabel : label - 1L, weight, held);
        }

        bool HasLength(ref VBuffer<T> values)
        {
            getFeatures(ref values);
            return values.Length == columns.Shape.Length;
        }

        RowId Id()
        {
            getId(ref id);
            return new RowId(id.Low, id.High);
        }

        void LeaveOut() => _leftOut?.Add(Id(), bytes!.OfRow());
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

    private string? Hash()
    {
        using var rows = _hash;
        using var leftOut = _leftOut;
        return rows is null ? null : $"{rows.Value} of {RowBytes.Meaning(hashed!.Columns)}{(leftOut is null ? "" : $", left out {leftOut.Value}")}";
    }

    private ReadRows ToTensors(CollectedRows<T> rows)
    {
        var only = rows.OnlyClass;
        var (set, held) = rows.ToRows();
        var droppedLabels = options.MissingLabels == MissingLabels.Drop ? _faults.NoLabels.Count : 0;
        return new ReadRows(set, held, _faults.BadFeatures.Count, droppedLabels, role)
        {
            Hash = Hash(),
            AlsoDropped = _faults.AlsoDropped(),
            Unusable = _unusable,
            OnlyClass = only,
        };
    }
}
