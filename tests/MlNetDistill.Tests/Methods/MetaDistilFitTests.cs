using Microsoft.ML;
using MlNetDistill.Cache;
using MlNetDistill.Data;
using MlNetDistill.Losses;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Tests.Searching;
using MlNetDistill.Tests.Support;
using TorchSharp;

namespace MlNetDistill.Tests.Methods;

/// <summary>MetaDistil through the trainer: which teachers it takes, what it says of the others before anything is trained, and what a fit reports.</summary>
public sealed class MetaDistilFitTests
{
    private static readonly DistillationMethod Method = DistillationMethod.MetaDistil(new MetaDistilOptions { FixedTeacherShare = 0 });
    private readonly MLContext _context = Rows.Context();
    private readonly IDataView _view;

    public MetaDistilFitTests() => _view = _context.Keyed(Rows.Points());

    private static IEnumerable<TestCaseData> Fixed()
    {
        static TestCaseData Case(string name, Func<MLContext, IDataView, Teacher> make) => new TestCaseData(make).SetArgDisplayNames(name);
        yield return Case("a fitted model", (context, view) => context.Saying(view, RowsTeachers.Rule));
        yield return Case("a pipeline", (context, _) => Teacher.FromEstimator(context.Regression()));
        yield return Case("a score column", (_, _) => Teacher.FromColumn("Features", classNames: Rows.Classes));
        yield return Case("an ONNX file", (_, _) => Teacher.FromOnnx("teacher.onnx"));
        yield return Case("a TorchScript file", (_, _) => Teacher.FromTorchScript("teacher.pt"));
        yield return Case("a module", (_, _) => Teacher.FromModule(torch.nn.Linear(4, 3)));
        yield return Case("an ensemble of networks", (_, _) => Teacher.Ensemble(Teacher.Train(NetworkSpec.Mlp(4)), Teacher.Train(NetworkSpec.Mlp(5))));
        yield return Case("a route of pipelines", (context, _) => Route.FromEstimators(("one", context.Regression()), ("two", context.Regression())));
    }

    [TestCaseSource(nameof(Fixed))]
    public void A_teacher_that_cannot_be_trained_is_refused_by_name_with_the_settings(Func<MLContext, IDataView, Teacher> make)
    {
        var teacher = make(_context, _view);
        Assert.That(
            () => _context.MulticlassClassification.Trainers.Distill(Rows.Quick(teacher) with { Method = Method }),
            Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.Contains($"The method MetaDistil trains a copy of its teacher, and this one ({teacher}) cannot be copied and trained: "));
    }

    [Test]
    public void Labels_that_the_quiz_needs_are_asked_for_before_the_teacher_is_trained()
    {
        using var folder = new ToyFolder();
        _context.Fit(Rows.Quick(Route.Train(NetworkSpec.Mlp(8), every: 2, epochs: 4, folder: folder.Path)) with { Method = DistillationMethod.Rco() }, _view);
        var checkpoints = Directory.GetFiles(folder.Path).Order().ToArray();
        var progress = new RowsProgress();
        var options = Rows.Quick(Route.FromCheckpoints(NetworkSpec.Mlp(8), checkpoints)) with { Method = Method, LabelColumnName = null, Progress = progress };
        Assert.That(() => _context.Fit(options, _view), Throws.InvalidOperationException.With.Message.StartsWith(
            "The method MetaDistil holds labelled training rows out as a quiz for the teacher, and no row trained on has a label that counts. "));
        Assert.That(progress.Reports, Is.Empty);
    }

    [Test]
    public void Checkpoints_teach_and_their_files_stay_as_they_are()
    {
        using var folder = new ToyFolder();
        _context.Fit(Rows.Quick(Route.Train(NetworkSpec.Mlp(8), every: 2, epochs: 4, folder: folder.Path)) with { Method = DistillationMethod.Rco() }, _view);
        var checkpoints = Directory.GetFiles(folder.Path).Order().ToArray();
        var before = checkpoints.Select(File.ReadAllBytes).ToList();
        var model = _context.Fit(Rows.Quick(Route.FromCheckpoints(NetworkSpec.Mlp(8), checkpoints)) with { Method = DistillationMethod.Rco(Method), Epochs = 12 }, _view);
        Assert.That(model.AccuracyOn(Rows.Points(), _view), Is.GreaterThan(0.9));
        Assert.That(checkpoints.Select(File.ReadAllBytes), Is.EqualTo(before));
    }

