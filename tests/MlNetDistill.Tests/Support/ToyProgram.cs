using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Reflection;

namespace MlNetDistill.Tests.Support;

/// <summary>A second process that gets signals: a program that is built with the tests, in a folder of its own.</summary>
internal sealed class ToyProgram : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);
    private readonly ConcurrentQueue<string> _lines = [];
    private readonly AutoResetEvent _written = new(initialState: false);
    private readonly ToyFolder _folder = new();
    private readonly Process _process;

    /// <param name="key">The metadata of the tests' assembly that has the path of the program.</param>
    /// <param name="arguments">Its command line.</param>
    public ToyProgram(string key, params IEnumerable<string> arguments)
    {
        var path = typeof(ToyProgram).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => a.Key == key).Value!;
        // Tests that run in the background ignore SIGINT, and their children would too.
        var host = Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet";
        var (program, prefix) = OperatingSystem.IsLinux() ? ("env", new[] { "--default-signal=INT,TERM", host }) : (host, []);
        _process = new Process
        {
            StartInfo = new ProcessStartInfo(program, [.. prefix, path, .. arguments])
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
                WorkingDirectory = _folder.Path,
                // Beside other tests, the threads of a small network's step would mostly wait for each other.
                Environment = { ["OMP_NUM_THREADS"] = "1" },
            },
        };
        _process.OutputDataReceived += (_, line) => Read(line.Data);
        _process.ErrorDataReceived += (_, line) => Read(line.Data);
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    /// <summary>All that it has written.</summary>
    public string Output => string.Join('\n', _lines);

    /// <summary>Files that it has written, in its folder.</summary>
    public string[] Files => _folder.Entries;

    /// <summary>The path of one of them.</summary>
    public string File(string name) => _folder.File(name);

    /// <summary>Waits until the program has written a line, or something else is the case.</summary>
    public void WaitFor(Func<bool> condition)
    {
        var clock = Stopwatch.StartNew();
        while (!condition())
        {
            Assert.That(clock.Elapsed < Patience && !_process.HasExited, Is.True, $"In vain. {Output}");
            _written.WaitOne(TimeSpan.FromMilliseconds(50));
        }
    }

    public void WaitForLine(string text) => WaitFor(() => _lines.Any(line => line.Contains(text, StringComparison.Ordinal)));

    /// <summary>Sends a signal, such as TERM.</summary>
    public void Signal(string name)
    {
        // The shell's own: a small system has no program of that name.
        using var kill = Process.Start("sh", ["-c", $"kill -{name} {_process.Id.ToString(CultureInfo.InvariantCulture)}"]);
        kill.WaitForExit();
    }

    /// <summary>The exit code, when the program has ended.</summary>
    public int WaitForExit()
    {
        Assert.That(_process.WaitForExit(Patience), Is.True, Output);
        // Until all that it wrote has been read.
        _process.WaitForExit();
        return _process.ExitCode;
    }

    public void Dispose()
    {
        if (!_process.HasExited)
            _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
        _written.Dispose();
        _folder.Dispose();
    }

    private void Read(string? line)
    {
        if (line is null)
            return;
        _lines.Enqueue(line);
        _written.Set();
    }
}
