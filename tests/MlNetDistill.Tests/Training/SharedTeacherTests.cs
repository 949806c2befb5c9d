using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Data;
using MlNetDistill.Tests.Support;
using static TorchSharp.torch;

namespace MlNetDistill.Tests.Training;

/// <summary>Whatever the application hands over, many fits may share at once, and it is left as it was found.</summary>
public sealed class SharedTeacherTests
{
    private const int Threads = 32;
    private readonly MLContext _context = Rows.Context();
    private readonly IDataView _view;

    public SharedTeacherTests() => _view = _context.Keyed(Rows.Points());

    [Test]
    public void One_module_in_training_mode_answers_32_threads_as_it_answers_one()
    {
        using var module = nn.Sequential(("first", nn.Linear(4, 64)), ("drop", nn.Dropout(0.5)), ("last", nn.Linear(64, 3)));
        module.train();
        var last = module.children().Last();
        last.eval();
        var trainer = Trainer(Teacher.FromModule(module, classNames: Rows.Classes, scoreKind: ScoreKind.Logits));
        var expected = Scores(trainer);
        Assert.That(InParallel(() => Scores(trainer)), Has.All.EqualTo(expected));
        Assert.That((module.training, last.training), Is.EqualTo((true, false)));
    }

    [Test]
    public void Fits_that_share_a_module_give_what_each_gives_alone()
    {
        using var module = nn.Sequential(("first", nn.Linear(4, 64)), ("drop", nn.Dropout(0.5)), ("last", nn.Linear(64, 3)));
        module.train();
        // Answered live, so that fits take turns in the midst of their training.
        var options = Options(Teacher.FromModule(module, classNames: Rows.Classes, scoreKind: ScoreKind.Logits)) with
        {
            Augmentations = [Augmentation.GaussianNoise(0.1)],
            Epochs = 2,
        };
        var expected = _context.Fit(options, _view).Scores(_view);
        Assert.That(InParallel(() => _context.Fit(options, _view).Scores(_view), 6), Has.All.EqualTo(expected));
        Assert.That(module.training, Is.True);
    }

    [Test]
    public void One_transformer_answers_32_threads_and_is_not_disposed()
    {
        var model = new Watched(_context.Says(_view, RowsTeachers.Rule));
        var trainer = Trainer(Teacher.FromTransformer(model, classNames: Rows.Classes));
        var expected = Scores(trainer);
        Assert.That(InParallel(() => Scores(trainer)), Has.All.EqualTo(expected));
        Assert.That(model.Disposed, Is.Zero);
    }

    private static DistillationOptions Options(Teacher teacher) => Rows.Quick(teacher) with { MinimumTeacherAccuracy = 0 };

    private DistillationTrainer Trainer(Teacher teacher) => _context.MulticlassClassification.Trainers.Distill(Options(teacher));

    private float[][] Scores(DistillationTrainer trainer) => [.. trainer.ScoreTeacher(_view).GetColumn<float[]>("TeacherScore")];

    private static T[] InParallel<T>(Func<T> work, int threads = Threads)
    {
        using var begin = new Barrier(threads);
        var tasks = Enumerable.Range(0, threads).Select(_ => Task.Factory.StartNew(
            () =>
            {
                begin.SignalAndWait();
                return work();
            },
            CancellationToken.None,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default)).ToArray();
        return Task.WhenAll(tasks).GetAwaiter().GetResult();
    }

    private sealed class Watched(ITransformer inner) : ITransformer, IDisposable
    {
        public int Disposed { get; private set; }

        public bool IsRowToRowMapper => inner.IsRowToRowMapper;

        public DataViewSchema GetOutputSchema(DataViewSchema inputSchema) => inner.GetOutputSchema(inputSchema);

        public IRowToRowMapper GetRowToRowMapper(DataViewSchema inputSchema) => inner.GetRowToRowMapper(inputSchema);

        public IDataView Transform(IDataView input) => inner.Transform(input);

        void ICanSaveModel.Save(ModelSaveContext ctx) => inner.Save(ctx);

        public void Dispose() => Disposed++;
    }
}