    [Test]
    public void The_loss_of_the_quiz_is_reported_and_the_teacher_that_the_fit_returns_is_the_one_before()
    {
        var progress = new RowsProgress();
        var options = Rows.Quick(Teacher.Train(NetworkSpec.Mlp(16))) with { Progress = progress };
        var model = _context.Fit(options with { Method = Method }, _view);
        Assert.That(progress.Reports.Where(r => r.Stage == "MetaDistil").Select(r => r.Losses["quiz"]).ToList(), Has.Count.EqualTo(6).And.All.GreaterThan(0));
        Assert.That(model.Teacher!.Scores(_view), Is.EqualTo(_context.Fit(options, _view).Teacher!.Scores(_view)), "KD's teacher is not trained");
    }

    [Test]
    public void Example_weights_and_held_out_rows_can_be_used()
    {
        var rows = Rows.Points().Select((row, i) => new Point { Label = row.Label, Features = row.Features, Weight = 1 + (i % 3) }).ToArray();
        var model = _context.Fit(
            Rows.Quick(Teacher.Train(NetworkSpec.Mlp(16))) with { Method = Method, ExampleWeightColumnName = "Weight", ValidationFraction = 0.2, Epochs = 12 }, _context.Keyed(rows));
        Assert.That(model.AccuracyOn(Rows.Points(), _view), Is.GreaterThan(0.9));
    }

    [Test]
    public void A_preflight_counts_the_rows_without_the_quiz_and_times_rounds()
    {
        var report = _context.MulticlassClassification.Trainers.Distill(Rows.Quick(Teacher.Train(NetworkSpec.Mlp(16))) with { Method = Method }).Preflight(_view);
        Assert.That(report.Stages.Single().StepsPerEpoch, Is.EqualTo(14), "216 of 240 rows in batches of 16");
        Assert.That(report.TrainingTime, Is.GreaterThan(TimeSpan.Zero));
        using var folder = new ToyFolder();
        _context.Fit(Rows.Quick(Route.Train(NetworkSpec.Mlp(8), every: 4, epochs: 4, folder: folder.Path)) with { Method = DistillationMethod.Rco() }, _view);
        var checkpoints = Route.FromCheckpoints(NetworkSpec.Mlp(8), Directory.GetFiles(folder.Path).Order().ToArray());
        var ready = _context.MulticlassClassification.Trainers.Distill(Rows.Quick(checkpoints) with { Method = Method }).Preflight(_view);
        Assert.That(ready.Stages.Single().TimePerStep, Is.GreaterThan(TimeSpan.Zero));
    }

    [Test]
    public void Nothing_is_cached_where_no_stage_reads_the_outputs_of_the_given_teacher()
    {
        using var route = new ToyFolder();
        _context.Fit(Rows.Quick(Route.Train(NetworkSpec.Mlp(8), every: 4, epochs: 4, folder: route.Path)) with { Method = DistillationMethod.Rco() }, _view);
        var checkpoints = Route.FromCheckpoints(NetworkSpec.Mlp(8), Directory.GetFiles(route.Path).Order().ToArray());
        long Files(DistillationMethod method)
        {
            using var folder = new ToyFolder();
            var options = Rows.Quick(checkpoints) with { Method = method, TeacherCache = new TeacherCacheOptions { Folder = folder.Path }, ValidationFraction = 0.2 };
            var cached = _context.Trainer(options).Preflight(_view).CacheBytes;
            _context.Fit(options, _view);
            var files = Directory.GetFiles(folder.Path, "*", SearchOption.AllDirectories).Length;
            Assert.That(cached > 0, Is.EqualTo(files > 0), "as the preflight says");
            return files;
        }

        Assert.That(Files(DistillationMethod.Kd()), Is.GreaterThan(0));
        Assert.That(Files(Method), Is.Zero);
        Assert.That(Files(DistillationMethod.MetaDistil()), Is.Zero);
        Assert.That(Files(new KdFirst()), Is.GreaterThan(0), "its first stage reads them");
    }

    [Test]
    public void A_search_gives_every_method_as_many_steps()
    {
        DistillationMethod[] methods = [DistillationMethod.Kd(), Method, DistillationMethod.MetaDistil(new MetaDistilOptions { QuizShare = 0.4 }), DistillationMethod.Dist()];
        var result = _context.Trainer(Rows.Quick(Teacher.Train(NetworkSpec.Mlp(16)))).Search(
            _view, new SearchOptions { MinimumSteps = 1000, Space = new SearchSpace { Methods = methods, LearningRates = [0.03], TransferRows = [null] } });
        Assert.That(result.Leaderboard.Count(trial => !trial.IsAlone), Is.EqualTo(4));
        Assert.That(result.Leaderboard.Select(trial => trial.Last!.Steps).Distinct(), Is.EqualTo(new[] { result.StepsOfOneFit }));
    }

