using Microsoft.ML;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Tests.Support;

namespace MlNetDistill.Tests.Teachers;

/// <summary>Routes: teachers in order, recorded, given as files, or fitted.</summary>
public sealed class RouteTests
{
    private readonly MLContext _context = Rows.Context();
    private readonly Point[] _rows = Rows.Points();
    private readonly IDataView _view;

    public RouteTests() => _view = _context.Keyed(_rows);

    [Test]
    public void A_route_is_recorded_while_its_teacher_trains_and_visited_in_order()
    {
        var model = _context.Fit(Rco(Route.Train(NetworkSpec.Mlp(16), every: 2, epochs: 5)), _view);
        Assert.That(model.Model.History.Select(h => h.Stage).Distinct(), Is.EqualTo(new[] { "KD, epoch 2", "KD, epoch 4", "KD, epoch 5 (final)" }));
        Assert.That(model.Model.Method, Is.EqualTo("RCO"));
        Assert.That(model.Model.Notes, Has.Some.EqualTo("RCO: training on anchor 2 of 3, epoch 4, for 4 epochs."));
        Assert.That(model.AccuracyOn(_rows, _view), Is.GreaterThan(0.9));
        Assert.That(model.Teacher!.FindStudent().AccuracyOn(_rows, _view), Is.GreaterThan(0.9));
    }

    [Test]
    public void Checkpoints_on_disk_make_the_same_student_as_checkpoints_in_memory_and_as_the_files_given_again()
    {
        using var folder = new ToyFolder();
        float[][] Student(Teacher route) => _context.Fit(Rco(route), _view).Scores(_view);
        var inMemory = Student(Route.Train(NetworkSpec.Mlp(16), every: 2, epochs: 4));
        var onDisk = Student(Route.Train(NetworkSpec.Mlp(16), every: 2, epochs: 4, folder: folder.Path));
        var files = Directory.GetFiles(folder.Path).Order().ToArray();
        Assert.That(files.Select(Path.GetFileName), Is.EqualTo(new[] { "anchor-0002.weights", "anchor-0004.weights" }));
        Assert.That(onDisk, Is.EqualTo(inMemory));
        Assert.That(Student(Route.FromCheckpoints(NetworkSpec.Mlp(16), files)), Is.EqualTo(inMemory));
    }

    [Test]
    public void Checkpoints_count_by_the_epoch_in_their_name()
    {
        using var folder = new ToyFolder();
        _context.Fit(Rco(Route.Train(NetworkSpec.Mlp(16), every: 1, epochs: 6, folder: folder.Path)), _view);
        var files = Directory.GetFiles(folder.Path).Order().ToArray();
        var options = Rco(Route.FromCheckpoints(NetworkSpec.Mlp(16), [files[1], files[2], files[5]])) with
        {
            Method = DistillationMethod.Rco(anchors: AnchorSelection.EqualInterval(3)),
        };
        var stages = _context.Fit(options, _view).Model.History.Select(h => h.Stage).Distinct();
        Assert.That(stages, Is.EqualTo(new[] { "KD, anchor-0003", "KD, anchor-0006" }));
    }

    [Test]
    public void Forests_of_rising_strength_are_a_route()
    {
        IEstimator<ITransformer> Forest(int trees) => _context.Transforms.Conversion.MapValueToKey("TeacherClass", "Label")
            .Append(_context.MulticlassClassification.Trainers.OneVersusAll(
                _context.BinaryClassification.Trainers.FastTree("TeacherClass", numberOfLeaves: 4, numberOfTrees: trees, minimumExampleCountPerLeaf: 2),
                "TeacherClass"));
        var route = Route.FromEstimators(("2 trees", Forest(2)), ("8 trees", Forest(8)), ("20 trees", Forest(20)));
        var model = _context.Fit(Rco(route) with { Method = DistillationMethod.Rco(DistillationMethod.Kd(temperature: 2)) }, _view);
        Assert.That(model.Model.History.Select(h => h.Stage).Distinct(), Is.EqualTo(new[] { "KD, 2 trees", "KD, 8 trees", "KD, 20 trees" }));
        Assert.That(model.AccuracyOn(_rows, _view), Is.GreaterThan(0.9));
        Assert.That(model.Teacher!.AccuracyOn(_rows, _view), Is.GreaterThan(0.9), "the last forest is handed out");
    }

    [Test]
    public void Any_teachers_in_order_are_a_route_and_each_teaches_what_it_knows()
    {
        float[] Blunt(float[] features) => [.. RowsTeachers.Rule(features).Select(p => (0.2f * p) + (0.8f / 3))];
        var route = Route.FromTeachers(("blunt", _context.Saying(_view, Blunt)), ("sharp", _context.Saying(_view, RowsTeachers.Rule)));
        var model = _context.Fit(
            Rco(route) with
            {
                Method = DistillationMethod.Rco(DistillationMethod.Kd(1, alpha: 1)),
                Epochs = 25,
                MinimumTeacherAccuracy = 0,
                Student = NetworkSpec.Mlp(16),
            },
            _view);
        Assert.That(Rows.Agreement(model.Predictions(_view), [.. _rows.Select(RowsTeachers.RuleClass)]), Is.GreaterThan(0.85));
    }

    [Test]
    public void Greedy_selection_logs_its_ratios_and_ends_with_the_last_anchor()
    {
        var log = new RowsLog(_context);
        var options = Rco(Route.Train(NetworkSpec.Mlp(16), every: 1, epochs: 5)) with
        {
            Method = DistillationMethod.Rco(anchors: AnchorSelection.Greedy(delta: 1.2)),
            ValidationFraction = 0.25,
        };
        var model = _context.Fit(options, _view);
        Assert.That(log.Lines, Has.Some.Contains("Greedy anchor selection after epoch 1: divergence ratios epoch 2 "));
        Assert.That(model.Model.History[^1].Stage, Does.Contain("(final)"));
    }

