using MlNetDistill.Core;

namespace MlNetDistill.Data;

/// <summary>
/// Where the features of the rows of a fit are kept: in memory or, beyond a limit, in a file. Rows in a file are read in blocks of about 1 MiB, and
/// <see cref="BatchSampling.Shuffled"/> shuffles the blocks, and then the rows of many blocks at a time (<see cref="RowBlocks"/>); so the student is not bit for bit
/// the same as one that is trained with rows in memory.
/// </summary>
/// <remarks>
/// Labels, weights, row ids and the order of an epoch, about 50 bytes a row at the most, stay in memory, and so do sparse features that take less memory sparse than dense.
/// The limit applies to each data view of a fit: training rows, validation data, transfer rows.
/// </remarks>
public sealed record RowStorageOptions
{
    /// <summary>The fault of options that have none.</summary>
    internal const string Missing = "RowStorage must be set; new RowStorageOptions() keeps rows in memory as long as they take at most half of what is free.";

    private const long BlockBytes = 1L << 20;
    private const int FewestBlocks = 16;
    private const int MostBlocks = 512;

    // Of the limit, what the blocks of a file may take that are in memory at a time.
    private const int ShareOfBlocks = 8;

    /// <summary>Bytes of features in memory, 0 or more; more rows go to a file. Null, the default, for half of the memory of the machine, or of its container, that the process does not use yet.</summary>
    public long? MemoryLimit { get; init; }

    /// <summary>
    /// The folder of the files, which is created if it does not exist. They stay there, named after the data, such as <c>training-data.rows</c>, and a later fit writes
    /// only the blocks that differ. Null for files in the system's temporary folder (which must not be in memory, as it is on some systems); they are deleted after the
    /// fit, even if the process is killed.
    /// </summary>
    public string? Folder { get; init; }

    /// <summary>Its settings, on one line if they fit.</summary>
    public override string ToString() => SettingText.Describe(this);

    /// <summary>What is wrong with these settings.</summary>
    internal IEnumerable<string> Validate(string name) =>
    [
        .. Faults.Unless(MemoryLimit is null or >= 0, $"{name}.{nameof(MemoryLimit)} must be a number of bytes, 0 or more, or null; was {MemoryLimit}."),
        .. Faults.NameOrNull($"{name}.{nameof(Folder)}", "a folder, or null for none", Folder),
    ];

    /// <summary>The blocks of a file of rows.</summary>
    /// <param name="rowBytes">Bytes of a row.</param>
    /// <param name="limit">Bytes of features in memory.</param>
    internal static RowBlocks BlocksFor(long rowBytes, long limit)
    {
        var rows = Math.Max(1, BlockBytes / rowBytes);
        return new RowBlocks(rows, (int)Math.Clamp(limit / ShareOfBlocks / (rows * rowBytes), FewestBlocks, MostBlocks));
    }
}
