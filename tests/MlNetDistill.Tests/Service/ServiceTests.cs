using System.IO.Compression;
using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Microsoft.ML;
using MlNetDistill.Tests.Support;

namespace MlNetDistill.Tests.Service;

/// <summary>examples/Service as its clients see it.</summary>
public sealed class ServiceTests
{
    private readonly MLContext _mlContext = Rows.Context();
    private ToyService _floats = null!;
    private ToyService _bytes = null!;

    [OneTimeSetUp]
    public async Task Start()
    {
        _floats = await ToyService.Start(_mlContext, ToyModels.Points, _mlContext.View(ToyData.Points()).Schema);
        _bytes = await ToyService.Start(_mlContext, ToyModels.Images, _mlContext.View(ToyData.Images()).Schema);
    }

    [OneTimeTearDown]
    public void Stop()
    {
        _floats?.Dispose();
        _bytes?.Dispose();
    }

    [Test]
    public async Task Pixels_get_the_scores_of_an_engine_bit_for_bit()
    {
        var images = ToyData.Images();
        var found = await Task.WhenAll(images.Select(async image =>
        {
            using var response = await _bytes.Score(image.Pixels.Select(pixel => (int)pixel));
            Assert.That(response.IsSuccessStatusCode, Is.True, _bytes.Output);
            return Answers.Found(await response.Content.ReadFromJsonAsync<JsonElement>());
        }));
        Assert.That(found, Is.EqualTo(Answers.Expected(_mlContext, ToyModels.Images, images)));
    }

    [Test]
    public async Task A_row_of_another_length_is_refused_with_both_lengths() =>
        await AssertRefused(_floats, "{\"features\": [1, 2, 3]}", "features must hold 4 numbers; found 3.");

    [Test]
    public async Task A_row_without_features_is_refused() =>
        await AssertRefused(_floats, "{\"values\": [1, 2, 3, 4]}", "features must be an array of 4 numbers; it is missing.");

    [TestCase("300", "300")]
    [TestCase("-1", "-1")]
    [TestCase("0.5", "0.5")]
    public async Task What_is_no_byte_is_refused_by_a_student_of_pixels(string value, string named) => await AssertRefused(
        _bytes,
        $"{{\"features\": [0, {value}{string.Concat(Enumerable.Repeat(", 0", 62))}]}}",
        $"features[1] must be a whole number from 0 to 255; found {named}.");

    [Test]
    public async Task A_number_too_large_for_a_float_is_refused() =>
        await AssertRefused(_floats, "{\"features\": [0, 0, 1e99, 0]}", "features[2] must be a finite number; found Infinity.");

    [TestCase("{\"features\": [1, \"two\", 3, 4]}", "it cannot be read at $.features[1] (line 1, near byte 22)")]
    [TestCase("{\"features\": ", "it cannot be read at $.features (line 1, near byte 13)")]
    [TestCase("[1, 2, 3, 4]", "it cannot be read at $ (line 1, near byte 1)")]
    [TestCase("", "it is empty")]
    public async Task A_body_that_cannot_be_read_is_refused_with_the_place(string body, string place) =>
        await AssertRefused(_floats, body, $"The body must be like {{\"features\": [0.5, 1]}}; {place}.");

    [Test]
    public async Task A_body_far_larger_than_a_row_is_not_read()
    {
        using var response = await Post(_floats, new string(' ', 1 << 20));
        Assert.That(response.StatusCode, Is.EqualTo(HttpStatusCode.RequestEntityTooLarge));
    }

    [Test]
    public async Task Refusals_are_counted()
    {
        var before = (await _bytes.Metric("student_rows_refused_total")).Values.Sum();
        await AssertRefused(_bytes, "{\"features\": []}", "features must hold 64 numbers; found 0.");
        Assert.That((await _bytes.Metric("student_rows_refused_total")).Values.Sum(), Is.EqualTo(before + 1));
    }

    [TestCase("/health")]
    [TestCase("/health/live")]
    public async Task It_says_that_it_is_well(string path)
    {
        Assert.That(await _floats.Management.GetStringAsync(path), Is.EqualTo("Healthy"));
        Assert.That(await _bytes.Management.GetStringAsync(path), Is.EqualTo("Healthy"));
    }

