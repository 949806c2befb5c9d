using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Json;
using System.Reflection;
using System.Text.RegularExpressions;
using Microsoft.ML;

namespace MlNetDistill.Tests.Support;

/// <summary>A second process: examples/Service with a student, on free ports of this machine.</summary>
internal sealed partial class ToyService : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private readonly ToyFolder _folder = new();
    private readonly ConcurrentQueue<string> _lines = [];
    private readonly List<Uri> _addresses = [];
    private readonly TaskCompletionSource _listens = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Process _process;

    private ToyService(Action<string> save, string urls = "http://127.0.0.1:0", params IEnumerable<string> arguments)
    {
        var zip = _folder.File("student.zip");
        save(zip);
        var start = new ProcessStartInfo(
            Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet",
            [AssemblyPath, "--model", zip, "--urls", urls, "--managementUrls", "http://127.0.0.1:0", .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = _folder.Path,
        };
        _process = new Process { StartInfo = start };
        _process.OutputDataReceived += (_, line) => Read(line.Data);
        _process.ErrorDataReceived += (_, line) => Read(line.Data);
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    public static string AssemblyPath { get; } = typeof(ToyService).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
        .Single(a => a.Key == "ServicePath").Value!;

    /// <summary>One for all clients: as many connections as there are requests at a time.</summary>
    public HttpClient Client { get; } = new(new SocketsHttpHandler { UseProxy = false });

    /// <summary>Where health and metrics are.</summary>
    public HttpClient Management { get; } = new(new SocketsHttpHandler { UseProxy = false });

    /// <summary>The file that the student was loaded from, for tests that replace it.</summary>
    public string ModelPath => _folder.File("student.zip");

    /// <summary>All that the process has written.</summary>
    public string Output => string.Join(Environment.NewLine, _lines);

    /// <summary>Starts the service, and waits until it listens.</summary>
    public static async Task<ToyService> Start(MLContext mlContext, ITransformer model, DataViewSchema inputSchema, params IEnumerable<string> arguments)
    {
        var service = new ToyService(zip => mlContext.Model.SaveAtomically(model, inputSchema, zip), arguments: arguments);
        await service.Listening();
        // Which is which shows in who tells of itself.
        using var probe = new HttpClient(new SocketsHttpHandler { UseProxy = false });
        var isFirst = (await probe.GetAsync(new Uri(service._addresses[0], "/health/live"))).IsSuccessStatusCode;
        service.Management.BaseAddress = service._addresses[isFirst ? 0 : 1];
        service.Client.BaseAddress = service._addresses[isFirst ? 1 : 0];
        return service;
    }

    /// <summary>Starts the service with a file that it cannot serve, or at an address that it cannot have, and gives its exit code and what it says.</summary>
    public static (int Code, string Output) Fail(Action<string> save, string urls = "http://127.0.0.1:0", params IEnumerable<string> arguments)
    {
        using var service = new ToyService(save, urls, arguments);
        return (service.WaitForExit(), service.Output);
    }

    public Task<HttpResponseMessage> Score<T>(IEnumerable<T> features) => Client.PostAsJsonAsync("/score", new { features });

    /// <summary>Tells the service to load its file again.</summary>
    public Task<HttpResponseMessage> Reload() => Management.PostAsync("/model/reload", null);

    /// <summary>The values of a metric, by its labels as they are written.</summary>
    public async Task<IReadOnlyDictionary<string, double>> Metric(string name) => (await Management.GetStringAsync("/metrics")).Split('\n')
        .Select(line => MetricLine().Match(line)).Where(line => line.Groups["name"].Value == name)
        .ToDictionary(line => line.Groups["labels"].Value, line => double.Parse(line.Groups["value"].Value, CultureInfo.InvariantCulture));

    /// <summary>Asks the process to end, and gives its exit code.</summary>
    public int Terminate()
    {
        // The shell's own: a small system has no program of that name.
        using var kill = Process.Start("sh", ["-c", $"kill -TERM {_process.Id.ToString(CultureInfo.InvariantCulture)}"]);
        kill.WaitForExit();
        return WaitForExit();
    }

    public void Dispose()
    {
        Client.Dispose();
        Management.Dispose();
        if (!_process.HasExited)
            _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
        _folder.Dispose();
    }

    private int WaitForExit()
    {
        Assert.That(_process.WaitForExit(Patience), Is.True, Output);
        // Until all that it wrote has been read.
        _process.WaitForExit();
        return _process.ExitCode;
    }

    private async Task Listening()
    {
        var ended = _process.WaitForExitAsync();
        if (await Task.WhenAny(_listens.Task, ended, Task.Delay(Patience)) == _listens.Task)
            return;
        var output = Output;
        Dispose();
        throw new InvalidOperationException($"The service does not listen. {output}");
    }

    private void Read(string? line)
    {
        if (line is null)
            return;
        _lines.Enqueue(line);
        if (ListeningLine().Match(line) is not { Success: true } match)
            return;
        _addresses.Add(new Uri(match.Groups[1].Value));
        if (_addresses.Count == 2)
            _listens.TrySetResult();
    }

    [GeneratedRegex(@"Now listening on: (\S+)")]
    private static partial Regex ListeningLine();

    [GeneratedRegex(@"^(?<name>\w+)(\{(?<labels>.*)\})? (?<value>\S+)$")]
    private static partial Regex MetricLine();
}
