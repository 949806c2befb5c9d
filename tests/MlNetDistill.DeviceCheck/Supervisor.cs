using System.Diagnostics;
using System.Text.Json;

namespace MlNetDistill.DeviceCheck;

/// <summary>Starts the worker, starts it again behind a check that ended it or hung, and sums up.</summary>
internal sealed class Supervisor(Settings settings)
{
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private readonly List<Outcome> _outcomes = [];
    private int _read;
    private int _begun;
    private int _endedAtOnce;
    private TimeSpan _begunAt;

    public int Run()
    {
        Directory.CreateDirectory(settings.Folder);
        File.Delete(settings.Journal);
        var checks = settings.Checks();
        for (var next = 0; next < checks.Count && InBudget && _endedAtOnce < 5;)
        {
            var known = _outcomes.Count;
            next = RunFrom(next, checks);
            _endedAtOnce = _outcomes.Count == known + 1 && !_outcomes[^1].Ok ? _endedAtOnce + 1 : 0;
        }

        Conclude(checks.Count);
        return _outcomes.Count > 0 && _outcomes.All(o => o.Ok) ? 0 : 1;
    }

    private bool InBudget => _clock.Elapsed.TotalSeconds < settings.Budget;

    /// <summary>The check to go on with.</summary>
    private int RunFrom(int first, IReadOnlyList<Check> checks)
    {
        (_begun, _begunAt) = (first, _clock.Elapsed);
        var known = _outcomes.Count;
        using var worker = Process.Start(new ProcessStartInfo(Environment.ProcessPath!, Arguments(first)) { UseShellExecute = false })!;
        while (!worker.WaitForExit(200))
        {
            Read();
            // A first call into CUDA can take long.
            var limit = checks[_begun].Limit + (_outcomes.Count == known ? 60 : 0);
            if ((_clock.Elapsed - _begunAt).TotalSeconds > limit)
                return End(worker, checks, $"it was ended after {limit:0} s");
            if (!InBudget && _outcomes.Count - known == _begun - first + 1)
                return End(worker, checks, null);
            if (_clock.Elapsed.TotalSeconds > settings.Budget + 30)
                return End(worker, checks, null);
        }

        Read();
        return _outcomes.Count - known == checks.Count - first ? checks.Count : End(worker, checks, $"its process ended with {worker.ExitCode}");
    }

    private int End(Process worker, IReadOnlyList<Check> checks, string? fault)
    {
        worker.Kill(entireProcessTree: true);
        worker.WaitForExit();
        Read();
        if (fault is null)
            return checks.Count;
        var outcome = new Outcome(checks[_begun].Name, false, fault, (_clock.Elapsed - _begunAt).TotalSeconds);
        Console.WriteLine(outcome);
        _outcomes.Add(outcome);
        return _begun + 1;
    }

    private IEnumerable<string> Arguments(int first) =>
    [
        "--device", settings.DeviceName, "--out", settings.Folder, "--budget", $"{settings.Budget}", "--worker", $"{first}",
        .. settings.Only is { } only ? ["--only", only] : Array.Empty<string>(),
    ];

    private void Read()
    {
        if (!File.Exists(settings.Journal))
            return;
        // The last line may be half written.
        var lines = File.ReadAllText(settings.Journal).Split('\n')[..^1];
        foreach (var line in lines.Skip(_read))
        {
            using var json = JsonDocument.Parse(line);
            if (json.RootElement.TryGetProperty("begun", out var begun))
                (_begun, _begunAt) = (begun.GetInt32(), _clock.Elapsed);
            else
                _outcomes.Add(json.Deserialize<Outcome>()!);
        }

        _read = lines.Length;
    }

    private void Conclude(int planned)
    {
        var (ok, faults) = (_outcomes.Count(o => o.Ok), _outcomes.Count(o => !o.Ok));
        if (planned > _outcomes.Count)
        {
            Console.WriteLine($"{planned - _outcomes.Count} checks were not finished: " + (_endedAtOnce < 5
                ? $"the budget is {settings.Budget} s."
                : "five in succession ended their process. This libtorch does not fit TorchSharp's native library."));
        }

        var result = new { device = settings.DeviceName, seconds = _clock.Elapsed.TotalSeconds, ok, faults, notFinished = planned - _outcomes.Count, checks = _outcomes };
        File.WriteAllText(Path.Combine(settings.Folder, "device-check.json"), JsonSerializer.Serialize(result, Json));
        File.Delete(settings.Journal);
        Console.WriteLine($"device-check: {ok} ok, {faults} faults");
    }

    private static readonly JsonSerializerOptions Json = new() { WriteIndented = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
}
