using System.Diagnostics;
using System.Globalization;
using System.Reflection;

namespace MlNetDistill.Tests.Cache;

/// <summary>A second process that opens a cache, and builds it if it does not exist: the project MlNetDistill.CacheBuilder.</summary>
internal sealed class CacheBuilderProcess : IDisposable
{
    private static readonly string AssemblyPath = typeof(CacheBuilderProcess).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
        .Single(a => a.Key == "CacheBuilderPath").Value!;
    private readonly Process _process;
    private readonly List<string> _lines = [];

    public CacheBuilderProcess(string folder, int rows, int pause)
    {
        string[] arguments = [AssemblyPath, folder, rows.ToString(CultureInfo.InvariantCulture), pause.ToString(CultureInfo.InvariantCulture)];
        _process = new Process
        {
            StartInfo = new ProcessStartInfo(Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet", arguments)
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            },
        };
        _process.OutputDataReceived += Take;
        _process.ErrorDataReceived += Take;
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    public string[] Lines
    {
        get
        {
            lock (_lines)
                return [.. _lines];
        }
    }

    public void WaitForLine(string start)
    {
        var clock = Stopwatch.StartNew();
        while (!Array.Exists(Lines, line => line.StartsWith(start, StringComparison.Ordinal)))
        {
            if (clock.Elapsed.TotalSeconds > 60)
                Assert.Fail($"The builder did not print '{start}'; it printed: {string.Join('\n', Lines)}");
            Thread.Sleep(1);
        }
    }

    /// <summary>Ends the process as SIGKILL does: nothing of it runs any more.</summary>
    public void Kill()
    {
        _process.Kill();
        _process.WaitForExit();
    }

    public void WaitForSuccess()
    {
        Assert.That(_process.WaitForExit(60_000), Is.True, "the builder did not end");
        _process.WaitForExit();
        Assert.That(_process.ExitCode, Is.Zero, string.Join('\n', Lines));
    }

    public void Dispose()
    {
        if (!_process.HasExited)
            Kill();
        _process.Dispose();
    }

    private void Take(object sender, DataReceivedEventArgs e)
    {
        if (e.Data is null)
            return;
        lock (_lines)
            _lines.Add(e.Data);
    }
}
