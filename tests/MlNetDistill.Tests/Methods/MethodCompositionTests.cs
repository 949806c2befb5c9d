using Microsoft.ML;
using MlNetDistill.Cache;
using MlNetDistill.Data;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Tests.Support;
using TorchSharp;

namespace MlNetDistill.Tests.Methods;

/// <summary>
/// Every method with what a method can be combined with: a student as it must be, or a refusal that names the method. Which of the two it is, the table of
/// docs/methods/index.md says.
/// </summary>
[NonParallelizable]
public sealed class MethodCompositionTests : IDisposable
{
    private readonly MLContext _context = Rows.Context();
    private readonly Point[] _rows = Rows.Points(72);
    private readonly ToyFolder _folder = new();
    private readonly IDataView _view;
    private readonly ITransformer _regression;
    private readonly string[] _checkpoints;
    private readonly int _threads = torch.get_num_threads();

    public MethodCompositionTests()
    {
        // With more, fits as short as these mostly wait where cores are shared.
        torch.set_num_threads(1);
        _view = _context.Keyed(_rows);
        _regression = _context.Regression().Fit(_view);
        var route = Route.Train(NetworkSpec.Mlp(16), every: 6, epochs: 12, folder: _folder.Path);
        _context.Fit(Options(DistillationMethod.Rco()) with { Teacher = route }, _view);
        _checkpoints = [.. Directory.GetFiles(_folder.Path).Order()];
    }

    public static IEnumerable<TestCaseData> Methods() => CompositionTable.Methods.Select(m => new TestCaseData(m.Name, m.Method).SetArgDisplayNames(m.Name));

    public void Dispose()
    {
        torch.set_num_threads(_threads);
        _folder.Dispose();
    }

    [Test]
    public void The_table_has_every_method_and_each_column_that_is_tested() => CompositionTable.Check();

    [TestCaseSource(nameof(Methods))]
    public void A_route_of_one_teacher_is_the_method_and_a_longer_one_visits_each(string name, DistillationMethod method)
    {
        var rco = DistillationMethod.Rco(method);
        Tell(name, "RCO", Options(rco), method.Name, () =>
        {
            var last = Fit(method);
            Assert.That(Fit(rco, Options(rco) with { Teacher = Checkpoints(_checkpoints[^1]) }).Scores(_view), Is.EqualTo(last.Scores(_view)), "without RCO the last teacher counts");
            var visited = Fit(rco);
            Assert.That(visited.Scores(_view), Is.Not.EqualTo(last.Scores(_view)));
            Assert.That(visited.Model.History, Has.Count.EqualTo(2 * last.Model.History.Count));
            Assert.That(visited.Model.History.Select(h => h.Stage).Distinct(), Is.EqualTo(
                from anchor in _checkpoints.Select(Path.GetFileNameWithoutExtension) from stage in last.Model.History.Select(h => h.Stage).Distinct() select $"{stage}, {anchor}"));
        });
    }

    [TestCaseSource(nameof(Methods))]
    public void One_stage_changes_the_teacher_within_it(string name, DistillationMethod method)
    {
        var rco = DistillationMethod.Rco(method, schedule: RcoSchedule.OneStage);
        Tell(name, "RCO in one stage", Options(rco), "use RcoSchedule.Restart", () =>
        {
            var model = Fit(rco);
            Assert.That(model.Model.History.Select(h => h.Stage), Is.EqualTo(new[] { $"{rco.Name}, one stage", $"{rco.Name}, one stage" }));
            Assert.That(model.Model.Notes, Has.Some.Contains($"From epoch 2 on the anchor is {Path.GetFileNameWithoutExtension(_checkpoints[1])}"));
            Assert.That(model.Scores(_view), Is.Not.EqualTo(Fit(method).Scores(_view)), "the first epoch has the first teacher");
        });
    }

    [TestCaseSource(nameof(Methods))]
    public void Example_weights_weigh_rows_whose_labels_do_not_count_at_0(string name, DistillationMethod method)
    {
        DistillationOptions Weighted(DistillationMethod m) => Options(m) with { ExampleWeightColumnName = "Weight" };
        Tell(name, "example weights", Weighted(method), "has a loss over pairs of rows, to which example weights cannot be applied", () =>
        {
            // The first rows of the classes keep their labels: MetaDistil's quiz leaves a row of each class.
            float[][] Scores(Func<int, float> weight, bool mislabel = false) => Fit(method, Weighted(method), _rows.Select((row, i) => new Point
            {
                Features = row.Features,
                Weight = weight(i),
                Label = mislabel && i % 4 == 3 ? Rows.Classes[(i + 1) % 3] : row.Label,
            })).Scores(_view);
            float Some(int row) => row % 4 == 3 ? 0 : 1 + (row % 2);
            var weighted = Scores(Some);
            Assert.That(Scores(row => 2 * Some(row)), Is.EqualTo(weighted), "only their ratio counts");
            Assert.That(weighted, Is.Not.EqualTo(Scores(_ => 1)));
            if (!method.TrainsTeacher)
                Assert.That(Scores(Some, mislabel: true), Is.EqualTo(weighted), "the labels of rows of weight 0");
        });
    }

