using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Microsoft.ML;
using MlNetDistill.Tests.Support;

namespace MlNetDistill.Tests.Service;

/// <summary>examples/Service with clients that ask for too much, or never finish asking.</summary>
public sealed class ServiceLimitTests
{
    private readonly MLContext _mlContext = Rows.Context();

    [Test]
    public async Task Beyond_its_rate_a_client_is_told_to_come_back()
    {
        using var service = await Start("--requestsPerSecond", "5");
        var responses = await Task.WhenAll(Enumerable.Range(0, 40).Select(_ => service.Score(new float[4])));
        var refused = responses.Where(r => r.StatusCode == HttpStatusCode.TooManyRequests).ToArray();
        Assert.That(refused, Is.Not.Empty.And.Length.LessThan(40));
        var problem = await refused[0].Content.ReadFromJsonAsync<JsonElement>();
        var health = await service.Management.GetStringAsync("/health");
        Assert.Multiple(() =>
        {
            Assert.That(responses.Except(refused).Select(r => r.StatusCode), Is.All.EqualTo(HttpStatusCode.OK));
            Assert.That(refused[0].Headers.RetryAfter!.Delta, Is.EqualTo(TimeSpan.FromSeconds(1)));
            Assert.That(problem.GetProperty("detail").GetString(), Is.EqualTo("The service is busy; try again in a second."));
            Assert.That(health, Is.EqualTo("Healthy"), "health is not limited");
        });
    }

    [Test]
    public async Task Connections_beyond_the_limit_are_closed()
    {
        using var service = await Start("--maxConnections", "2");
        // The tests' own, kept open, may be one of them.
        using var first = await Connect(service);
        using var second = await Connect(service);
        using var third = await Connect(service);
        await third.GetStream().WriteAsync(Encoding.ASCII.GetBytes("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"));
        Assert.That(await ReadToEnd(third), Is.Zero);
    }

    [Test]
    [Platform(Exclude = "Win", Reason = "There is no SIGTERM.")]
    public async Task A_request_that_never_ends_does_not_hold_up_the_end()
    {
        using var service = await Start("--shutdownSeconds", "2");
        using var client = await Connect(service);
        await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(
            $"POST /score HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{{\"features\": [0, {new string(' ', 400)}"));
        await Task.Delay(300);
        var clock = Stopwatch.StartNew();
        var code = service.Terminate();
        Assert.That(clock.Elapsed, Is.LessThan(TimeSpan.FromSeconds(4)), service.Output);
        Assert.That(code, Is.Zero);
    }

    private Task<ToyService> Start(params string[] arguments) =>
        ToyService.Start(_mlContext, ToyModels.Points, _mlContext.View(ToyData.Points()).Schema, arguments);

    private static async Task<TcpClient> Connect(ToyService service)
    {
        var client = new TcpClient();
        await client.ConnectAsync(service.Client.BaseAddress!.Host, service.Client.BaseAddress.Port);
        return client;
    }

    private static async Task<int> ReadToEnd(TcpClient client)
    {
        using var time = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        try
        {
            return await client.GetStream().ReadAsync(new byte[64], time.Token);
        }
        catch (IOException)
        {
            return 0;
        }
    }
}
