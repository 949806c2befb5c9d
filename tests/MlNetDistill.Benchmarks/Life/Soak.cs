using System.CommandLine;
using System.Diagnostics;

namespace MlNetDistill.Benchmarks;

/// <summary>
/// The service under clients for a long time, while its student is replaced again and again. A request fails if it gets no answer, or an answer that neither of the two
/// students gives to its row.
/// </summary>
internal static class Soak
{
    private static readonly TimeSpan Report = TimeSpan.FromMinutes(1);

    public static Command Command()
    {
        var minutes = new Option<double>("--minutes") { DefaultValueFactory = _ => 10 };
        var clients = new Option<int>("--clients") { DefaultValueFactory = _ => 64 };
        var every = new Option<double>("--replace-every") { Description = "seconds between two replacements", DefaultValueFactory = _ => 1 };
        var maxBatch = new Option<int>("--max-batch") { Description = "most rows that the service scores together; 1: a pool of engines", DefaultValueFactory = _ => 64 };
        var command = new Command("soak", "examples/Service with many clients and replacements: requests, failures, memory, handles, threads and temporary files.") { minutes, clients, every, maxBatch };
        command.SetAction(async (given, _) =>
        {
            var folder = Directory.CreateTempSubdirectory("MlNetDistill.Soak-");
            try
            {
                var (failed, _) = await Run(
                    folder.FullName, TimeSpan.FromMinutes(given.GetValue(minutes)), given.GetValue(clients), TimeSpan.FromSeconds(given.GetValue(every)), given.GetValue(maxBatch));
                return failed == 0 ? 0 : 1;
            }
            finally
            {
                folder.Delete(recursive: true);
            }
        });
        return command;
    }

    private static async Task<(long Failed, long Sent)> Run(string folder, TimeSpan length, int clients, TimeSpan every, int maxBatch)
    {
        var (models, rows) = (new[] { LifeSample.Save(folder, seed: 1), LifeSample.Save(folder, seed: 2) }, LifeSample.Points(200, seed: 3));
        var path = Path.Combine(folder, "student.zip");
        File.Copy(models[0], path);
        using var service = await ServiceProcess.Start(path, Path.Combine(folder, "temporary"), maxBatch);
        var expected = new List<string>[models.Length];
        for (var model = 0; model < models.Length; model++)
        {
            await Replace(service, models[model], path);
            expected[model] = [];
            foreach (var row in rows)
                expected[model].Add(await service.Score(row.Features) ?? throw new InvalidOperationException("The service does not score."));
        }

        var (clock, sent, failed, replaced) = (Stopwatch.StartNew(), 0L, 0L, 0L);
        using var end = new CancellationTokenSource(length);
        var asking = Enumerable.Range(0, clients).Select(client => Task.Run(async () =>
        {
            for (var at = client % rows.Length; !end.IsCancellationRequested; at = (at + 1) % rows.Length)
            {
                var answer = await service.Score(rows[at].Features);
                Interlocked.Increment(ref sent);
                if (answer is null || !expected.Any(answers => answers[at] == answer))
                    Interlocked.Increment(ref failed);
            }
        })).ToArray();
        for (var next = TimeSpan.Zero; !end.IsCancellationRequested;)
        {
            if (clock.Elapsed >= next)
            {
                Say();
                // The first minute is for the pools and caches of the runtime to fill.
                next += Report;
            }

            await Task.Delay(every);
            await Replace(service, models[replaced % models.Length], path);
            replaced++;
        }

        await Task.WhenAll(asking);
        Say();
        Console.WriteLine(FormattableString.Invariant($"{sent / clock.Elapsed.TotalSeconds:0} requests in a second: as many as a day has at {sent / 86_400.0:0.0} in a second"));
        return (failed, sent);

        void Say() => Console.WriteLine(FormattableString.Invariant($"{clock.Elapsed.TotalMinutes:0.0} min: {sent:N0} requests, {failed} failed, {replaced} replacements; {service.State()}"));
    }

    private static async Task Replace(ServiceProcess service, string model, string path)
    {
        var copy = path + ".new";
        File.Copy(model, copy);
        File.Move(copy, path, overwrite: true);
        if (!await service.Reload())
            throw new InvalidOperationException($"The service refused {model}.");
    }
}
