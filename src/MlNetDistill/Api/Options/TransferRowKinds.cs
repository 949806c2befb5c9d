using Microsoft.ML;
using MlNetDistill.Core;

namespace MlNetDistill;

/// <summary>Rows of the user's own.</summary>
internal sealed record OwnTransferRows(IDataView Unlabelled) : TransferRows
{
    internal override IEnumerable<string> Validate() => WeightFaults();

    internal override string Short => "own rows";

    private protected override string Describe() => Weight == 1 ? "rows of your own" : FormattableString.Invariant($"rows of your own (Weight {Weight})");
}

/// <summary>Rows of several kinds.</summary>
internal sealed record JoinedTransferRows(IReadOnlyList<TransferRows> Rows) : TransferRows
{
    internal override IReadOnlyList<TransferRows> Parts => Rows;

    internal override IEnumerable<string> Validate() =>
    [
        .. Faults.Unless(Weight == 1, $"TransferRows.Weight of rows of several kinds must be left 1: set that of each kind before And. It was {Weight}."),
        .. Rows.SelectMany(rows => rows.Validate()),
    ];

    internal override string Short => string.Join(" + ", Rows.Select(rows => rows.Short));

    private protected override string Describe() => string.Join(", and ", Rows);
}

/// <summary>Rows made up from training rows.</summary>
internal abstract record MadeUpRows(double Copies) : TransferRows
{
    internal override IEnumerable<string> Validate() =>
    [
        .. WeightFaults(),
        .. Faults.Above0("The copies of TransferRows", Copies),
        .. Faults.AtLeast(1, $"{nameof(TransferRows)}.{nameof(MaximumRows)}", MaximumRows),
        .. Faults.Unless(FixedColumns is not null && CategoricalColumns is not null, $"FixedColumns and CategoricalColumns of TransferRows must be lists of names, or empty; one was null."),
        .. RuleFaults(),
    ];

    internal override string Short => FormattableString.Invariant($"{GetType().Name.Replace("Rows", "", StringComparison.Ordinal)} ×{Copies}");

    private protected abstract IEnumerable<string> RuleFaults();

    private protected static IEnumerable<string> ProbabilityFaults(string what, double probability) =>
        Faults.Unless(probability is > 0 and <= 1, $"The {what} of TransferRows must be in (0, 1]; was {probability}.");
}

internal sealed record MungeRows(double Copies, double Probability, double Spread) : MadeUpRows(Copies)
{
    private protected override IEnumerable<string> RuleFaults() => [.. ProbabilityFaults("probability", Probability), .. Faults.Above0("The spread of TransferRows", Spread)];
}

internal sealed record SpungeRows(double Copies, double Share, double NoiseProbability, double Noise) : MadeUpRows(Copies)
{
    private protected override IEnumerable<string> RuleFaults() =>
    [
        .. Faults.Share("The share of TransferRows", Share),
        .. Faults.Share("The noiseProbability of TransferRows", NoiseProbability),
        .. Faults.AtLeast0("The noise of TransferRows", Noise),
    ];
}

internal sealed record MarginalSwapRows(double Copies, double Probability) : MadeUpRows(Copies)
{
    private protected override IEnumerable<string> RuleFaults() => ProbabilityFaults("probability", Probability);
}

internal sealed record InterpolatedRows(double Copies, int Neighbours) : MadeUpRows(Copies)
{
    private protected override IEnumerable<string> RuleFaults() => Faults.AtLeast(1, "The neighbours of TransferRows", Neighbours);
}
