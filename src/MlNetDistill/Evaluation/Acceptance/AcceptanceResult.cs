namespace MlNetDistill.Evaluation;

/// <summary>Whether a student passes its <see cref="AcceptanceCriteria"/>, and why.</summary>
/// <param name="Checks">One for each criterion.</param>
public sealed record AcceptanceResult(IReadOnlyList<AcceptanceCheck> Checks)
{
    /// <summary>Whether every check passed.</summary>
    public bool Passed => Checks.All(check => check.Passed);

    /// <summary>For a process that stands in a release pipeline: 0 if passed, 3 if not (1 and 2 are what programs return that failed or were called
    /// wrongly).</summary>
    public int ExitCode => Passed ? 0 : 3;

    /// <summary>A line for the whole and one for each check.</summary>
    public override string ToString() => string.Join(
        Environment.NewLine, [Passed ? "Accepted." : "Not accepted.", .. Checks.Select(check => $"  {check}")]);
}

/// <summary>One criterion held against what was found.</summary>
/// <param name="Criterion">Name of the criterion, as in <see cref="AcceptanceCriteria"/>.</param>
/// <param name="Passed">Whether it is met.</param>
/// <param name="Limit">What was asked for, in the criterion's unit: a share, nats, microseconds or bytes.</param>
/// <param name="Found">What was held against it, in the same unit.</param>
/// <param name="Reason">Both in a sentence.</param>
public sealed record AcceptanceCheck(string Criterion, bool Passed, double Limit, double Found, string Reason)
{
    /// <summary>Whether it is met, and why.</summary>
    public override string ToString() => $"{(Passed ? "pass" : "FAIL")}  {Reason}";
}
