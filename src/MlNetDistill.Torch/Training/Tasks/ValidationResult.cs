namespace MlNetDistill.Training;

/// <summary>How good a student is on the held-out rows.</summary>
/// <param name="Measure">
/// What <paramref name="Quality"/> measures: <c>accuracy</c>, the share of the rows labelled rightly, or, where these rows have no labels, <c>agreement</c>, the share of
/// them for which the student names its teacher's class.
/// </param>
/// <param name="Quality">The measure's value, in [0, 1]; more is better.</param>
/// <param name="Loss">Mean cross-entropy in nats: with the labels, or with the teacher's probabilities where there are none.</param>
public sealed record ValidationResult(string Measure, double Quality, double Loss)
{
    /// <summary>The measure and its value.</summary>
    public override string ToString() => FormattableString.Invariant($"{Measure} {Quality:0.0000}");
}
