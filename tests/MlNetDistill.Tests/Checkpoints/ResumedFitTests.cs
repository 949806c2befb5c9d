using Microsoft.ML;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Tests.Support;
using MlNetDistill.Training;

namespace MlNetDistill.Tests.Checkpoints;

/// <summary>Parts of a fit beside its student that continue too: the student alone, students of embeddings, a cancelled fit, early stopping.</summary>
[Category("NoCulture")]
public sealed class ResumedFitTests
{
    private readonly MLContext _context = Rows.Context();
    private readonly IDataView _view;
    private readonly ToyFolder _folder = new();

    public ResumedFitTests() => _view = _context.Keyed(Rows.Points());

    [TearDown]
    public void Remove() => _folder.Dispose();

    private DistillationOptions Options => Rows.Quick(Teacher.Train(NetworkSpec.Mlp(12), epochs: 2)) with
    {
        Optimizer = new InterruptedOptimizer(0.03),
        CheckpointDirectory = _folder.Path,
        Checkpoints = new CheckpointOptions { Interval = TimeSpan.Zero },
    };

    [Test]
    public void The_student_alone_continues_where_it_was([Values(30 + 20, 30 + 90 + 20)] int last)
    {
        var options = Options with { CompareAlone = true, ValidationFraction = 0.2 };
        var whole = _context.Fit(options with { CheckpointDirectory = null }, _view);
        Assert.That(() => InterruptedOptimizer.Run(last, () => _context.Fit(options, _view)), Throws.TypeOf<InterruptedException>());
        DistillationTransformer? continued = null;
        var rest = InterruptedOptimizer.Run(null, () => continued = _context.Fit(options, _view));
        Assert.That(continued!.Scores(_view), Is.EqualTo(whole.Scores(_view)));
        Assert.That(continued!.Alone!.Scores(_view), Is.EqualTo(whole.Alone!.Scores(_view)));
        Assert.That(continued.Comparison!.Sentence, Is.EqualTo(whole.Comparison!.Sentence));
        Assert.That(rest, Is.EqualTo((2 * 12) + (6 * 12 * 2) - last), "steps that were taken are not taken again");
    }

    [Test]
    public void The_student_alone_continues_where_its_batches_go_on_across_epochs([Values(1, 7, 20, 33)] int after)
    {
        // With transfer rows it has fewer rows than steps of a pass.
        var options = Options with { CompareAlone = true, ValidationFraction = 0.2, TransferRows = TransferRows.From(_context.Keyed(Rows.Points(100, seed: 9))), Epochs = 3 };
        DistillationTransformer? whole = null;
        var steps = InterruptedOptimizer.Run(null, () => whole = _context.Fit(options with { CheckpointDirectory = null }, _view));
        Assert.That(() => InterruptedOptimizer.Run(steps - after, () => _context.Fit(options, _view)), Throws.TypeOf<InterruptedException>());
        var continued = _context.Fit(options, _view);
        Assert.That(continued.Alone!.Scores(_view), Is.EqualTo(whole!.Alone!.Scores(_view)));
        Assert.That(continued.Scores(_view), Is.EqualTo(whole.Scores(_view)));
    }

    [Test]
    public void A_cancelled_fit_continues_in_the_middle_of_its_epoch()
    {
        var whole = _context.Fit(Options with { CheckpointDirectory = null }, _view);
        using var source = new CancellationTokenSource();
        var cancelling = Options with
        {
            Checkpoints = new CheckpointOptions { Interval = null, EveryEpochs = 100 },
            CancellationToken = source.Token,
            Optimizer = new InterruptedOptimizer(0.03),
        };
        Assert.That(() => InterruptedOptimizer.Run(null, () => _context.Fit(cancelling, _view), (30 + 22, source.Cancel)), Throws.InstanceOf<OperationCanceledException>());
        Assert.That(Checkpoint.Open(_folder.Path).Student!.Steps, Is.EqualTo(23), "the step in which it was cancelled is the last");
        DistillationTransformer? continued = null;
        Assert.That(InterruptedOptimizer.Run(null, () => continued = _context.Fit(Options, _view)), Is.EqualTo(90 - 23));
        Assert.That(continued!.Scores(_view), Is.EqualTo(whole.Scores(_view)));
    }

