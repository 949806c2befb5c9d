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
    private readonly RowFaults _badFeatures = new();
    private readonly RowFaults _otherLengths = new();
    private readonly RowFaults _noTeacherVectors = new();
    private readonly RowFaults _noLabels = new();
    private readonly RowFaults _unreadable = new();
    private readonly HashSet<RowId> _unusable = [];
    private readonly DataHash? _hash = hashed is null ? null : new DataHash();
    private readonly DataHash? _leftOut = hashed is { RowsLeftOut: true } ? new DataHash() : null;

    private bool Drops => options.MissingFeatures == MissingFeatures.Drop;

    /// <summary>Whether rows without a label learn from the teacher; that the method asks one, the options have made sure of.</summary>
    private bool NeedsNoLabels => columns.Label is null || options.MissingLabels == MissingLabels.TeacherOnly;

    private string Where => role == TensorReader.TrainingData ? "" : $" of the {role}";

    /// <param name="data">The rows.</param>
    /// <param name="leavesOutUnreadable">Whether rows are left out at which a step before fails; their values are then computed on one thread.</param>
    public ReadRows Run(IDataView data, bool leavesOutUnreadable)
    {
        DataViewSchema.Column?[] optional = [columns.Label, columns.Weight, columns.Validation];
        DataViewSchema.Column[] read = [columns.Features, .. optional.OfType<DataViewSchema.Column>(), .. hashed?.Columns ?? [], .. teacher.Select(t => t.Column)];
        var source = new RowSource(data, read, row => $"Row {row} (counted from 0) of the {role} cannot be read")
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
            catch (RowSourceException e) when (leavesOutUnreadable)
            {
                _unreadable.Add(row, $"{UnreadableRow.Shown(e)}{UnreadableRow.TextOf(cursor)}");
                _unusable.Add(Id());
            }
        }

        Check(rows, row + 1);
        return ToTensors(rows);

        void ReadRow()
        {
            getLabel?.Invoke(ref label);
            if (label == 0 && getLabel is not null)
                _noLabels.Add(row);
            if (label == 0 && !NeedsNoLabels)
            {
                // A model that reads the data after the student would come to grief over a row of another length, labelled or not.
                if (Drops && !HasLength(ref features))
                    _unusable.Add(Id());
                else
                    LeaveOut();
                return;
            }

            if (!HasLength(ref features))
            {
                _otherLengths.Add(row, VectorLength.Found(features.Length));
                _unusable.Add(Id());
                return;
            }

            if (!hasTeacherVectors.All(usable => usable()))
            {
                LeaveOut();
                _noTeacherVectors.Add(row);
                return;
            }

            if (!IsFinite(features.GetValues()))
            {
                LeaveOut();
                _badFeatures.Add(row);
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

    private void Check(CollectedRows<T> rows, long read)
    {
        if (read == 0)
            throw new InvalidOperationException($"The {role} have no rows. Check the file or the filter that they come from.");
        if (options.MissingLabels == MissingLabels.Error && _noLabels.Count > 0)
        {
            throw new InvalidOperationException(
                $"Column '{columns.Label!.Value.Name}' has no label in {_noLabels} of {read} rows{Where}. Set MissingLabels to Drop to leave such rows out, " +
                "or to TeacherOnly to let them learn from the teacher alone.");
        }

        if (!Drops && _otherLengths.Count > 0)
        {
            throw new InvalidOperationException(
                $"Column '{columns.Features.Name}' must have {columns.Shape.Length} values in every row{Where}, and has not in {_otherLengths} of {read} rows; the first has " +
                $"{_otherLengths.FirstFound}. Correct the steps that make the column, or set MissingFeatures to Drop to leave such rows out.");
        }

        if (!Drops && _badFeatures.Count > 0)
        {
            throw new InvalidOperationException(
                $"Column '{columns.Features.Name}' has NaN or infinite values in {_badFeatures} of {read} rows{Where}. Replace them with " +
                "mlContext.Transforms.ReplaceMissingValues, or set MissingFeatures to Drop to leave such rows out.");
        }

        if (rows.Count == 0)
        {
            throw new InvalidOperationException(
                $"None of the {read} rows of the {role} is usable: {(NeedsNoLabels ? "" : $"{_noLabels.Count} have no label in column '{columns.Label!.Value.Name}', ")}" +
                $"{_badFeatures.Count} have NaN or infinite values in column '{columns.Features.Name}'{string.Concat(AlsoDropped().Select(dropped => $", {dropped}"))}. " +
                $"Check the steps that make these columns.{(NeedsNoLabels || _noLabels.Count == 0 ? "" : " Rows without a label learn from the teacher with MissingLabels.TeacherOnly.")}");
        }

        if (role != TensorReader.RowsToScore)
            CheckClasses(rows);
    }

    private void CheckClasses(CollectedRows<T> rows)
    {
        if (!(NeedsNoLabels ? rows.HasWeight : rows.HasLabelledWeight))
        {
            throw new InvalidOperationException(
                $"Column '{columns.Weight!.Value.Name}' gives every {(NeedsNoLabels ? "" : "labelled ")}row of the {role} weight 0, so nothing counts. " +
                $"Give some {(NeedsNoLabels ? "" : "labelled ")}rows a weight above 0, or leave out ExampleWeightColumnName.");
        }

        // Other classes may be among the rows that learn from the teacher.
        if (role == TensorReader.TrainingData && rows.OnlyClass is { } only && !rows.HasMissingLabels)
        {
            throw new InvalidOperationException(
                $"Every labelled row is of class '{only}' (column '{columns.Label!.Value.Name}'); " +
                "a classifier needs rows of at least 2 classes. " +
                "Check the filter or the sampling that the rows come from.");
        }
    }

    private List<string> AlsoDropped()
    {
        var dropped = new List<string>();
        if (_otherLengths.Count > 0)
            dropped.Add($"{_otherLengths} have another number of values than {columns.Shape.Length} in column '{columns.Features.Name}'");
        if (_unreadable.Count > 0)
            dropped.Add($"{_unreadable} cannot be read, the first for {_unreadable.FirstFound}");
        if (_noTeacherVectors.Count > 0)
            dropped.Add($"{_noTeacherVectors} have no whole values in {string.Join(" or ", teacher.Select(t => $"'{t.Column.Name}'"))}, which the teacher reads");
        return dropped;
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
        var droppedLabels = options.MissingLabels == MissingLabels.Drop ? _noLabels.Count : 0;
        return new ReadRows(set, held, _badFeatures.Count, droppedLabels, role)
        {
            Hash = Hash(),
            AlsoDropped = AlsoDropped(),
            Unusable = _unusable,
            OnlyClass = only,
        };
    }
}
