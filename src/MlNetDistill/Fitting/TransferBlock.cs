namespace MlNetDistill.Fitting;

/// <summary>Transfer rows of one kind, which are read together.</summary>
/// <param name="Part">How they are made.</param>
/// <param name="Kind">Their number among <see cref="TransferRows.Parts"/>, which is part of their seed: so they are the same rows, whatever else is read.</param>
internal sealed record TransferBlock(TransferRows Part, int Kind)
{
    /// <summary>The blocks of transfer rows; none for null.</summary>
    public static IReadOnlyList<TransferBlock> Of(TransferRows? rows) => [.. (rows?.Parts ?? []).Select((part, kind) => new TransferBlock(part, kind))];
}

/// <summary>A block that was added to the rows of a fit.</summary>
/// <param name="Block">Which.</param>
/// <param name="Start">The position of its first row.</param>
/// <param name="Count">Number of its rows.</param>
internal sealed record AddedBlock(TransferBlock Block, long Start, long Count);
