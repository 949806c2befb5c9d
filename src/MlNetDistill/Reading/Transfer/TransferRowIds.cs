using MlNetDistill.Core;

namespace MlNetDistill.Reading;

/// <summary>The ids of transfer rows: those of a block count up from 0, with a high half of the block, which no loader gives.</summary>
internal static class TransferRowIds
{
    private const ulong FirstTag = 0x7472616e73666572;
    private const ulong MostBlocks = 1 << 16;

    /// <summary>The high half of the ids of a block.</summary>
    /// <param name="block">Its number among those of the fit, from 0.</param>
    public static ulong TagOf(int block) => FirstTag + (ulong)block;

    /// <summary>A row in a message: its id, or, of a transfer row, its number.</summary>
    public static string Describe(RowId id) => id.High - FirstTag is var block && block >= MostBlocks ? $"row with id {id}"
        : $"transfer row {id.Low} (counted from 0){(block == 0 ? "" : $" of part {block + 1}")}";
}
