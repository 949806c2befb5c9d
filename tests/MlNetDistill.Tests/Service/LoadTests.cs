using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json;
using MlNetDistill.Tests.Support;

namespace MlNetDistill.Tests.Service;

/// <summary>Many clients of the service at the same time.</summary>
[Category("Load")]
[Platform(Exclude = "Win", Reason = "There is no SIGTERM.")]
public sealed class LoadTests
{
    private const int Clients = 64;
    private static readonly TimeSpan Duration = TimeSpan.FromSeconds(8);

    /// <summary>One by one with engines, and together with a batch scorer: the requests in a second are written to the log, to be compared.</summary>
    [TestCase(1)]
    [TestCase(64)]
    public async Task Together_64_clients_get_the_scores_of_a_single_engine_bit_for_bit(int maxBatch)
    {
        var mlContext = Rows.Context();
        var rows = ToyData.Points(1000, seed: 7);
        var expected = Answers.Expected(mlContext, ToyModels.Points, rows);
        using var service = await ToyService.Start(mlContext, ToyModels.Points, mlContext.View(rows).Schema, "--maxBatch", FormattableString.Invariant($"{maxBatch}"));

        var clock = Stopwatch.StartNew();
        var sent = await Task.WhenAll(Enumerable.Range(0, Clients).Select(client => Task.Run(() => Ask(client))));
        TestContext.Out.WriteLine($"batches of at most {maxBatch}: {sent.Sum():N0} rows in {clock.Elapsed.TotalSeconds:0} s, {sent.Sum() / clock.Elapsed.TotalSeconds:0} in a second");

        var health = await service.Management.GetStringAsync("/health");
        // A request is counted when it has ended, which is after its answer.
        await Task.Delay(TimeSpan.FromSeconds(1));
        var requests = await service.Metric("http_server_request_duration_seconds_count");
        var (scored, timed) = (await service.Metric("student_rows_scored_total"), await service.Metric("student_score_duration_seconds_count"));
        var (failed, refused) = (await service.Metric("student_rows_failed_total"), await service.Metric("student_rows_refused_total"));
        var (engines, inUse) = (await service.Metric("student_engines"), await service.Metric("student_engines_in_use"));
        var (batches, together) = (await service.Metric("student_batch_rows_count"), await service.Metric("student_batch_rows_sum"));
        TestContext.Out.WriteLine($"{batches.Values.Sum():N0} batches");
        Assert.Multiple(() =>
        {
            Assert.That(sent, Is.All.Positive);
            Assert.That(health, Is.EqualTo("Healthy"));
            Assert.That(requests.Where(r => r.Key.Contains("http_route=\"/score\"")).ToDictionary().Values, Is.EqualTo(new[] { (double)sent.Sum() }));
            Assert.That(scored.Values.Sum(), Is.EqualTo(sent.Sum()));
            Assert.That(timed.Values, Is.EqualTo(new[] { (double)sent.Sum() }));
            Assert.That(failed.Values.Concat(refused.Values), Is.Empty);
            if (maxBatch == 1)
            {
                Assert.That(engines.Values.Single(), Is.InRange(1, 2 * Environment.ProcessorCount));
                Assert.That(inUse.Values.Single(), Is.Zero);
            }
            else
            {
                // Those of health checks, too.
                Assert.That(together.Values.Single(), Is.AtLeast(sent.Sum()));
                Assert.That(together.Values.Single() / batches.Values.Single(), Is.InRange(1, maxBatch));
            }

            Assert.That(service.Terminate(), Is.Zero, service.Output);
            Assert.That(service.Output, Does.Contain("Application is shutting down"));
        });

        async Task<int> Ask(int client)
        {
            var asked = 0;
            // Clients begin at different rows, so that different ones are scored at the same time.
            for (var at = client * rows.Length / Clients; clock.Elapsed < Duration; at = (at + 1) % rows.Length, asked++)
            {
                using var response = await service.Score(rows[at].Features);
                Assert.That(response.IsSuccessStatusCode, Is.True, $"{response.StatusCode}, {await response.Content.ReadAsStringAsync()}");
                Assert.That(Answers.Found(await response.Content.ReadFromJsonAsync<JsonElement>()), Is.EqualTo(expected[at]));
            }

            return asked;
        }
    }
}
