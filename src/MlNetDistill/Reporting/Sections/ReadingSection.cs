using System.Xml.Linq;
using static MlNetDistill.Reporting.Html;

namespace MlNetDistill.Reporting;

/// <summary>What each figure means, and where it comes from.</summary>
internal static class ReadingSection
{
    private static readonly (string Name, string Meaning)[] Meanings =
    [
        (
            "Accuracy",
            "Share of the labelled rows whose most probable class is the label."),
        (
            "Agreement",
            "Share of the rows for which teacher and student find the same class most probable. A student can be accurate and disagree with its " +
            "teacher: it is then right and wrong elsewhere (Stanton et al. 2021, “Does Knowledge Distillation Really Work?”). Of a class: share of the " +
            "rows for which the teacher names it that the student gives it too."),
        (
            "Where the teacher is right, wrong",
            "Agreement over those rows alone. High agreement where the teacher is wrong means that its mistakes were learnt too."),
        (
            "KL divergence",
            "Mean over rows of Σ p · ln(p∕q) at temperature 1, in nats; 0 where the probabilities are the same. KL(teacher ‖ student) punishes a " +
            "student that rules out what its teacher thinks possible, the reverse one that thinks possible what its teacher rules out (Kullback and " +
            "Leibler 1951)."),
        (
            "Jensen-Shannon divergence",
            "Mean of the two divergences from the average of both, from 0 to ln 2 ≈ 0.693 nats (Lin 1991)."),
        (
            "Squared difference",
            "Mean over rows and classes of the squared difference of the two probabilities."),
        (
            "Rank correlation",
            "Mean over rows of Spearman's correlation of the classes' ranks by probability: 1 is the same order (Spearman 1904)."),
        (
            "Overlap of the top k",
            "Mean share of the teacher's k most probable classes that are among the student's k."),
        (
            "Log-loss",
            "Mean of −ln of the probability given to the label, in nats."),
        (
            "Brier score",
            "Mean over rows of the sum over classes of (p − y)², from 0 to 2 (Brier 1950)."),
        (
            "Calibration error",
            "Rows are put in bins of equal width by the probability of the class named; the error is the mean over rows of |accuracy − mean " +
            "probability| of their bins (expected calibration error, Guo et al. 2017). Chance can only raise it, so on few rows it leans upwards."),
        (
            "Confidence interval",
            "Where the figure would be on other rows of the same kind: percentiles of a Poisson bootstrap over rows (Chamandy et al. 2012). What " +
            "another seed or other training rows would have given is not in it. Two intervals that overlap do not show a difference; that there is none " +
            "they do not show either."),
        (
            "Lost and gained rows",
            "Rows of a class that the teacher labels rightly and the student does not, and the other way round."),
        (
            "Time of a row",
            "Microseconds, warm: through a PredictionEngine as one caller waits for one row, through Transform as a share of many rows. 95 % of the " +
            "measurements are within the second figure."),
    ];

    public static Section Create() => new(
        "reading",
        "How to read the figures",
        Tag("dl", Class("meanings"), Meanings.Select(Entry)));

    private static XElement Entry((string Name, string Meaning) entry) => Tag("div", Tag("dt", entry.Name), Tag("dd", entry.Meaning));
}
