namespace MlNetDistill.Evaluation;

/// <summary>Whether a student passes its <see cref="AcceptanceCriteria"/>, and why.</summary>
/// <param name="Checks">One for each criterion.</param>
public sealed record AcceptanceResult(IReadOnlyList<AcceptanceCheck> Checks)
{
    /// <summary>Whether every check passed.</summary>
    public bool Passed => Checks.All(check => check.Passed);

    /// <summary>Exit code for a process in a release pipeline: 0 if passed, 3 if not (programs usually return 1 for a failure and 2 for wrong arguments).</summary>
    public int ExitCode => Passed ? 0 : 3;

    /// <summary>A line for the result and one for each check.</summary>
    public override string ToString() => string.Join(
        Environment.NewLine, [Passed ? "Accepted." : "Not accepted.", .. Checks.Select(check => $"  {check}")]);
}

/// <summary>One criterion compared with the measured value.</summary>
/// <param name="Criterion">Name of the criterion, as in <see cref="AcceptanceCriteria"/>.</param>
/// <param name="Passed">Whether it is met.</param>
/// <param name="Limit">The required value, in the criterion's unit: a share, nats, microseconds or bytes.</param>
/// <param name="Found">The measured value, in the same unit.</param>
/// <param name="Reason">Both in a sentence.</param>
public sealed record AcceptanceCheck(string Criterion, bool Passed, double Limit, double Found, string Reason)
{
    /// <summary>Whether it is met, and why.</summary>
    public override string ToString() => $"{(Passed ? "pass" : "FAIL")}  {Reason}";
}
