namespace MlNetDistill.Hostile.Running;

/// <summary>What must come of a case.</summary>
internal enum Expected
{
    /// <summary>A clear error that names the words.</summary>
    Refusal,

    /// <summary>The right result, which the case checks itself.</summary>
    RightResult,

    /// <summary>A warning in the log, or a clear error, that names the words.</summary>
    Word,

    /// <summary>The right result, which the case checks itself, or a clear error that names the words.</summary>
    RefusalOrRight,

    /// <summary>The right result, which the case checks itself, or a warning or a clear error that names the words.</summary>
    WordOrRight,
}

/// <summary>One wrong use of the library.</summary>
/// <param name="Name">What is done, in words.</param>
/// <param name="Expected">What must come of it.</param>
/// <param name="Code">The use; a wrong result is told with <see cref="Check"/>.</param>
/// <param name="Words">What the message must name.</param>
internal sealed record Case(string Name, Expected Expected, Action Code, IReadOnlyList<string> Words)
{
    /// <summary>Seconds after which it counts as hanging.</summary>
    public int Seconds { get; init; } = 120;

    /// <summary>Whether the short run leaves it out.</summary>
    public bool IsLong { get; init; }

    /// <summary>Whether it trains nothing, so that the short run tries it too.</summary>
    public bool IsQuick { get; init; }

    /// <summary>It must throw, and the message must name the words.</summary>
    public static Case Refused(string name, Action code, params string[] words) => new(name, Expected.Refusal, code, words);

    /// <summary>It must work.</summary>
    public static Case Works(string name, Action code) => new(name, Expected.RightResult, code, []);

    /// <summary>A warning or an error must name the words.</summary>
    public static Case Told(string name, Action code, params string[] words) => new(name, Expected.Word, code, words);

    /// <summary>It must work or be refused with the words.</summary>
    public static Case WorksOrRefused(string name, Action code, params string[] words) => new(name, Expected.RefusalOrRight, code, words);

    /// <summary>It must work, or a warning or an error must name the words.</summary>
    public static Case WorksOrTold(string name, Action code, params string[] words) => new(name, Expected.WordOrRight, code, words);

    /// <summary>Tries it in this process.</summary>
    public Result Try()
    {
        Log.Clear();
        try
        {
            Code();
            return Ended();
        }
        catch (SkippedException skipped)
        {
            return new Result(Name, Verdict.Skipped, skipped.Message);
        }
        catch (WrongResultException wrong)
        {
            return Expected == Expected.WordOrRight && Warning is { } told
                ? new Result(Name, Verdict.Right, $"warned: {told}")
                : new Result(Name, Verdict.SilentlyWrong, Clarity.Line(wrong));
        }
        catch (Exception error)
        {
            if (Expected == Expected.RightResult)
                return new Result(Name, Verdict.Unclear, $"refused what must work: {Clarity.Line(error)}");
            var fault = Clarity.FaultOf(error, Words);
            return new Result(Name, fault is null ? Verdict.ClearError : Verdict.Unclear, (fault is null ? "" : fault + ": ") + Clarity.Line(error));
        }
    }

    private string? Warning =>
        Log.Warnings.FirstOrDefault(line => Words.All(word => line.Contains(word, StringComparison.OrdinalIgnoreCase)))?.ReplaceLineEndings(" ");

    private Result Ended()
    {
        if (Expected is Expected.RightResult or Expected.RefusalOrRight or Expected.WordOrRight)
            return new Result(Name, Verdict.Right, "");
        if (Expected == Expected.Word && Warning is { } told)
            return new Result(Name, Verdict.Right, $"warned: {told}");
        return new Result(Name, Verdict.SilentlyWrong, Expected == Expected.Word
            ? $"neither error nor warning names {string.Join(", ", Words)}; warnings: {string.Join(" | ", Log.Warnings).ReplaceLineEndings(" ")}"
            : "no error");
    }
}

/// <summary>A result that is not what it must be.</summary>
internal sealed class WrongResultException(string message) : Exception(message);

/// <summary>This machine, or this user, does not allow the case.</summary>
internal sealed class SkippedException(string message) : Exception(message);

/// <summary>How a case tells a wrong result.</summary>
internal static class Check
{
    public static void That(bool holds, string otherwise)
    {
        if (!holds)
            throw new WrongResultException(otherwise);
    }

    public static void Equal<T>(T found, T expected, string what) =>
        That(EqualityComparer<T>.Default.Equals(found, expected), FormattableString.Invariant($"{what}: {found} for {expected}"));

    public static void AtLeast(double found, double least, string what) => That(found >= least, FormattableString.Invariant($"{what}: {found:0.000}, and at least {least} is right"));
}