    [TestCase("/health")]
    [TestCase("/health/live")]
    [TestCase("/metrics")]
    public async Task Clients_see_neither_health_nor_metrics_where_they_score(string path)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        // Whatever address they say that they asked for.
        request.Headers.Host = _floats.Management.BaseAddress!.Authority;
        using var response = await _floats.Client.SendAsync(request);
        Assert.That(response.StatusCode, Is.EqualTo(HttpStatusCode.NotFound));
    }

    [Test]
    public async Task Nothing_is_scored_where_health_is()
    {
        using var response = await _floats.Management.PostAsJsonAsync("/score", new { features = new float[4] });
        Assert.That(response.StatusCode, Is.EqualTo(HttpStatusCode.NotFound));
    }

    [Test]
    public async Task Another_hosts_name_is_not_answered_to()
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/score") { Content = JsonContent.Create(new { features = new float[4] }) };
        request.Headers.Host = "another.example";
        using var response = await _floats.Client.SendAsync(request);
        Assert.That(response.StatusCode, Is.EqualTo(HttpStatusCode.BadRequest));
    }

    [TestCase("--model=", "Model must name a saved student: --model student.zip (examples/Quickstart writes one).")]
    [TestCase("--urls=", "Urls must be the addresses to score at, for example http://localhost:5000.")]
    [TestCase("--maxConnections=0", "MaxConnections must be from 1 to 1000000.")]
    [TestCase("--maxQueued=many", "Failed to convert configuration value 'many' at 'MaxQueued' to type 'System.Int32'.")]
    [TestCase("--shutdownSeconds=-1", "ShutdownSeconds must be from 0 to 3600.")]
    public void A_setting_that_it_cannot_have_is_named_before_anything_starts(string argument, string message)
    {
        var (code, output) = ToyService.Fail(_ => { }, arguments: [argument]);
        Assert.Multiple(() =>
        {
            Assert.That(code, Is.EqualTo(2));
            Assert.That(output, Does.StartWith(message));
        });
    }

    [Test]
    public void Without_a_model_it_does_not_start()
    {
        var (code, output) = ToyService.Fail(_ => { });
        Assert.Multiple(() =>
        {
            Assert.That(code, Is.EqualTo(2));
            Assert.That(output, Does.StartWith("There is no file ").And.EndWith("Name a saved student: --model student.zip (examples/Quickstart writes one)."));
        });
    }

    [Test]
    public void With_a_file_that_is_no_model_it_does_not_start()
    {
        var (code, output) = ToyService.Fail(path => File.WriteAllText(path, "no zip"));
        Assert.Multiple(() =>
        {
            Assert.That(code, Is.EqualTo(2));
            Assert.That(output, Does.Contain("student.zip is not a student that this service can load: "));
        });
    }

    [Test]
    public void A_student_with_a_changed_entry_is_not_served()
    {
        var (code, output) = ToyService.Fail(path =>
        {
            _mlContext.Model.SaveAtomically(ToyModels.Points, _mlContext.View(ToyData.Points()).Schema, path);
            using var zip = ZipFile.Open(path, ZipArchiveMode.Update);
            using var largest = zip.Entries.Where(entry => entry.Name != "MlNetDistill.sha256").MaxBy(entry => entry.Length)!.Open();
            largest.Seek(-1, SeekOrigin.End);
            largest.WriteByte(0);
        });
        Assert.That(code, Is.EqualTo(2));
        Assert.That(output, Does.Contain("its entries do not match the hashes that were saved with them: it is damaged. Take an undamaged copy."));
    }

    [TestCase(null, "address already in use")]
    [TestCase("nowhere", "Invalid url: 'nowhere'")]
    public void At_an_address_that_it_cannot_have_it_ends_and_says_why(string? address, string why)
    {
        var (code, output) = ToyService.Fail(
            path => _mlContext.Model.Save(ToyModels.Points, _mlContext.View(ToyData.Points()).Schema, path), address ?? $"{_floats.Client.BaseAddress}");
        Assert.Multiple(() =>
        {
            Assert.That(code, Is.EqualTo(2));
            Assert.That(output, Does.Contain(why));
        });
    }

    [Test]
    public void Of_the_packages_it_has_the_one_for_scoring_alone_and_nothing_of_TorchSharp()
    {
        var folder = Path.GetDirectoryName(ToyService.AssemblyPath)!;
        var libraries = Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Select(file => Path.GetFileName(file)).ToArray();
        Assert.That(libraries, Does.Contain("Microsoft.ML.OnnxTransformer.dll"));
        Assert.That(libraries, Does.Contain("MlNetDistill.Scoring.dll"));
        Assert.That(libraries.Where(file => file.Contains("Torch", StringComparison.OrdinalIgnoreCase) || (file.Contains("MlNetDistill") && !file.StartsWith("MlNetDistill.Scoring.", StringComparison.Ordinal))), Is.Empty);
    }

    private static async Task AssertRefused(ToyService service, string body, string detail)
    {
        using var response = await Post(service, body);
        var problem = await response.Content.ReadFromJsonAsync<JsonElement>();
        Assert.Multiple(() =>
        {
            Assert.That(response.StatusCode, Is.EqualTo(HttpStatusCode.BadRequest));
            Assert.That(response.Content.Headers.ContentType?.MediaType, Is.EqualTo("application/problem+json"));
            Assert.That(problem.GetProperty("status").GetInt32(), Is.EqualTo(400));
            Assert.That(problem.GetProperty("detail").GetString(), Is.EqualTo(detail));
        });
    }

    private static Task<HttpResponseMessage> Post(ToyService service, string body) =>
        service.Client.PostAsync("/score", new StringContent(body, Encoding.UTF8, "application/json"));
}
