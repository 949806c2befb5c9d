using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Json;
using System.Reflection;

namespace MlNetDistill.Benchmarks;

/// <summary>A second process: examples/Service with a student, on free ports of this machine, with its own folder for temporary files.</summary>
internal sealed class ServiceProcess : IDisposable
{
    private const string Listening = "Now listening on: ";
    private readonly Process _process;

    private ServiceProcess(Process process, string temporary) => (_process, Temporary) = (process, temporary);

    /// <summary>Its folder for temporary files.</summary>
    public string Temporary { get; }

    /// <summary>Where it scores.</summary>
    public HttpClient Client { get; } = new(new SocketsHttpHandler { UseProxy = false });

    /// <summary>Where health and metrics are.</summary>
    public HttpClient Management { get; } = new(new SocketsHttpHandler { UseProxy = false });

    public static async Task<ServiceProcess> Start(string model, string temporary, int maxBatch)
    {
        var assembly = typeof(ServiceProcess).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => a.Key == "ServicePath").Value!;
        var start = new ProcessStartInfo(
            Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet",
            [
                assembly, "--model", model, "--urls", "http://127.0.0.1:0", "--managementUrls", "http://127.0.0.1:0", "--watchSeconds", "0", "--maxBatch",
                maxBatch.ToString(CultureInfo.InvariantCulture), "--maxConcurrent", "1000",
            ])
        {
            RedirectStandardOutput = true,
        };
        start.Environment["TMPDIR"] = Directory.CreateDirectory(temporary).FullName;
        var service = new ServiceProcess(Process.Start(start)!, temporary);
        var addresses = new List<Uri>();
        while (addresses.Count < 2)
        {
            var line = await service._process.StandardOutput.ReadLineAsync() ?? throw new InvalidOperationException("The service ended before it listened.");
            if (line.IndexOf(Listening, StringComparison.Ordinal) is >= 0 and var at)
                addresses.Add(new Uri(line[(at + Listening.Length)..]));
        }

        // Else the service would wait for somebody to read what it writes.
        _ = Task.Run(async () => await service._process.StandardOutput.ReadToEndAsync());
        using var probe = new HttpClient(new SocketsHttpHandler { UseProxy = false });
        var isFirst = (await probe.GetAsync(new Uri(addresses[0], "/health/live"))).IsSuccessStatusCode;
        (service.Management.BaseAddress, service.Client.BaseAddress) = isFirst ? (addresses[0], addresses[1]) : (addresses[1], addresses[0]);
        return service;
    }

    public ProcessState State() => ProcessState.Of(_process.Id.ToString(CultureInfo.InvariantCulture), Temporary);

    public async Task<bool> Reload()
    {
        using var response = await Management.PostAsync("/model/reload", null);
        return response.IsSuccessStatusCode;
    }

    /// <returns>The answer, or null if the request failed.</returns>
    public async Task<string?> Score(float[] features)
    {
        try
        {
            using var response = await Client.PostAsJsonAsync("/score", new { features });
            return response.IsSuccessStatusCode ? await response.Content.ReadAsStringAsync() : null;
        }
        catch (HttpRequestException)
        {
            return null;
        }
    }

    public void Dispose()
    {
        Client.Dispose();
        Management.Dispose();
        if (!_process.HasExited)
            _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
    }
}