    [Test]
    public void A_stage_that_was_stopped_early_stays_so()
    {
        var options = Options with { ValidationFraction = 0.25, EarlyStopping = new EarlyStopping(Patience: 2), Epochs = 30, Optimizer = new InterruptedOptimizer(0.5) };
        var whole = _context.Fit(options with { CheckpointDirectory = null }, _view);
        Assert.That(whole.Model.History, Has.Count.LessThan(30));
        var steps = InterruptedOptimizer.Run(null, () => _context.Fit(options with { CheckpointDirectory = _folder.File("counted") }, _view));
        for (var last = steps - 25; last < steps; last += 3)
        {
            var inFolder = options with { CheckpointDirectory = _folder.File($"{last}") };
            Assert.That(() => InterruptedOptimizer.Run(last, () => _context.Fit(inFolder, _view)), Throws.TypeOf<InterruptedException>());
            var continued = _context.Fit(inFolder, _view);
            Assert.That(continued.Scores(_view), Is.EqualTo(whole.Scores(_view)));
            Assert.That(continued.Model.History, Has.Count.EqualTo(whole.Model.History.Count));
        }
    }

    [Test]
    public void A_training_that_goes_back_to_its_last_good_epoch_does_so_after_an_interruption_too([Values(31, 48, 70, 95)] int last)
    {
        // So high a rate that losses overflow, until it has been lowered a few times.
        var options = Options with
        {
            Method = DistillationMethod.LabelsOnly(),
            Teacher = null,
            Optimizer = new InterruptedOptimizer(1e9),
            OnNonFinite = NonFiniteHandling.GoBack(times: 10, rateFactor: 1e-3),
            Checkpoints = new CheckpointOptions { Interval = TimeSpan.Zero },
        };
        var whole = _context.Fit(options with { CheckpointDirectory = null }, _view);
        Assert.That(whole.Model.History[^1].TimesGoneBack, Is.GreaterThan(1));
        Assert.That(() => InterruptedOptimizer.Run(last, () => _context.Fit(options, _view)), Throws.TypeOf<InterruptedException>());
        var continued = _context.Fit(options, _view);
        Assert.That(continued.Scores(_view), Is.EqualTo(whole.Scores(_view)));
        Assert.That(continued.Model.History.Select(epoch => epoch.TimesGoneBack), Is.EqualTo(whole.Model.History.Select(epoch => epoch.TimesGoneBack)));
        Assert.That(continued.Model.Warnings, Is.EqualTo(whole.Model.Warnings));
    }

    [Test]
    public void A_student_of_embeddings_continues([Values(1, 7, 14)] int last)
    {
        var view = _context.View(ToyEmbeddings.Draw(160, 8));
        var options = ToyEmbeddings.Options() with { Optimizer = new InterruptedOptimizer(0.05), CheckpointDirectory = _folder.Path, Checkpoints = new CheckpointOptions { Interval = TimeSpan.Zero } };
        float[][] Embed(EmbeddingOptions with) => _context.Transforms.DistillEmbedding(with).Fit(view).Scores(view, "Embedding");
        var whole = Embed(options with { CheckpointDirectory = null });
        Assert.That(() => InterruptedOptimizer.Run(last, () => Embed(options)), Throws.TypeOf<InterruptedException>());
        float[][] continued = [];
        Assert.That(InterruptedOptimizer.Run(null, () => continued = Embed(options)), Is.EqualTo(15 - last));
        Assert.That(continued, Is.EqualTo(whole));
        Assert.That(Checkpoint.Open(_folder.Path).Student!.IsFinished, Is.True);
        Assert.That(() => Checkpoint.Open(_folder.Path).CreateStudent(_context), Throws.InvalidOperationException.With.Message.Contains("student of embeddings"));
    }
}
