namespace MlNetDistill.Fitting;

/// <summary>What the candidates of a search are.</summary>
internal interface ITrialSpace
{
    /// <summary>The values of the transfer rows that candidates may have; null for none.</summary>
    IReadOnlyList<TransferRows?> GetTransferRows(DistillationOptions basis);

    /// <summary>More values, which are left out if their rows cannot be made.</summary>
    /// <param name="basis">The options that all candidates have in common.</param>
    /// <param name="classes">Number of classes.</param>
    IReadOnlyList<TransferRows> GetOptionalTransferRows(DistillationOptions basis, int classes);

    /// <summary>Creates the candidates, all with the same teacher and columns.</summary>
    /// <param name="basis">The options that all have in common, with the number of epochs of a full training.</param>
    /// <param name="classes">Number of classes.</param>
    /// <param name="transferRows">The values of the transfer rows.</param>
    IReadOnlyList<DistillationOptions> Draw(DistillationOptions basis, int classes, IReadOnlyList<TransferRows?> transferRows);
}
