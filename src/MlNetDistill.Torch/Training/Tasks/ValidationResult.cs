namespace MlNetDistill.Training;

/// <summary>The result of a student on the held-out rows.</summary>
/// <param name="Measure">
/// What <paramref name="Quality"/> measures: <c>accuracy</c>, the share of rows whose label the student predicts, or, if these rows have no labels, <c>agreement</c>, the
/// share of rows for which the student predicts the same class as its teacher. Of an embedding: <c>cosine</c>, its mean cosine with the teacher's, or
/// <c>similarity</c>, the correlation of the cosines of pairs of rows with the teacher's.
/// </param>
/// <param name="Quality">The measure's value, in [0, 1], of an embedding in [-1, 1]; more is better.</param>
/// <param name="Loss">
/// Mean cross-entropy in nats: with the labels, or with the teacher's probabilities if there are no labels. Of an embedding 1 minus the quality.
/// </param>
public sealed record ValidationResult(string Measure, double Quality, double Loss)
{
    /// <summary>The measure and its value.</summary>
    public override string ToString() => FormattableString.Invariant($"{Measure} {Quality:0.0000}");
}