    [Test]
    public void The_options_of_a_search_take_as_many_steps_as_the_chosen_training()
    {
        var half = DistillationMethod.MetaDistil(new MetaDistilOptions { QuizShare = 0.5, FixedTeacherShare = 0 });
        var result = _context.Trainer(Rows.Quick(Teacher.Train(NetworkSpec.Mlp(16)))).Search(
            _view, new SearchOptions { MinimumSteps = 1000, Space = new SearchSpace { Methods = [half], LearningRates = [0.03], TransferRows = [null] } });
        Assert.That(result.Options.Epochs, Is.EqualTo(11), "6 epochs of 11 batches of 168 rows, in epochs of 6 batches of the 84 that are not the quiz");
    }

    [Test]
    public void Rows_that_the_quiz_leaves_too_few_of_are_refused_before_the_teacher_is_trained()
    {
        var progress = new RowsProgress();
        var options = Rows.Quick(Teacher.Train(NetworkSpec.Mlp(16))) with { Method = Method, Progress = progress, MinimumTeacherAccuracy = 0 };
        Assert.That(
            () => _context.Fit(options with { Sampling = BatchSampling.ClassUniform(1), BatchSize = 3 }, _context.Keyed(Rows.Points(4))),
            Throws.InvalidOperationException.With.Message.StartsWith("Stage 'MetaDistil', on the training rows that are not in its quiz: A class-uniform batch of 3 rows, 1 of each class, needs 3 classes, but only "));
        Assert.That(
            () => _context.Fit(options, _context.Keyed(Rows.Points(2))),
            Throws.InvalidOperationException.With.Message.StartsWith("Stage 'MetaDistil' holds labelled training rows out as a quiz, and of 2 training rows 2 have a label; at least 3 must. "));
        Assert.That(progress.Reports, Is.Empty);
    }

    [Test]
    public void The_student_alone_has_as_many_steps()
    {
        var model = _context.Fit(Rows.Quick(Teacher.Train(NetworkSpec.Mlp(16))) with { Method = Method, CompareAlone = true, ValidationFraction = 0.2 }, _view);
        Assert.That(model.Alone, Is.Not.Null);
    }

    [Test]
    public void Anchors_cannot_change_within_a_stage() => Assert.That(
        DistillationMethod.Rco(Method, schedule: RcoSchedule.OneStage).Validate(),
        Is.EqualTo(new[] { "RcoSchedule.OneStage cannot switch anchors inside MetaDistil, which trains a copy of its teacher; use RcoSchedule.Restart." }));

    [Test]
    public void A_method_of_your_own_can_put_a_stage_before()
    {
        var model = _context.Fit(Rows.Quick(Teacher.Train(NetworkSpec.Mlp(16))) with { Method = new LabelsFirst(), Epochs = 8 }, _view);
        Assert.That(model.AccuracyOn(Rows.Points(), _view), Is.GreaterThan(0.9));
        Assert.That(model.Model.Notes, Is.Empty);
    }

    private sealed record KdFirst : DistillationMethod
    {
        public override string Name => "KD first";

        public override ModelOutputs TeacherNeeds => ModelOutputs.Logits;

        public override bool TrainsTeacher => true;

        public override bool HasSeveralPhases => true;

        public override IEnumerable<TrainingPhase> Phases(MethodContext context)
        {
            var stage = context.Stage("KD", new KdLoss(2));
            yield return stage;
            yield return new BilevelStage(stage with { Name = "meta" }, Optimizer.AdamW(0.001), PilotLearningRate: 0.1);
        }
    }

    private sealed record LabelsFirst : DistillationMethod
    {
        public override string Name => "labels first";

        public override ModelOutputs TeacherNeeds => ModelOutputs.Logits;

        public override bool TrainsTeacher => true;

        public override bool HasSeveralPhases => true;

        public override IEnumerable<TrainingPhase> Phases(MethodContext context)
        {
            yield return context.Stage("labels", context.LabelLoss) with { Epochs = context.Epochs / 2 };
            var stage = context.Stage("meta", (0.5 * context.LabelLoss) + (0.5 * new KdLoss(2))) with { Epochs = context.Epochs - (context.Epochs / 2) };
            yield return new BilevelStage(stage, Optimizer.AdamW(0.001), PilotLearningRate: 0.1);
        }
    }
}
