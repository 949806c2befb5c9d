namespace MlNetDistill.Training;

/// <summary>The result of a student on the held-out rows.</summary>
/// <param name="Measure">
/// What <paramref name="Quality"/> measures: <c>accuracy</c>, the share of rows whose label the student predicts, or, if these rows have no labels, <c>agreement</c>, the
/// share of rows for which the student predicts the same class as its teacher.
/// </param>
/// <param name="Quality">The measure's value, in [0, 1]; more is better.</param>
/// <param name="Loss">Mean cross-entropy in nats: with the labels, or with the teacher's probabilities if there are no labels.</param>
public sealed record ValidationResult(string Measure, double Quality, double Loss)
{
    /// <summary>The measure and its value.</summary>
    public override string ToString() => FormattableString.Invariant($"{Measure} {Quality:0.0000}");
}
