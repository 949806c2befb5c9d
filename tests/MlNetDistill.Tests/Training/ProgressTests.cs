using System.Globalization;
using Microsoft.ML;
using MlNetDistill.Networks;
using MlNetDistill.Tests.Support;

namespace MlNetDistill.Tests.Training;

public sealed class ProgressTests
{
    private MLContext _context = null!;
    private RowsLog _log = null!;
    private IDataView _view = null!;

    [SetUp]
    public void Listen()
    {
        _context = Rows.Context();
        _log = new RowsLog(_context);
        _view = _context.Keyed(Rows.Points());
    }

    [Test]
    public void Every_epoch_is_reported_with_every_named_loss()
    {
        var progress = new RowsProgress();
        _context.Fit(Distilling() with { Progress = progress, ValidationFraction = 0.2 }, _view);
        var last = progress.Reports[^1];
        Assert.Multiple(() =>
        {
            Assert.That(progress.Reports.Select(r => r.Epoch), Is.EqualTo(new[] { 1, 2, 3 }));
            Assert.That(last.Losses.Keys, Is.EqualTo(new[] { "crossEntropy", "kd", "total" }));
            Assert.That(last.Losses["total"], Is.EqualTo((0.5 * last.Losses["crossEntropy"]) + (0.5 * last.Losses["kd"])).Within(1e-9));
            Assert.That(last.LearningRate, Is.Positive);
            Assert.That(last.RowsPerSecond, Is.Positive);
            Assert.That(last.Validation?.Quality, Is.InRange(0, 1));
            Assert.That(last.TimeLeft, Is.EqualTo(TimeSpan.Zero));
        });
    }

    [Test]
    public void The_model_keeps_what_was_reported()
    {
        var progress = new RowsProgress();
        Assert.That(_context.Fit(Distilling() with { Progress = progress }, _view).Model.History, Is.EqualTo(progress.Reports));
    }

    [Test]
    public void Every_epoch_gives_a_line_in_the_log()
    {
        _context.Fit(Distilling(), _view);
        Assert.That(_log.Lines, Has.Exactly(3).Matches(
            @"^KD epoch [123]/3: crossEntropy \d\.\d{4}, kd \d+\.\d{4}, total \d\.\d{4}, rate \d(\.\d+)?(E-\d\d)?, [\d,]+ rows/s, \d\d:\d\d:\d\d left$"));
    }

    [Test]
    public void The_log_says_what_is_read_and_trained_and_how_well_the_model_agrees_with_its_network()
    {
        _context.Fit(Distilling(), _view);
        Assert.Multiple(() =>
        {
            Assert.That(_log.Lines, Has.One.EqualTo("Read 240 rows (vector of 4), 3 classes; training on 240, validating on 0."));
            Assert.That(_log.Lines, Has.One.EqualTo("Training the student: MLP 8, 67 parameters, on cpu."));
            Assert.That(_log.Lines, Has.One.Matches(@"^The student's ML.NET form agrees with its network within \d\.\de-\d+\.$"));
            Assert.That(_log.Warnings, Is.Empty);
        });
    }

    [Test]
    public void Log_lines_had_the_decimal_comma_of_the_machine()
    {
        var before = CultureInfo.CurrentCulture;
        var comma = (CultureInfo)CultureInfo.InvariantCulture.Clone();
        comma.NumberFormat.NumberDecimalSeparator = ",";
        comma.NumberFormat.NumberGroupSeparator = ".";
        try
        {
            CultureInfo.CurrentCulture = comma;
            _context.Fit(Distilling(), _view);
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }

        Assert.That(_log.Lines, Has.None.Matches(@"\d,\d{4}"));
    }

    [Test]
    public void Nothing_is_written_to_the_console()
    {
        var (output, error) = (Console.Out, Console.Error);
        using var written = new StringWriter();
        try
        {
            Console.SetOut(written);
            Console.SetError(written);
            _context.Fit(Distilling() with { Teacher = Teacher.Train(NetworkSpec.Mlp(8)) }, _view);
        }
        finally
        {
            Console.SetOut(output);
            Console.SetError(error);
        }

        Assert.That(written.ToString(), Is.Empty);
    }

    private DistillationOptions Distilling() =>
        Rows.Quick(_context.Saying(_view, f => f[0] > 0.3f ? [0.8f, 0.1f, 0.1f] : f[1] > 0 ? [0.1f, 0.8f, 0.1f] : [0.1f, 0.1f, 0.8f])) with { Epochs = 3 };
}
