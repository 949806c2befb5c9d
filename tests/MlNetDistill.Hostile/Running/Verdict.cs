namespace MlNetDistill.Hostile.Running;

/// <summary>What came of a wrong use or a damaged file.</summary>
internal enum Verdict
{
    /// <summary>An exception of a documented type whose message names what is wrong.</summary>
    ClearError,

    /// <summary>The right result, or a warning that names what is wrong; of a damaged file: its scores are bit-equal.</summary>
    Right,

    /// <summary>The damaged file is as valid as the intact one, in a format that nothing guards, and says something else.</summary>
    ValidOtherValues,

    /// <summary>An exception from which nobody learns what is wrong, or the refusal of what must work.</summary>
    Unclear,

    /// <summary>A wrong result without a word.</summary>
    SilentlyWrong,

    /// <summary>It could not be tried on this machine.</summary>
    Skipped,

    /// <summary>The process ended, or took more memory than it may.</summary>
    Crash,

    /// <summary>No end within the time limit.</summary>
    Hang,
}

/// <summary>A verdict about one job, with the reason for it.</summary>
internal sealed record Result(string Job, Verdict Verdict, string Detail)
{
    public bool IsFault => Verdict is Verdict.Unclear or Verdict.SilentlyWrong or Verdict.Crash or Verdict.Hang;
}
