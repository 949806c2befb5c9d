using System.Collections.Concurrent;
using System.Text.Json;
using MlNetDistill.Core;

namespace MlNetDistill.Teachers;

/// <summary>Loads a TorchScript file in a separate process before this one loads it, because libtorch crashes the process for many faulty files.</summary>
internal static class ScriptTester
{
    private const long BaseMemory = 2L << 30; // bytes
    private const int TimesUnpacked = 4;
    private const long BytesPerSecond = 4 << 20;
    private static readonly TimeSpan BaseTimeLimit = TimeSpan.FromMinutes(2);

    // A file that passed is not tested again by later fits.
    private static readonly ConcurrentDictionary<string, bool> Passed = new();

    /// <summary>Returns if the file can be used, or at least does not crash the process.</summary>
    /// <param name="trial">The file and how it is used.</param>
    /// <param name="title">The model at the beginning of a sentence.</param>
    /// <param name="hash">Hash of the file.</param>
    /// <param name="unpacked">Bytes of its content.</param>
    /// <param name="isDecisive">Whether a fault found in the trial, which runs on the CPU, is final; otherwise the model is loaded anyway, on its own device.</param>
    /// <param name="timeLimit">Time limit of the trial; null for a limit by the file's size.</param>
    /// <param name="cancellation">Ends the trial.</param>
    /// <exception cref="InvalidOperationException">It cannot be used or cannot be tested; the message says why and what to do.</exception>
    public static void EnsureLoadable(ScriptTrial trial, string title, string hash, long unpacked, bool isDecisive, TimeSpan? timeLimit, CancellationToken cancellation)
    {
        var key = Fingerprint.Compute(hash, JsonSerializer.Serialize(trial with { Path = "" }));
        if (Passed.ContainsKey(key))
            return;
        var limits = new TrialLimits(
            timeLimit ?? BaseTimeLimit + TimeSpan.FromSeconds(unpacked / BytesPerSecond), BaseMemory + (Math.Min(unpacked, long.MaxValue / (2 * TimesUnpacked)) * TimesUnpacked));
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
            throw new InvalidOperationException($"{title} must be tested in a separate process first, because a faulty file would crash this one, but no such process can " +
                $"be started: {e.Message}. If you trust the file, pass trusted: true to Teacher.FromTorchScript to load it without a test.", e);
        }
    }

    private static string DescribeFailure(TrialOutcome outcome, TrialLimits limits) => outcome.Status switch
    {
        TrialStatus.Crash => $"crashed the separate process in which it was tested. libtorch reported: {outcome.Text}. The file is damaged, was changed, or uses operators that " +
            "this libtorch does not have or that take other arguments here. Export it again, with a version of PyTorch that is not newer than this libtorch.",
        TrialStatus.Time => FormattableString.Invariant($"did not load and compute two rows within {limits.Time.TotalSeconds:0.#} s in a separate process. If it is ") +
            "only slow, give Teacher.FromTorchScript a longer trialLimit.",
        _ => FormattableString.Invariant($"needed more than {limits.Memory / 1e9:0.0} GB of memory in a separate process to load and to compute two rows: far more than a file of ") +
            "this size should need. If you trust the file, pass trusted: true to Teacher.FromTorchScript to load it without a test.",
    };
}
