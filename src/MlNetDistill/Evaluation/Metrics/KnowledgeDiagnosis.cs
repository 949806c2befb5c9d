using MlNetDistill.Alignment;
using MlNetDistill.Core;

namespace MlNetDistill.Evaluation;

/// <summary>
/// How a teacher rescales the gradient of each labelled row, at a student (Tang et al. 2020): ω is the ratio of KD's gradient to that of the label alone, at the
/// student's logit of the label; see <see cref="Losses.GradientRescaling"/>. It answers whether the teacher changes how much rows count (ω differs between rows), and which
/// rows. Quantiles and rank correlations of more than 262,144 rows are those of a random sample of as many, which changes a rank correlation by about 0.002. What the classes other than the label are worth is not in ω: compare students of <see cref="Losses.TeacherTargets"/> for that.
/// </summary>
public sealed record KnowledgeDiagnosis
{
    /// <summary>The most rows of which quantiles and rank correlations are computed; of more rows, a sample.</summary>
    internal const int SampledRows = 1 << 18;

    /// <summary>Number of rows with a label and an ω.</summary>
    public required long Rows { get; init; }

    /// <summary>Number of rows without a label, which have no ω.</summary>
    public required long UnlabelledRows { get; init; }

    /// <summary>Number of labelled rows without an ω: the student's probabilities of all other classes sum to less than 1e-6, so the label has no gradient to rescale.</summary>
    public required long CertainRows { get; init; }

    /// <summary>The temperature of KD.</summary>
    public required double Temperature { get; init; }

    /// <summary>The teacher's share α of the loss.</summary>
    public required double Alpha { get; init; }

    /// <summary>Mean of ω. 1 is the gradient of the label alone.</summary>
    public required double Mean { get; init; }

    /// <summary>The 5, 25, 50, 75 and 95 % quantiles of ω, in this order.</summary>
    public required IReadOnlyList<RescalingQuantile> Quantiles { get; init; }

    /// <summary>Share of the rows with ω below 0, in which the teacher pushes the probability of the label down.</summary>
    public required double NegativeShare { get; init; }

    /// <summary>
    /// Rank correlation (Spearman) of ω with the teacher's highest probability at temperature 1; null if one of them is the same for all rows.
    /// </summary>
    public required double? ConfidenceCorrelation { get; init; }

    /// <summary>Rank correlation (Spearman) of ω with the teacher's probability of the label at temperature 1; null if one of them is the same for all rows.</summary>
    public required double? LabelProbabilityCorrelation { get; init; }

    /// <summary>A table.</summary>
    public override string ToString() => TextTable.Format(
    [
        ["Rescaling of gradients", FormattableString.Invariant($"T = {Temperature}, α = {Alpha}")],
        ["Rows", Figures.Count(Rows)],
        .. Count("  without a label", UnlabelledRows),
        .. Count("  student is certain", CertainRows),
        ["Mean", Figures.Number(Mean)],
        .. Quantiles.Select(quantile => new[] { FormattableString.Invariant($"  {100 * quantile.Share:0} % are below"), Figures.Number(quantile.Value) }),
        ["Share below 0", Figures.Percent(NegativeShare)],
        ["Rank correlation with"],
        ["  the teacher's confidence", Number(ConfidenceCorrelation)],
        ["  its probability of the label", Number(LabelProbabilityCorrelation)],
    ]);

    /// <summary>The classes of the student's scores; null where they are unknown, as in a diagnosis that was read from JSON.</summary>
    internal IReadOnlyList<string>? Classes { get; init; }

    /// <summary>What cannot be a diagnosis, each as one sentence.</summary>
    internal IEnumerable<string> Validate() =>
    [
        .. Faults.AtLeast(1, "Knowledge.Rows", Rows),
        .. Faults.AtLeast(0, "Knowledge.UnlabelledRows", UnlabelledRows),
        .. Faults.AtLeast(0, "Knowledge.CertainRows", CertainRows),
        .. Faults.Above0("Knowledge.Temperature", Temperature),
        .. Faults.Share("Knowledge.Alpha", Alpha),
        .. Faults.Unless(double.IsFinite(Mean), $"Knowledge.Mean must be a finite number; was {Mean}."),
        .. Faults.Share("Knowledge.NegativeShare", NegativeShare),
        .. Correlation("Knowledge.ConfidenceCorrelation", ConfidenceCorrelation),
        .. Correlation("Knowledge.LabelProbabilityCorrelation", LabelProbabilityCorrelation),
        .. Faults.Unless(
            Quantiles is [{ }, { }, { }, { }, { }] && Quantiles.Zip(Quantiles.Skip(1)).All(pair => pair.First.Share < pair.Second.Share && pair.First.Value <= pair.Second.Value)
                && Quantiles.All(quantile => quantile.Share is > 0 and < 1 && double.IsFinite(quantile.Value)),
            $"Knowledge.Quantiles must be five, as DiagnoseKnowledge gives them, with shares in (0, 1) and finite values that rise; were [{string.Join(", ", Quantiles ?? [])}]."),
    ];

    /// <exception cref="InvalidOperationException">It is of other classes than a report's.</exception>
    internal void CheckClasses(IReadOnlyList<string> classes)
    {
        // Their order does not matter to ω.
        if (Classes is { } diagnosed && !diagnosed.ToHashSet().SetEquals(classes))
        {
            throw new InvalidOperationException(
                $"Knowledge of the ReportInput is a diagnosis of models with the classes {ClassAlignment.Listed(diagnosed)}, and the report is of models with the classes {ClassAlignment.Listed(classes)}. " +
                "Give DiagnoseKnowledge the teacher and the student of the report, or leave Knowledge null.");
        }
    }

    /// <summary>Number of all rows, with and without an ω.</summary>
    internal long AllRows => Rows + UnlabelledRows + CertainRows;

    private static IEnumerable<string> Correlation(string name, double? value) => Faults.Unless(value is null or (>= -1 and <= 1), $"{name} must be in [-1, 1], or null; was {value}.");

    private static string?[][] Count(string name, long rows) => rows == 0 ? [] : [[name, Figures.Count(rows)]];

    private static string? Number(double? value) => value is { } number ? Figures.Number(number) : null;
}

/// <summary>A quantile of the rescaling of gradients.</summary>
/// <param name="Share">The share of the rows below it, in (0, 1).</param>
/// <param name="Value">ω, interpolated between two rows.</param>
public sealed record RescalingQuantile(double Share, double Value)
{
    /// <summary>The share of the rows, and the ω that they are below.</summary>
    public override string ToString() => FormattableString.Invariant($"{100 * Share:0.##} % of the rows are below {Value:0.0000}");
}
