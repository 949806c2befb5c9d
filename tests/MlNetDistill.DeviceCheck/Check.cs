namespace MlNetDistill.DeviceCheck;

/// <summary>One thing that is looked at.</summary>
/// <param name="Name">Group and case, such as <c>loss: KD</c>.</param>
/// <param name="Run">Looks at it and says what it found; throws where it is not as it should be.</param>
/// <param name="Limit">Seconds after which it is taken to hang.</param>
internal sealed record Check(string Name, Func<string> Run, double Limit = 60);

/// <summary>Something is not as it should be.</summary>
internal sealed class Fault(string message) : Exception(message)
{
    public static void If(bool wrong, string message)
    {
        if (wrong)
            throw new Fault(message);
    }
}

/// <summary>What became of a check.</summary>
/// <param name="Name">The check.</param>
/// <param name="Ok">Whether all was as it should be.</param>
/// <param name="Found">Figures, or what was wrong.</param>
/// <param name="Seconds">How long it took.</param>
internal sealed record Outcome(string Name, bool Ok, string Found, double Seconds)
{
    public override string ToString() => FormattableString.Invariant($"{Name}: {(Ok ? "ok" : "FAULT")} ({Seconds:0.0} s) {Found}");
}
