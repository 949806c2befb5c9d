using static MlNetDistill.Reporting.Html;

namespace MlNetDistill.Reporting;

/// <summary>The meaning of each figure and its source.</summary>
internal static class ReadingSection
{
    private static readonly (string Name, string Meaning)[] Meanings =
    [
        (
            "Accuracy",
            "Share of the labelled rows for which the most probable class is the label."),
        (
            "Agreement",
            "Share of the rows for which teacher and student predict the same class. A student can be as accurate as its teacher and still disagree with " +
            "it: then the two are correct on different rows (Stanton et al. 2021, “Does Knowledge Distillation Really Work?”). The agreement of a class is " +
            "measured on the rows for which the teacher predicts that class."),
        (
            "Agreement where the teacher is correct, wrong",
            "Agreement over those rows only. High agreement where the teacher is wrong means that the student learned the teacher's mistakes too."),
        (
            "KL divergence",
            "Mean over rows of Σ p · ln(p∕q) at temperature 1, in nats; 0 means equal probabilities. KL(teacher ‖ student) is large where the student rules " +
            "out a class that the teacher thinks possible, and KL(student ‖ teacher) where the student thinks a class possible that the teacher rules out " +
            "(Kullback and Leibler 1951)."),
        (
            "Jensen-Shannon divergence",
            "Mean of the KL divergences of teacher and student from the average of both, between 0 and ln 2 ≈ 0.693 nats (Lin 1991)."),
        (
            "Squared difference",
            "Mean over rows and classes of the squared difference between the two probabilities."),
        (
            "Rank correlation",
            "Mean over rows of Spearman's correlation between the two rankings of the classes by probability; 1 means the same order (Spearman 1904)."),
        (
            "Overlap of the top k",
            "Mean share of the teacher's k most probable classes that are also among the student's k most probable."),
        (
            "Log-loss",
            "Mean of −ln of the probability of the label, in nats."),
        (
            "Brier score",
            "Mean over rows of the sum over classes of (p − y)², between 0 and 2 (Brier 1950)."),
        (
            "Calibration error",
            "Expected calibration error (Guo et al. 2017): rows are grouped into bins of equal width by the probability of the predicted class, and the " +
            "error is the mean over rows of |accuracy − mean probability| of their bins. Chance can only raise it, so on few rows it is too high."),
        (
            "Confidence interval",
            "The range in which the figure would be expected on other rows of the same kind, by a Poisson bootstrap over rows (Chamandy et al. 2012). It does " +
            "not cover what another seed or other training rows would give. If two intervals overlap, a difference is neither shown nor excluded."),
        (
            "Lost and gained rows",
            "Lost: rows of a class for which the teacher is correct and the student is not. Gained: the other way round."),
        (
            "Rescaling of gradients, ω",
            "Ratio of the gradient of KD's loss to that of the label alone, at the student's logit of the label (after Tang et al. 2020, “Understanding and Improving " +
            "Knowledge Distillation”). If ω is nearly the same for all rows, the teacher does not rank them by difficulty. What it says about the classes other than the label is not in ω."),
        (
            "Time",
            "Microseconds per row after warm-up. One row: through a PredictionEngine, as for a single request. Batch: through Transform of many rows, divided " +
            "by their number. 95 % of the measurements are at most the 95th percentile."),
    ];

    public static Section Create() => new(
        "reading",
        "How to read the figures",
        Tag("dl", Class("meanings"), Meanings.Select(entry => Tag("div", Tag("dt", entry.Name), Tag("dd", entry.Meaning)))));
}
