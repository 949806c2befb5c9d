using MlNetDistill.Data;
using static TorchSharp.torch;

namespace MlNetDistill.Teachers;

/// <summary>A teacher's logits for rows, kept by row id. Disposing it disposes its tensor.</summary>
public sealed class TeacherRecord : IDisposable
{
    /// <summary>Takes ownership of <paramref name="logits"/>.</summary>
    /// <param name="rowIds">Identity of each row.</param>
    /// <param name="logits">One row of K logits for each identity, 32-bit floats on the CPU, all finite.</param>
    /// <exception cref="ArgumentException">The lengths disagree, or a logit is NaN or infinite.</exception>
    public TeacherRecord(IReadOnlyList<RowId> rowIds, Tensor logits)
    {
        if (logits.dim() != 2 || logits.shape[0] != rowIds.Count || logits.dtype != ScalarType.Float32)
        {
            throw new ArgumentException(
                $"A teacher record of {rowIds.Count} rows needs {rowIds.Count}×K 32-bit floats; got [{string.Join(", ", logits.shape)}] {logits.dtype}.",
                nameof(logits));
        }

        using var scope = NewDisposeScope();
        if (!logits.isfinite().all().item<bool>())
            throw new ArgumentException("The teacher's logits must be finite; some are NaN or infinite.", nameof(logits));
        RowIds = rowIds;
        Logits = logits;
    }

    /// <summary>Identity of each row.</summary>
    public IReadOnlyList<RowId> RowIds { get; }

    /// <summary>N×K logits.</summary>
    public Tensor Logits { get; }

    /// <summary>The logits in the order of <paramref name="set"/>, joined by row id.</summary>
    /// <exception cref="InvalidOperationException">A row of the set is not in the record, or is in it twice with different logits.</exception>
    public Tensor LogitsFor(TrainingSet set)
    {
        if (RowIds.SequenceEqual(set.RowIds))
            return Logits.alias().DetachFromDisposeScope();
        var rowOf = new Dictionary<RowId, int>(RowIds.Count);
        for (var i = 0; i < RowIds.Count; i++)
        {
            if (!rowOf.TryAdd(RowIds[i], i) && !SameLogits(rowOf[RowIds[i]], i))
                throw new InvalidOperationException($"The teacher answered row id {RowIds[i]} twice, differently. Row ids must be unique.");
        }

        var order = new long[set.Count];
        for (var i = 0; i < order.Length; i++)
        {
            if (!rowOf.TryGetValue(set.RowIds[i], out var row))
            {
                throw new InvalidOperationException(
                    $"The teacher gave no scores for row id {set.RowIds[i]} (training row {i}); its data view must hold the rows of the training data.");
            }

            order[i] = row;
        }

        using var positions = tensor(order);
        return Logits.index_select(0, positions).DetachFromDisposeScope();
    }

    /// <inheritdoc/>
    public void Dispose() => Logits.Dispose();

    private bool SameLogits(int a, int b)
    {
        using var scope = NewDisposeScope();
        return Logits[a].eq(Logits[b]).all().item<bool>();
    }
}
