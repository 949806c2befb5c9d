using System.Collections.Concurrent;
using System.Text.Json;
using MlNetDistill.Core;

namespace MlNetDistill.Teachers;

/// <summary>Tries a TorchScript file in a process of its own before this one loads it: libtorch ends the process for many a faulty file.</summary>
internal static class ScriptTester
{
    private const long BaseMemory = 2L << 30; // bytes
    private const int TimesUnpacked = 4;
    private const long BytesInASecond = 4 << 20;
    private static readonly TimeSpan BaseTimeLimit = TimeSpan.FromMinutes(2);

    // What was tried once need not be tried by every fit.
    private static readonly ConcurrentDictionary<string, bool> Passed = new();

    /// <summary>Returns if the file can be used, or at least ends no process.</summary>
    /// <param name="trial">What to try.</param>
    /// <param name="title">The model at the beginning of a sentence.</param>
    /// <param name="hash">Hash of the file.</param>
    /// <param name="unpacked">Bytes of its content.</param>
    /// <param name="isDecisive">Whether a fault counts that the trial, on the CPU, comes upon; else it is found again where the model will run.</param>
    /// <param name="timeLimit">How long it may take; null for a time by its size.</param>
    /// <param name="cancellation">Ends the trial.</param>
    /// <exception cref="InvalidOperationException">It cannot be used, or cannot be tried; the message says why and what to do.</exception>
    public static void EnsureLoadable(ScriptTrial trial, string title, string hash, long unpacked, bool isDecisive, TimeSpan? timeLimit, CancellationToken cancellation)
    {
        var key = Fingerprint.Compute(hash, JsonSerializer.Serialize(trial with { Path = "" }));
        if (Passed.ContainsKey(key))
            return;
        var limits = new TrialLimits(
            timeLimit ?? BaseTimeLimit + TimeSpan.FromSeconds(unpacked / BytesInASecond), BaseMemory + (Math.Min(unpacked, long.MaxValue / (2 * TimesUnpacked)) * TimesUnpacked));
        var outcome = RunTrial(trial, title, limits, cancellation);
        if (outcome.Status == TrialStatus.Success)
            Passed[key] = true;
        else if (outcome.Status != TrialStatus.Fault)
            throw new InvalidOperationException($"{title} {DescribeFailure(outcome, limits)}");
        else if (isDecisive)
            throw new InvalidOperationException(outcome.Text);
    }

    private static TrialOutcome RunTrial(ScriptTrial trial, string title, TrialLimits limits, CancellationToken cancellation)
    {
        try
        {
            return TrialProcess.Run(trial, limits, cancellation);
        }
        catch (TrialUnavailableException e)
        {
            throw new InvalidOperationException($"{title} is to be tried in a process of its own first, because a faulty file would end this one, and no such process can " +
                $"be had: {e.Message}. If you know the file to be sound, pass trusted: true to Teacher.FromTorchScript, and it is loaded untried.", e);
        }
    }

    private static string DescribeFailure(TrialOutcome outcome, TrialLimits limits) => outcome.Status switch
    {
        TrialStatus.Crash => $"would have ended this process: it ended the one in which it was tried. libtorch said: {outcome.Text}. The file is damaged, was changed, or uses " +
            "operators that this libtorch does not have, or has with other arguments. Export it again, with a version of PyTorch that is not newer.",
        TrialStatus.Time => FormattableString.Invariant($"did not load and answer two rows within {limits.Time.TotalSeconds:0.#} s, in a process of its own; it may never do. If it is ") +
            "only slow, give Teacher.FromTorchScript a longer trialLimit.",
        _ => FormattableString.Invariant($"took more than {limits.Memory / 1e9:0.0} GB of memory to load and to answer two rows, in a process of its own: far more than its ") +
            "size accounts for. If you know the file to be sound, pass trusted: true to Teacher.FromTorchScript, and it is loaded untried.",
    };
}
