using System.ComponentModel;
using System.Diagnostics;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace MlNetDistill.Teachers;

/// <summary>Runs a trial in a separate process, within limits of time and memory.</summary>
internal static partial class TrialProcess
{
    private const int PollMilliseconds = 50;
    private const int MaxOutput = 1 << 16; // characters
    private const int MaxMessage = 400; // characters

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
            var (output, errors) = (new OutputTail(process.StandardOutput, MaxOutput), new OutputTail(process.StandardError, MaxOutput));
            SendRequest(process, request);
            if (WaitForExit(process, limits, cancellation) is { } excess)
                return new TrialOutcome(excess, "");
            return ParseResult(output.Text, request.Token) switch
            {
                null => throw new TrialUnavailableException(
                    FormattableString.Invariant($"it ended with exit code {process.ExitCode} before it began: {errors.Text.Trim().TrimEnd('.')}")),
                { Unavailable: { } why } => throw new TrialUnavailableException(why),
                { HasBegun: false } result when process.ExitCode == 0 => new TrialOutcome(result.Fault is null ? TrialStatus.Success : TrialStatus.Fault, result.Fault ?? ""),
                _ => new TrialOutcome(TrialStatus.Crash, ExtractCrashMessage(errors.Text, process.ExitCode)),
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

    /// <summary>The message of the uncaught C++ exception, in one line, without source positions; the exit code if there is no message.</summary>
    private static string ExtractCrashMessage(string errors, int exitCode)
    {
        var message = ExceptionMessage().Match(errors) is { Success: true } found ? Space().Replace(found.Groups[1].Value, " ").Trim().TrimEnd(':', '.', ' ') : "";
        return message.Length == 0 ? FormattableString.Invariant($"nothing (exit code {exitCode})") : message.Length > MaxMessage ? $"{message[..MaxMessage]}…" : message;
    }

    // Of the C++ library: "terminate called after throwing an instance of '…'\n  what():  …".
    [GeneratedRegex(@"what\(\):(.*?)(?:\n\s*File ""|\n:|\n\n|\z)", RegexOptions.Singleline)]
    private static partial Regex ExceptionMessage();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Space();

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

/// <summary>The limits of a trial; memory in bytes.</summary>
internal sealed record TrialLimits(TimeSpan Time, long Memory);

/// <summary>How a trial ended; the text is the file's fault, or the last error output of the process.</summary>
internal sealed record TrialOutcome(TrialStatus Status, string Text);

/// <summary>Whether the file can be used, or what ended the trial: a fault that it reported, a crash, or the limit of time or memory.</summary>
internal enum TrialStatus
{
    Success,
    Fault,
    Crash,
    Time,
    Memory,
}
