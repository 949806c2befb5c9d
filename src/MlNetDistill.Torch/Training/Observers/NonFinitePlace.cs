using MlNetDistill.Core;
using MlNetDistill.Data;
using static TorchSharp.torch;

namespace MlNetDistill.Training;

/// <summary>The batch at which a number was NaN or infinite.</summary>
/// <param name="Batch">Its number in the epoch, from 1.</param>
/// <param name="Rows">The ids of its first rows.</param>
/// <param name="RowCount">Number of its rows.</param>
internal sealed record NonFinitePlace(int Batch, IReadOnlyList<RowId> Rows, long RowCount)
{
    /// <summary>The most rows that are named.</summary>
    public const int MostNamed = 10;

    public static NonFinitePlace Create(int batch, IRowSource set, Tensor positions)
    {
        using var scope = NewDisposeScope();
        var count = positions.shape[0];
        return Create(batch, set, positions.narrow(0, 0, Math.Min(count, MostNamed)).cpu().data<long>().ToArray(), count);
    }

    public static NonFinitePlace Create(int batch, IRowSource set, IEnumerable<long> firstPositions, long count) =>
        new(batch, [.. firstPositions.Select(position => set.RowIds[position])], count);

    /// <summary>The rows in words.</summary>
    public override string ToString()
    {
        var more = RowCount > Rows.Count ? $" and {RowCount - Rows.Count} more" : "";
        return $"{NumberText.Count(RowCount, "row")} with the ids {string.Join(", ", Rows)}{more}";
    }
}
