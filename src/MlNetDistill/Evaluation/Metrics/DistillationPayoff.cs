using MlNetDistill.Core;

namespace MlNetDistill.Evaluation;

/// <summary>
/// Whether distilling paid: the distilled student minus the same student trained on labels alone, row by row on the held-out rows, with 95 % intervals of the
/// differences.
/// </summary>
/// <remarks>
/// Every row counts once, whatever its example weight. The intervals are those of <see cref="Estimate"/>, from 1000 replicates: they cover the choice of held-out rows,
/// not what another seed or other training rows would give. Both students choose their best epoch on these rows where there are any, which flatters both; a report on
/// test rows, which no choice has seen, does not have this fault.
/// </remarks>
public sealed record DistillationPayoff
{
    /// <summary>Number of held-out rows.</summary>
    public required long Rows { get; init; }

    /// <summary>Those of them that have a label; only these count for accuracy.</summary>
    public required long LabelledRows { get; init; }

    /// <summary>The distilled student's accuracy, in [0, 1]; null where no row has a label.</summary>
    public required double? DistilledAccuracy { get; init; }

    /// <summary>The accuracy of the student alone, in [0, 1]; null where no row has a label.</summary>
    public required double? AloneAccuracy { get; init; }

    /// <summary>The distilled student's accuracy minus that of the student alone; null where no row has a label.</summary>
    public required Estimate? Accuracy { get; init; }

    /// <summary>
    /// The same for agreement with the teacher, the share of rows with the same predicted class; null where the teacher cannot be asked for the held-out rows, as an
    /// ML.NET model for <see cref="DistillationOptions.ValidationData"/>.
    /// </summary>
    public required Estimate? Agreement { get; init; }

    /// <summary>The teacher's accuracy minus that of the student alone: what there is to gain. Null where no row has a label, or the teacher cannot be asked.</summary>
    public required Estimate? TeacherAccuracyOverAlone { get; init; }

    /// <summary>Whether both students chose their best epoch on these rows.</summary>
    public required bool ChoseEpochs { get; init; }

    /// <summary>Whether distilling paid by accuracy; null where no row has a label.</summary>
    public PayoffAnswer? ByAccuracy => PayoffText.AnswerTo(Accuracy);

    /// <summary>Whether distilling paid by agreement with the teacher; null where the teacher cannot be asked.</summary>
    public PayoffAnswer? ByAgreement => PayoffText.AnswerTo(Agreement);

    /// <summary>The answer in a sentence, and on which rows it was found.</summary>
    public override string ToString() => string.Join(Environment.NewLine, TextLines.Wrap(Sentence, TextLines.Width));

    /// <summary>The same in one line.</summary>
    internal string Sentence =>
        $"{PayoffText.Question} {PayoffText.Join(Part("accuracy", Accuracy, "no row has a label"), Part(PayoffText.Agreement, Agreement, "the teacher cannot be asked for these rows"))} " +
        $"Measured on {Figures.Count(Rows, "held-out row")}{(LabelledRows is > 0 && LabelledRows < Rows ? $", {Figures.Count(LabelledRows)} of them with a label" : "")}." +
        (ChoseEpochs ? " Both students also chose their best epoch on these rows; rows that no choice has seen judge better." : "");

    private static string Part(string figure, Estimate? difference, string unknown) =>
        difference is { } known ? PayoffText.Describe(figure, known) : $"by {figure}, unknown: {unknown}";
}
