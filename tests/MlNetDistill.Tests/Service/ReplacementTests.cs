using System.Diagnostics;
using System.IO.Compression;
using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Tests.Support;

namespace MlNetDistill.Tests.Service;

/// <summary>examples/Service gets another student while it runs.</summary>
public sealed class ReplacementTests
{
    private static readonly ToyPoint<string>[] Points = ToyData.Points(300, seed: 7);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private readonly MLContext _mlContext = Rows.Context();
    private ITransformer _other = null!;
    private string[] _first = [];
    private string[] _second = [];

    [OneTimeSetUp]
    public void FitAnother()
    {
        _other = Fit(ToyData.Points(seed: 2));
        (_first, _second) = (Answers.Expected(_mlContext, ToyModels.Points, Points), Answers.Expected(_mlContext, _other, Points));
        Assert.That(_first.Intersect(_second), Is.Empty, "the students can be told apart by any answer");
    }

    [Test]
    public async Task A_new_file_is_served_after_a_reload_and_the_old_student_leaves_memory()
    {
        using var service = await Start("--watchSeconds", "0");
        Assert.That(await Ask(service, 0), Is.EqualTo(_first[0]));
        Save(_other, service);
        Assert.That(await Ask(service, 0), Is.EqualTo(_first[0]), "nobody asked for it yet");

        using var response = await service.Reload();
        var told = await response.Content.ReadFromJsonAsync<JsonElement>();
        Assert.That(await Ask(service, 0), Is.EqualTo(_second[0]));
        Assert.Multiple(() =>
        {
            Assert.That(response.StatusCode, Is.EqualTo(HttpStatusCode.OK));
            Assert.That(told.GetProperty("sha256").GetString(), Is.EqualTo(Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(service.ModelPath)))));
            Assert.That(told.GetProperty("features").GetInt32(), Is.EqualTo(4));
            Assert.That(service.Output, Does.Contain($"New requests get the student {told.GetProperty("sha256").GetString()}"));
        });
        await Eventually(async () => (await service.Metric("student_models")).Values.Single() == 1, "the old student leaves memory");
    }

    [Test]
    public async Task A_file_that_is_replaced_is_noticed()
    {
        using var service = await Start("--watchSeconds", "1");
        Save(_other, service);
        await Eventually(async () => await Ask(service, 0) == _second[0], "the new student is served");
        Save(ToyModels.Points, service);
        await Eventually(async () => await Ask(service, 0) == _first[0], "the first student is served again");
        var replacements = await service.Metric("student_replacements_total");
        Assert.That(replacements.Keys.Single(), Does.Contain("outcome=\"replaced\""));
        Assert.That(replacements.Values.Single(), Is.EqualTo(2));
    }

    [Test]
    public async Task A_damaged_file_is_refused_and_shown_until_a_good_one_takes_its_place()
    {
        using var service = await Start("--watchSeconds", "1");
        Save(_other, service);
        var bytes = File.ReadAllBytes(service.ModelPath);
        File.WriteAllBytes(service.ModelPath, bytes[..(bytes.Length / 2)]);

        await Eventually(async () => (await service.Management.GetStringAsync("/health")).StartsWith("Degraded: The student in service stays: ", StringComparison.Ordinal), "the health says so");
        using var health = await service.Management.GetAsync("/health");
        var (answer, reason) = (await Ask(service, 0), await health.Content.ReadAsStringAsync());
        Assert.Multiple(() =>
        {
            Assert.That(answer, Is.EqualTo(_first[0]));
            Assert.That(reason, Does.Contain("student.zip is not a student that this service can load: "));
            Assert.That(health.StatusCode, Is.EqualTo(HttpStatusCode.OK), "it still scores, so it gets requests");
            Assert.That(service.Output, Does.Contain("The student in service stays: "));
        });

        File.WriteAllBytes(service.ModelPath, bytes);
        await Eventually(async () => await service.Management.GetStringAsync("/health") == "Healthy", "the good file is served");
        Assert.That(await Ask(service, 0), Is.EqualTo(_second[0]));
    }

    [Test]
    public async Task A_student_that_clients_cannot_use_is_refused_with_the_difference()
    {
        using var service = await Start("--watchSeconds", "0");
        _mlContext.Model.SaveAtomically(ToyModels.Images, _mlContext.View(ToyData.Images()).Schema, service.ModelPath);
        await AssertRefused(service, "it reads 64 whole numbers from 0 to 255, and the one in service 4 numbers.");
        Save(Fit(ToyData.Points(classes: 4)), service);
        await AssertRefused(service, "its classes differ; missing: none; new: 'dog'.");
        File.Delete(service.ModelPath);
        await AssertRefused(service, "There is no file ");
        Save(ToyModels.Points, service);
        using var response = await service.Reload();
        Assert.That(response.StatusCode, Is.EqualTo(HttpStatusCode.OK));
        Assert.That(await service.Management.GetStringAsync("/health"), Is.EqualTo("Healthy"));
    }

    /// <summary>Its vector and its classes are the same, so that only using it shows what it lacks.</summary>
    [TestCase(1)]
    [TestCase(64)]
    public async Task A_student_that_reads_another_column_too_is_refused_and_the_service_goes_on(int maxBatch)
    {
        using var service = await Start("--watchSeconds", "1", "--maxBatch", FormattableString.Invariant($"{maxBatch}"));
        var view = _mlContext.View(WithAge());
        var reader = new TransformerChain<ITransformer>(_mlContext.Transforms.CopyColumns("Years", "Age").Fit(view), _other);
        _mlContext.Model.SaveAtomically(reader, view.Schema, service.ModelPath);
        await Eventually(async () => (await service.Management.GetStringAsync("/health")).Contains("it needs more or other columns than", StringComparison.Ordinal), "the health says so");
        await AssertRefused(service, "Age");
        Assert.That(await Ask(service, 0), Is.EqualTo(_first[0]));
        Save(_other, service);
        await Eventually(async () => await Ask(service, 0) == _second[0], "the watcher still looks");
        await Eventually(async () => (await service.Metric("student_models")).Values.Single() == 1, "the refused student is not in memory");
    }

    /// <summary>A column that the pipeline had and the student does not read is no difference for clients.</summary>
    [Test]
    public async Task A_student_that_was_fitted_with_a_column_that_it_does_not_read_is_served()
    {
        using var service = await Start("--watchSeconds", "0", "--maxBatch", "64");
        _mlContext.Model.SaveAtomically(_other, _mlContext.View(WithAge()).Schema, service.ModelPath);
        using var response = await service.Reload();
        Assert.That(response.StatusCode, Is.EqualTo(HttpStatusCode.OK), service.Output);
        Assert.That(await Ask(service, 0), Is.EqualTo(_second[0]));
    }

    /// <summary>The right hashes, then empty lines that take a thousandth of their length in the zip.</summary>
    [Test]
    public async Task Hashes_that_unpack_to_more_than_the_zip_are_not_read()
    {
        using var service = await Start("--watchSeconds", "0");
        Save(_other, service);
        using (var zip = ZipFile.Open(service.ModelPath, ZipArchiveMode.Update))
        {
            var hashes = zip.GetEntry("MlNetDistill.sha256")!;
            using var text = new StreamReader(hashes.Open());
            var right = await text.ReadToEndAsync();
            text.Dispose();
            hashes.Delete();
            await using var longer = new StreamWriter(zip.CreateEntry("MlNetDistill.sha256", CompressionLevel.Optimal).Open());
            await longer.WriteAsync(right.PadRight(32 << 20, '\n'));
        }

        await AssertRefused(service, "its entries do not match the hashes that were saved with them");
    }

    [TestCase("GET", "/model")]
    [TestCase("POST", "/model/reload")]
    public async Task Clients_cannot_reach_it_where_they_score(string method, string path)
    {
        using var service = await Start();
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        using var response = await service.Client.SendAsync(request);
        Assert.That(response.StatusCode, Is.EqualTo(HttpStatusCode.NotFound));
    }

    /// <summary>Requests end on the student that they began with: no request fails, and no answer is a mixture.</summary>
    [Category("Load")]
    [TestCase(1)]
    [TestCase(64)]
    public async Task Replaced_again_and_again_under_64_clients_no_request_fails(int maxBatch)
    {
        using var service = await Start("--watchSeconds", "0", "--maxBatch", FormattableString.Invariant($"{maxBatch}"));
        using var end = new CancellationTokenSource();
        var clients = Enumerable.Range(0, 64).Select(client => Task.Run(() => AskOn(service, client, end.Token))).ToArray();
        var (clock, replacements) = (Stopwatch.StartNew(), 0);
        // Without the limit, a service that hangs would keep the test waiting.
        for (; replacements < 12 || clock.Elapsed < TimeSpan.FromSeconds(10); replacements++)
        {
            Assert.That(clock.Elapsed, Is.LessThan(TimeSpan.FromMinutes(5)), "twelve replacements");
            var isSecond = replacements % 2 == 0;
            Save(isSecond ? _other : ToyModels.Points, service);
            using var response = await service.Reload();
            Assert.That(response.StatusCode, Is.EqualTo(HttpStatusCode.OK), service.Output);
            Assert.That(await Ask(service, 0), Is.EqualTo((isSecond ? _second : _first)[0]), "new requests get the new student");
        }

        await end.CancelAsync();
        var answers = await Task.WhenAll(clients);
        TestContext.Out.WriteLine($"batches of at most {maxBatch}: {replacements} replacements, {answers.Sum(a => a.First):N0} answers of the first student and {answers.Sum(a => a.Second):N0} of the second");
        Assert.Multiple(() =>
        {
            Assert.That(answers.Sum(a => a.First), Is.Positive);
            Assert.That(answers.Sum(a => a.Second), Is.Positive);
        });
        await Eventually(async () => (await service.Metric("student_models")).Values.Single() == 1, "replaced students leave memory");
        if (maxBatch == 1)
            Assert.That((await service.Metric("student_engines")).Values.Single(), Is.InRange(1, 2 * Environment.ProcessorCount));
    }

    private static PointWithAge[] WithAge() => [.. Points.Take(3).Select(point => new PointWithAge { Label = point.Label, Features = point.Features, Age = 30 })];

    private static async Task Eventually(Func<Task<bool>> holds, string what)
    {
        for (var clock = Stopwatch.StartNew(); !await holds();)
        {
            Assert.That(clock.Elapsed, Is.LessThan(Patience), what);
            await Task.Delay(100);
        }
    }

    private static async Task<string> Ask(ToyService service, int row)
    {
        using var response = await service.Score(Points[row].Features);
        Assert.That(response.IsSuccessStatusCode, Is.True, $"{response.StatusCode}, {await response.Content.ReadAsStringAsync()}");
        return Answers.Found(await response.Content.ReadFromJsonAsync<JsonElement>());
    }

    private static async Task AssertRefused(ToyService service, string reason)
    {
        using var response = await service.Reload();
        var problem = await response.Content.ReadFromJsonAsync<JsonElement>();
        var model = await service.Management.GetFromJsonAsync<JsonElement>("/model");
        Assert.Multiple(() =>
        {
            Assert.That(response.StatusCode, Is.EqualTo(HttpStatusCode.Conflict));
            Assert.That(problem.GetProperty("detail").GetString(), Does.Contain(reason));
            Assert.That(model.GetProperty("refused").GetString(), Does.Contain(reason));
            Assert.That(model.GetProperty("features").GetInt32(), Is.EqualTo(4));
        });
    }

    private async Task<(int First, int Second)> AskOn(ToyService service, int client, CancellationToken end)
    {
        var (first, second) = (0, 0);
        for (var at = client; !end.IsCancellationRequested; at = (at + 1) % Points.Length)
        {
            var answer = await Ask(service, at);
            if (answer == _first[at])
                first++;
            else if (answer == _second[at])
                second++;
            else
                Assert.Fail($"Row {at}: {answer} is of neither student; {_first[at]} or {_second[at]}");
        }

        return (first, second);
    }

    private ITransformer Fit(ToyPoint<string>[] points) => _mlContext.Pipeline(ToyPipelines.Options() with { Seed = 5 }).Fit(_mlContext.View(points));

    private void Save(ITransformer model, ToyService service) => _mlContext.Model.SaveAtomically(model, _mlContext.View(Points).Schema, service.ModelPath);

    private Task<ToyService> Start(params string[] arguments) => ToyService.Start(_mlContext, ToyModels.Points, _mlContext.View(Points).Schema, arguments);

    private sealed class PointWithAge : ToyPoint<string>
    {
        public float Age { get; set; }
    }
}
