using System.Text.Json;
using MlNetDistill.Diagnostics;
using MlNetDistill.Tests.Support;
using MlNetDistill.Training;

namespace MlNetDistill.Tests.Diagnostics;

public sealed class JsonLinesProgressTests
{
    private ToyFolder _folder = null!;
    private string _path = null!;

    [SetUp]
    public void MakeFolder()
    {
        _folder = new ToyFolder();
        _path = _folder.File("progress.jsonl");
    }

    [TearDown]
    public void DeleteFolder() => _folder.Dispose();

    [Test]
    public void A_line_holds_the_time_and_every_value()
    {
        using var progress = new JsonLinesProgress(_path);
        progress.Report(ToyProgress.Epoch(2, "RCO × \"DIST\"", 0.75, 0.5).Measured());
        var line = File.ReadAllLines(_path).Single();
        var time = JsonDocument.Parse(line).RootElement.GetProperty("time").GetDateTimeOffset();
        Assert.Multiple(() =>
        {
            Assert.That(time, Is.EqualTo(DateTimeOffset.UtcNow).Within(1).Minutes);
            Assert.That(line[(line.IndexOf(',') + 1)..], Is.EqualTo(
                """
                "stage":"RCO × \"DIST\"","epoch":2,"epochs":3,"losses":{"kd":0.25,"total":0.125},"learningRate":0.005,
                "validation":{"measure":"accuracy","quality":0.75,"loss":0.5},"rowsPerSecond":2000,"timeLeft":"00:00:01","elapsed":"00:00:02",
                "meanGradientNorm":0.5,"largestGradientNorm":1.5,"largestLogit":4.25,"skippedBatches":2,"timesGoneBack":1}
                """.ReplaceLineEndings("")));
        });
    }

    [Test]
    public void Lines_read_back_are_what_was_reported()
    {
        using var progress = new JsonLinesProgress(_path);
        TrainingProgress[] reported = [ToyProgress.Epoch(1).Measured(), ToyProgress.Epoch(2, accuracy: 1 / 3.0, loss: Math.PI)];
        foreach (var report in reported)
            progress.Report(report);
        var read = File.ReadLines(_path).Select(line => JsonSerializer.Deserialize<TrainingProgress>(line, JsonSerializerOptions.Web)!).ToArray();
        Assert.Multiple(() =>
        {
            // A dictionary is equal to itself only.
            Assert.That(read.Select(r => r with { Losses = reported[0].Losses }), Is.EqualTo(reported.Select(r => r with { Losses = reported[0].Losses })));
            Assert.That(read.Select(r => r.Losses), Is.EqualTo(reported.Select(r => r.Losses)));
        });
    }

    [Test]
    public void A_number_that_is_not_finite_is_a_text_and_is_read_back()
    {
        using var progress = new JsonLinesProgress(_path);
        progress.Report(ToyProgress.Epoch(1, accuracy: 0.5, loss: double.NaN) with { Losses = new Dictionary<string, double> { ["total"] = double.NegativeInfinity } });
        var read = JsonSerializer.Deserialize<TrainingProgress>(File.ReadAllText(_path), JsonSerializerOptions.Web)!;
        Assert.Multiple(() =>
        {
            Assert.That(File.ReadAllText(_path), Does.Contain("\"validation\":{\"measure\":\"accuracy\",\"quality\":0.5,\"loss\":\"NaN\"}"));
            Assert.That(read.Validation?.Loss, Is.NaN);
            Assert.That(read.Losses["total"], Is.EqualTo(double.NegativeInfinity));
        });
    }

    [Test]
    public void Two_that_write_in_turn_to_one_file_keep_each_others_lines()
    {
        using var one = new JsonLinesProgress(_path);
        using var other = new JsonLinesProgress(_path);
        for (var epoch = 1; epoch <= 3; epoch++)
        {
            one.Report(ToyProgress.Epoch(epoch, "one"));
            other.Report(ToyProgress.Epoch(epoch, "other"));
        }

        var stages = File.ReadLines(_path).Select(line => JsonDocument.Parse(line).RootElement.GetProperty("stage").GetString());
        Assert.That(stages, Is.EqualTo(new[] { "one", "other", "one", "other", "one", "other" }));
    }

    [Test]
    public void A_second_run_adds_its_lines_to_those_of_the_first()
    {
        foreach (var stage in new[] { "first", "second" })
        {
            using var progress = new JsonLinesProgress(_path);
            progress.Report(ToyProgress.Epoch(1, stage));
        }

        var stages = File.ReadLines(_path).Select(line => JsonDocument.Parse(line).RootElement.GetProperty("stage").GetString());
        Assert.That(stages, Is.EqualTo(new[] { "first", "second" }));
    }

    [Test]
    public void A_line_that_was_cut_short_is_not_gone_on_with()
    {
        File.WriteAllText(_path, "{\"time\":\"2026");
        using (var sink = new JsonLinesProgress(_path))
            sink.Report(ToyProgress.Epoch(1));

        var lines = File.ReadAllLines(_path);
        Assert.That(lines, Has.Length.EqualTo(2));
        Assert.That(() => JsonDocument.Parse(lines[1]), Throws.Nothing);
    }

    [Test]
    public void Each_line_is_in_the_file_while_the_training_goes_on()
    {
        var context = Rows.Context();
        var view = context.Keyed(Rows.Points());
        using var progress = new JsonLinesProgress(_path);
        var seen = new List<int>();
        var watch = new RowsProgress(_ => seen.Add(Lines()));
        context.Fit(Rows.Quick() with { Progress = ProgressSinks.All(progress, watch) }, view);
        Assert.That(seen, Is.EqualTo(new[] { 1, 2, 3, 4, 5, 6 }));

        int Lines()
        {
            using var file = new FileStream(_path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            using var reader = new StreamReader(file);
            return reader.ReadToEnd().Count(c => c == '\n');
        }
    }

    [Test]
    public void Reports_from_many_threads_are_whole_lines()
    {
        using var progress = new JsonLinesProgress(_path);
        Parallel.For(1, 501, i => progress.Report(ToyProgress.Epoch(i)));
        var epochs = File.ReadLines(_path).Select(line => JsonDocument.Parse(line).RootElement.GetProperty("epoch").GetInt32());
        Assert.That(epochs, Is.EquivalentTo(Enumerable.Range(1, 500)));
    }
}