    [Test]
    public void A_method_for_one_teacher_learns_from_the_last_anchor_of_a_route()
    {
        var model = _context.Fit(Rows.Quick(Route.Train(NetworkSpec.Mlp(16), every: 2, epochs: 4)), _view);
        Assert.That(model.Model.History.Select(h => h.Stage).Distinct(), Is.EqualTo(new[] { "KD" }));
        Assert.That(Rows.Agreement(model.Predictions(_view), model.Teacher!.Predictions(_view)), Is.GreaterThan(0.9));
    }

    [TestCaseSource(nameof(PlansThatCannotWork))]
    public void What_cannot_work_is_said_before_the_teacher_trains(Func<DistillationOptions, DistillationOptions> change, string message)
    {
        var progress = new RowsProgress();
        var options = change(Rco(Route.Train(NetworkSpec.Mlp(16), every: 2, epochs: 6)) with { Progress = progress });
        Assert.That(() => _context.Fit(options, _view), Throws.InvalidOperationException.With.Message.Contains(message));
        Assert.That(progress.Reports, Is.Empty);
    }

    public static IEnumerable<TestCaseData> PlansThatCannotWork()
    {
        TestCaseData Case(string name, Func<DistillationOptions, DistillationOptions> change, string message) =>
            new TestCaseData(change, message).SetArgDisplayNames(name);
        yield return Case(
            "too few epochs", o => o with { Method = DistillationMethod.Sskd(), Epochs = 1 }, "SSKD needs at least one epoch for each stage and for the head; of 1 epoch they would have");
        yield return Case(
            "no such tap", o => o with { Method = DistillationMethod.Sskd([new StagePair(0, 0), new StagePair(7, 0)]) }, "reads tap 7 of the student");
        yield return Case(
            "epoch not recorded", o => o with { Method = DistillationMethod.Rco(anchors: AnchorSelection.Epochs(5)) }, "The route has no anchor for epoch 5; it has epochs 2, 4, 6.");
        yield return Case(
            "one stage too short", o => o with { Method = DistillationMethod.Rco(schedule: RcoSchedule.OneStage), Epochs = 2 }, "One run of 2 epochs is too short for 3 anchors");
    }

    [Test]
    public void Checkpoints_whose_epochs_do_not_rise_are_refused() => Refused(
        Rco(Route.FromCheckpoints(NetworkSpec.Mlp(4), "a/anchor-0010.weights", "b/anchor-0010.weights")),
        "The epochs of a route's checkpoints must rise; by their names they are 10, 10. List the files in the order of training, or give one of them another name.");

    [Test]
    public void RCO_with_a_single_teacher_is_refused() => Refused(
        Rco(Teacher.Train(NetworkSpec.Mlp(4))), "The method RCO needs a route of teachers; make one with the Route class.");

    [Test]
    public void Greedy_selection_without_held_out_rows_is_refused() => Refused(
        Rco(Route.Train(NetworkSpec.Mlp(4))) with { Method = DistillationMethod.Rco(anchors: AnchorSelection.Greedy(2)) },
        "The method RCO needs held-out rows: give ValidationFraction, ValidationColumnName or ValidationData.");

    [Test]
    public void Faults_of_a_route_are_named_all_at_once() => Refused(
        Rco(Route.Train(NetworkSpec.Mlp(0), every: 0, epochs: 0)),
        string.Join(
            Environment.NewLine,
            "The route's checkpoints must be at least 1 epoch apart; 'every' was 0.",
            "The route's epochs must be at least 1; was 0.",
            "Route: A hidden layer must have at least 1 unit; one has 0."));

    [Test]
    public void A_route_within_a_route_is_refused() => Refused(
        Rco(Route.FromTeachers(("inner", Route.Train(NetworkSpec.Mlp(4))))), "The anchor 'inner' is a route itself; give its anchors one by one.");

    [Test]
    public void A_checkpoint_that_is_missing_is_named() => Assert.That(
        () => _context.Fit(Rco(Route.FromCheckpoints(NetworkSpec.Mlp(4), "nowhere/anchor.weights")), _view),
        Throws.InvalidOperationException.With.Message.EqualTo(
            "There is no checkpoint 'nowhere/anchor.weights'. Route.Train with a folder writes checkpoints."));

    [Test]
    public void A_checkpoint_of_another_network_is_named()
    {
        using var folder = new ToyFolder();
        _context.Fit(Rco(Route.Train(NetworkSpec.Mlp(16), every: 2, epochs: 2, folder: folder.Path)), _view);
        var file = Directory.GetFiles(folder.Path).Single();
        Assert.That(
            () => _context.Fit(Rco(Route.FromCheckpoints(NetworkSpec.Mlp(9), file)), _view),
            Throws.InvalidOperationException.With.Message.StartsWith($"The checkpoint '{file}' is of MLP 16 ("));
        File.WriteAllText(file, "no weights");
        Assert.That(
            () => _context.Fit(Rco(Route.FromCheckpoints(NetworkSpec.Mlp(16), file)), _view),
            Throws.InvalidOperationException.With.Message.StartsWith($"The checkpoint '{file}' cannot be used: it is not a checkpoint, or not one of this version."));
    }

    private static DistillationOptions Rco(Teacher route) => Rows.Quick(route) with { Method = DistillationMethod.Rco(), Epochs = 4 };

    private void Refused(DistillationOptions options, string message) => Assert.That(
        () => _context.MulticlassClassification.Trainers.Distill(options),
        Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.Contains(message));
}
