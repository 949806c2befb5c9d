using System.ComponentModel;
using System.Diagnostics;
using System.Text;
using System.Text.Json;

namespace MlNetDistill.Teachers;

/// <summary>Runs a trial in a separate process, within limits of time and memory.</summary>
internal static class TrialProcess
{
    private const int PollMilliseconds = 50;
    private const int MostText = 1 << 16;

    /// <exception cref="TrialUnavailableException">The trial could not run.</exception>
    /// <exception cref="OperationCanceledException">The cancellation token was cancelled.</exception>
    public static TrialOutcome Run(ScriptTrial trial, TrialLimits limits, CancellationToken cancellation)
    {
        var start = TrialHost.CreateStartInfo();
        var (torchSharp, native) = TrialHost.FindLibraries();
        var request = new TrialRequest($"{Guid.NewGuid():N} ", torchSharp, native, trial);
        using var process = StartProcess(start);
        try
        {
            var (output, errors) = (new OutputTail(process.StandardOutput, MostText), new OutputTail(process.StandardError, MostText));
            SendRequest(process, request);
            if (WaitForExit(process, limits, cancellation) is { } excess)
                return new TrialOutcome(excess, "");
            return ParseResult(output.Text, request.Token) switch
            {
                null => throw new TrialUnavailableException(
                    FormattableString.Invariant($"it ended with exit code {process.ExitCode} before it began: {errors.Text.Trim().TrimEnd('.')}")),
                { Unavailable: { } why } => throw new TrialUnavailableException(why),
                { HasBegun: false } result when process.ExitCode == 0 => new TrialOutcome(result.Fault is null ? TrialStatus.Success : TrialStatus.Fault, result.Fault ?? ""),
                _ => new TrialOutcome(TrialStatus.Crash, CrashMessage.Extract(errors.Text, process.ExitCode)),
            };
        }
        finally
        {
            if (!process.HasExited)
                process.Kill(entireProcessTree: true);
        }
    }

    private static Process StartProcess(ProcessStartInfo start)
    {
        try
        {
            return Process.Start(start) ?? throw new TrialUnavailableException($"'{start.FileName}' was not started");
        }
        catch (Exception e) when (e is Win32Exception or IOException or PlatformNotSupportedException)
        {
            throw new TrialUnavailableException($"'{start.FileName}' cannot be started: {e.Message}", e);
        }
    }

    private static void SendRequest(Process process, TrialRequest request)
    {
        try
        {
            // Left open: closing it would end the trial.
            process.StandardInput.WriteLine(JsonSerializer.Serialize(request));
            process.StandardInput.Flush();
        }
        catch (IOException)
        {
            // It ended before it read the request; its exit code and error output say why.
        }
    }

    /// <summary>Waits for its end. Returns the limit that it exceeded; null if it ended by itself.</summary>
    private static TrialStatus? WaitForExit(Process process, TrialLimits limits, CancellationToken cancellation)
    {
        for (var watch = Stopwatch.StartNew(); !process.WaitForExit(PollMilliseconds);)
        {
            cancellation.ThrowIfCancellationRequested();
            if (watch.Elapsed > limits.Time)
                return TrialStatus.Time;
            if (GetMemory(process) > limits.Memory)
                return TrialStatus.Memory;
        }

        return null;
    }

    private static long GetMemory(Process process)
    {
        try
        {
            process.Refresh();
            return process.WorkingSet64;
        }
        catch (InvalidOperationException)
        {
            // It has just ended.
            return 0;
        }
    }

    private static TrialResult? ParseResult(string output, string token) =>
        output.LastIndexOf(token, StringComparison.Ordinal) is >= 0 and var at
            ? JsonSerializer.Deserialize<TrialResult>(output[(at + token.Length)..].Split('\n')[0])
            : null;

    /// <summary>The last part of a process's output, read while it runs so that it never blocks.</summary>
    private sealed class OutputTail
    {
        private readonly Task<string> _read;

        public OutputTail(StreamReader reader, int most) => _read = Task.Run(async () =>
        {
            var (text, buffer) = (new StringBuilder(), new char[4096]);
            for (int count; (count = await reader.ReadAsync(buffer)) > 0;)
            {
                text.Append(buffer, 0, count);
                if (text.Length > 2 * most)
                    text.Remove(0, text.Length - most);
            }

            return text.ToString();
        });

        public string Text => _read.GetAwaiter().GetResult();
    }
}

/// <summary>The limits of a trial.</summary>
/// <param name="Time">Time.</param>
/// <param name="Memory">Bytes of memory.</param>
internal sealed record TrialLimits(TimeSpan Time, long Memory);

/// <summary>How a trial ended.</summary>
/// <param name="Status">How it ended.</param>
/// <param name="Text">What is wrong with the file, or the last error output of the process.</param>
internal sealed record TrialOutcome(TrialStatus Status, string Text);

/// <summary>Ways in which a trial ends.</summary>
internal enum TrialStatus
{
    /// <summary>The file can be used.</summary>
    Success,

    /// <summary>The file cannot be used; the trial reported why.</summary>
    Fault,

    /// <summary>The file crashed the process.</summary>
    Crash,

    /// <summary>It took too long.</summary>
    Time,

    /// <summary>It took too much memory.</summary>
    Memory,
}