    [TestCaseSource(nameof(Methods))]
    public void Rows_without_any_label_teach_by_the_teacher_alone(string name, DistillationMethod method)
    {
        var options = Options(method) with { LabelColumnName = null };
        Tell(name, "no labels", options, method.TrainsTeacher ? "as a quiz for the teacher" : "learns from labels alone", () =>
        {
            var model = Fit(method, options);
            var losses = model.Model.History.SelectMany(h => h.Losses).ToList();
            Assert.That(losses.Select(loss => loss.Key), Has.No.Member("crossEntropy"));
            Assert.That(losses.Select(loss => loss.Value), Is.Not.Empty.And.All.GreaterThan(0));
            Assert.That(model.Scores(_view), Is.Not.EqualTo(Fit(method, options with { Teacher = Checkpoints(_checkpoints[0]) }).Scores(_view)), "another teacher makes another student");
        });
    }

    [TestCaseSource(nameof(Methods))]
    public void Augmented_rows_make_another_student_and_noise_of_0_the_same(string name, DistillationMethod method)
    {
        var options = Options(method) with { Augmentations = [Augmentation.GaussianNoise(0.3)] };
        Tell(name, "augmentation", options, method.Name, () =>
        {
            var plain = Fit(method).Scores(_view);
            Assert.That(Fit(method, options).Scores(_view), Is.Not.EqualTo(plain).Within(1e-4f));
            var none = Fit(method, options with { Augmentations = [Augmentation.GaussianNoise(1e-12)] }).Scores(_view);
            Assert.That(none, Is.EqualTo(plain).Within(2e-3f), "though the teacher is queried in each step");
        });
    }

    [TestCaseSource(nameof(Methods))]
    public void Mixed_rows_have_two_labels(string name, DistillationMethod method)
    {
        var options = Options(method) with { Augmentations = [Augmentation.Mixup(0.4)] };
        Tell(name, "mixup", options, "needs one label for each row, and Mixup and CutMix mix labels", () =>
            Assert.That(Fit(method, options).Scores(_view), Is.Not.EqualTo(Fit(method).Scores(_view)).Within(1e-4f)));
    }

    [TestCaseSource(nameof(Methods))]
    public void Outputs_that_are_cached_in_memory_in_a_folder_or_by_an_earlier_fit_make_one_student(string name, DistillationMethod method)
    {
        using var folder = new ToyFolder();
        var options = Options(method) with { TeacherCache = new TeacherCacheOptions { Folder = folder.Path, KeepStageFeatures = true } };
        var written = Fit(method, options).Scores(_view);
        var files = Directory.GetFiles(folder.Path).Length;
        Assert.That(files > 0, Is.EqualTo(CompositionTable.Allows(name, "cache")), "whether there is a cache");
        Assert.That(Fit(method, options).Scores(_view), Is.EqualTo(written), "read again");
        Assert.That(Directory.GetFiles(folder.Path), Has.Length.EqualTo(files));
        Assert.That(Fit(method).Scores(_view), Is.EqualTo(written).Within(1e-4f), "in memory, or stage features queried in each step");
    }

    [TestCaseSource(nameof(Methods))]
    public void A_teacher_of_scores_alone_is_enough_or_refused_by_name(string name, DistillationMethod method)
    {
        var options = Options(method) with { Teacher = Teacher.FromTransformer(_regression) };
        Tell(name, "ML.NET model", options, method.Name, () =>
        {
            var losses = Fit(method, options with { Epochs = 8 }).Model.History.Select(h => h.Losses["total"]).ToList();
            Assert.That(losses[^1], Is.LessThan(0.95 * losses[0]));
        });
    }

    /// <summary>Checks that the settings work, or are refused before anything is trained, as the table says.</summary>
    private void Tell(string name, string column, DistillationOptions options, string refusal, Action works)
    {
        if (CompositionTable.Allows(name, column))
        {
            works();
            return;
        }

        var progress = new RowsProgress();
        var fault = Assert.Catch(() => _context.Fit(options with { Progress = progress }, _view))!;
        Assert.That(fault, Is.InstanceOf<ArgumentOutOfRangeException>().Or.InstanceOf<InvalidOperationException>());
        Assert.That(fault.Message, Does.Contain(refusal));
        Assert.That(progress.Reports, Is.Empty);
    }

    private DistillationTransformer Fit(DistillationMethod method, DistillationOptions? options = null, IEnumerable<Point>? rows = null) =>
        _context.Fit(options ?? Options(method), rows is null ? _view : _context.Keyed(rows));

    private DistillationOptions Options(DistillationMethod method) => Rows.Quick(_checkpoints is null ? null : Checkpoints(_checkpoints)) with
    {
        Method = method,
        Student = EveryMethod.StudentFor(method, NetworkSpec.Mlp(8), 16),
        Epochs = 2,
        BatchSize = 24,
        MinimumTeacherAccuracy = 0,
    };

    private static Teacher Checkpoints(params string[] files) => Route.FromCheckpoints(NetworkSpec.Mlp(16), files);
}
