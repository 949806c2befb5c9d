using Microsoft.ML;
using MlNetDistill.Alignment;
using MlNetDistill.Cache;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Teachers;
using MlNetDistill.Tests.Support;
using static TorchSharp.torch;
using Sequential = TorchSharp.Modules.Sequential;

namespace MlNetDistill.Tests.Teachers;

/// <summary>TorchSharp modules and TorchScript files as teachers, from data view to student.</summary>
public sealed class ModuleTeacherTests
{
    private readonly MLContext _context = Rows.Context();
    private readonly IDataView _view;

    public ModuleTeacherTests() => _view = _context.Keyed(Rows.Points());

    [Test]
    public void A_module_teaches_and_stays_as_it_was()
    {
        using var module = Trained();
        module.train();
        var before = Weights(module);
        var model = _context.Fit(Options(Teacher.FromModule(module, classNames: Rows.Classes)) with { Method = DistillationMethod.Kd(alpha: 1) }, _view);
        Assert.Multiple(() =>
        {
            Assert.That(model.AccuracyOn(Rows.Points(), _view), Is.GreaterThan(0.9));
            Assert.That(Weights(module), Is.EqualTo(before));
            Assert.That(module.training, Is.True);
        });
    }

    [Test]
    public void Taps_of_a_module_give_what_relation_and_stage_methods_read()
    {
        using var module = Trained();
        var parts = module.children().ToArray();
        var taps = new ModuleTaps((nn.Module<Tensor, Tensor>)parts[1], [(nn.Module<Tensor, Tensor>)parts[1]]);
        var teacher = Teacher.FromModule(module, taps, classNames: Rows.Classes);
        Assert.Multiple(() =>
        {
            foreach (var method in new[] { DistillationMethod.Cckd(), DistillationMethod.Sskd() })
                Assert.That(_context.Fit(Options(teacher) with { Method = method, Epochs = 20 }, _view).AccuracyOn(Rows.Points(), _view), Is.GreaterThan(0.9), method.Name);
        });
    }

    [Test]
    public void Kept_activations_were_left_out_of_what_a_preflight_counts()
    {
        using var module = Trained();
        var relu = (nn.Module<Tensor, Tensor>)module.children().ElementAt(1);
        var options = Options(Teacher.FromModule(module, new ModuleTaps(StageFeatures: [relu]), classNames: Rows.Classes)) with { Method = DistillationMethod.Sskd() };
        long Bytes(TeacherCacheOptions cache) => _context.MulticlassClassification.Trainers.Distill(options with { TeacherCache = cache }).Preflight(_view).CacheBytes;
        Assert.Multiple(() =>
        {
            Assert.That(Bytes(new TeacherCacheOptions()), Is.Zero, "answered live");
            Assert.That(Bytes(new TeacherCacheOptions { KeepStageFeatures = true }), Is.EqualTo(240 * (3 + 12) * 4));
            Assert.That(Bytes(new TeacherCacheOptions { KeepStageFeatures = true, Precision = CachePrecision.Half }), Is.EqualTo(240 * (3 + 12) * 2));
        });
    }

    [Test]
    public void A_function_may_ask_a_module_of_any_signature()
    {
        using var module = Trained();
        var teacher = Teacher.FromModule(module, rows => new NetworkOutput(module.call(rows)), classNames: Rows.Classes);
        Assert.That(_context.Fit(Options(teacher), _view).Scores(_view), Is.EqualTo(_context.Fit(Options(Teacher.FromModule(module, classNames: Rows.Classes)), _view).Scores(_view)));
    }

    [Test]
    public void Without_a_cache_a_module_is_queried_in_every_step_and_teaches_the_same([Values] bool inEnsemble)
    {
        using var module = Trained();
        using var other = Trained();
        var rows = 0L;
        var alone = Teacher.FromModule(
            module,
            batch =>
            {
                rows += batch.shape[0];
                return new NetworkOutput(module.call(batch));
            },
            classNames: Rows.Classes);
        var teacher = inEnsemble ? Teacher.Ensemble([alone, Teacher.FromModule(other, classNames: Rows.Classes)]) : alone;
        var options = Options(teacher) with { Epochs = 5, MinimumTeacherAccuracy = 0 };
        var cached = _context.Fit(options, _view).Scores(_view);
        var queriedOnce = rows;
        rows = 0;
        var off = _context.Fit(options with { TeacherCache = new TeacherCacheOptions { Mode = CacheMode.Off } }, _view).Scores(_view);
        Assert.Multiple(() =>
        {
            Assert.That(queriedOnce, Is.InRange(240, 2 * 240), "once, and to try the module");
            Assert.That(rows, Is.InRange(5 * 240, 8 * 240), "in each of 5 epochs, and for the checks before");
            for (var row = 0; row < off.Length; row++)
                Assert.That(off[row], Is.EqualTo(cached[row]).Within(1e-4), $"row {row}");
        });
    }

    [Test]
    public void A_model_that_answers_in_passes_over_the_data_needs_a_cache()
    {
        var teacher = Teacher.FromTransformer(_context.MulticlassClassification.Trainers.SdcaMaximumEntropy("Class", maximumNumberOfIterations: 3).Fit(_view));
        Assert.That(
            () => _context.Fit(Options(teacher) with { TeacherCache = new TeacherCacheOptions { Mode = CacheMode.Off } }, _view),
            Throws.InstanceOf<ArgumentException>().With.Message.Contains("TeacherCache.Mode is Off, so the teacher is queried in every step"));
    }

    [Test]
    public void Settings_of_a_cache_without_a_cache_are_refused() => Assert.That(
        () =>
        {
            using var module = Trained();
            _context.Fit(
                Options(Teacher.FromModule(module, classNames: Rows.Classes)) with { TeacherCache = new TeacherCacheOptions { Mode = CacheMode.Off, TopK = 2 } }, _view);
        },
        Throws.InstanceOf<ArgumentException>().With.Message.Contains("TeacherCache.Mode is Off, so nothing is cached, and Folder"));

    [Test]
    public void A_module_whose_weights_changed_has_another_cache()
    {
        using var folder = new ToyFolder();
        using var module = Trained();
        var options = Options(Teacher.FromModule(module, classNames: Rows.Classes)) with { TeacherCache = new TeacherCacheOptions { Folder = folder.Path }, Epochs = 1 };
        _context.Fit(options, _view);
        _context.Fit(options, _view);
        Assert.That(folder.Entries, Has.Length.EqualTo(1));
        using (no_grad())
            module.parameters().First().mul_(1.01f);
        _context.Fit(options, _view);
        Assert.That(folder.Entries, Has.Length.EqualTo(2));
    }

    [Test]
    public void A_module_that_changed_with_an_equal_hash_is_found_by_querying_16_rows()
    {
        using var folder = new ToyFolder();
        using var module = Trained();
        var sharpness = 1f;
        var teacher = Teacher.FromModule(module, rows => new NetworkOutput(module.call(rows).mul(sharpness)), classNames: Rows.Classes);
        var options = Options(teacher) with { TeacherCache = new TeacherCacheOptions { Folder = folder.Path }, MinimumTeacherAccuracy = 0 };
        _context.Fit(options, _view);
        sharpness = -1;
        var log = new RowsLog(_context);
        var rebuilt = _context.Fit(options, _view).Scores(_view);
        Assert.Multiple(() =>
        {
            Assert.That(log.Warnings, Has.Some.Contains("for 16 rows that were computed again, the teacher's probabilities differ by up to"));
            Assert.That(rebuilt, Is.EqualTo(_context.Fit(options with { TeacherCache = new TeacherCacheOptions() }, _view).Scores(_view)));
        });
        sharpness = 1;
        Assert.That(
            () => _context.Fit(options with { TeacherCache = options.TeacherCache with { Mode = CacheMode.UseOnly } }, _view),
            Throws.InvalidOperationException.With.Message.Contains("the teacher's probabilities differ by up to"));
    }

    [Test]
    public void Logits_that_are_no_numbers_are_refused_with_their_row() => Assert.That(
        () =>
        {
            using var module = Trained();
            using var first = module.parameters().First();
            using (no_grad())
                first.fill_(float.NaN);
            _context.MulticlassClassification.Trainers.Distill(Options(Teacher.FromModule(module, classNames: Rows.Classes))).Preflight(_view);
        },
        Throws.InvalidOperationException.With.Message.Contains("The output of Sequential must hold finite scores; training row 0 (row id 0) has NaN for class 0 (counted from 0)."));

    [Test]
    public void A_row_without_numbers_made_logits_pass_for_probabilities()
    {
        using var scope = NewDisposeScope();
        using var scores = tensor(new[] { float.NaN, 0, 1, 4, -2, 1 }, [2, 3]);
        Assert.That(ScoreReader.Resolve("The output", ScoreKind.Auto, scores), Is.EqualTo(ScoreKind.Logits));
    }

    [Test]
    public void A_row_off_was_said_to_have_been_said_to_hold_probabilities()
    {
        var strange = Rows.Points()[201].Features[0];
        using var module = new HalvedAt(strange);
        Assert.That(() => _context.Fit(Options(Teacher.FromModule(module, classNames: Rows.Classes)), _view), Throws.InvalidOperationException.With.Message.StartsWith(
            "The output of HalvedAt does not hold probabilities: training row 201 (row id 201) holds "));
    }

    [Test]
    public void A_TorchScript_file_teaches()
    {
        var teacher = Teacher.FromTorchScript(RealRows.PathOf("mlp.pt"), classNames: Rows.Classes);
        var report = _context.MulticlassClassification.Trainers.Distill(Options(teacher) with { MinimumTeacherAccuracy = 0 }).Preflight(_view);
        var model = _context.Fit(Options(teacher) with { MinimumTeacherAccuracy = 0, Method = DistillationMethod.Kd(temperature: 1, alpha: 1), Epochs = 40 }, _view);
        Assert.Multiple(() =>
        {
            Assert.That(report.Teacher!.Gives, Is.EqualTo(ModelOutputs.Logits));
            Assert.That(model.Model.History[^1].Losses["kd"], Is.LessThan(0.1 * model.Model.History[0].Losses["kd"]));
        });
    }

    private static DistillationOptions Options(Teacher teacher) => Rows.Quick(teacher) with { Epochs = 12 };

    private static float[] Weights(nn.Module module) => [.. module.state_dict().Values.SelectMany(v => v.data<float>().ToArray())];

    /// <summary>A perceptron that was trained on the points.</summary>
    private static Sequential Trained()
    {
        using var scope = NewDisposeScope();
        random.manual_seed(4);
        var module = nn.Sequential(("first", nn.Linear(4, 12)), ("relu", nn.ReLU()), ("last", nn.Linear(12, 3)));
        using var optimizer = optim.Adam(module.parameters(), 0.05);
        var rows = Rows.Points();
        var x = tensor(rows.SelectMany(r => r.Features).ToArray(), [rows.Length, 4]);
        var y = tensor(rows.Select(r => (long)Array.IndexOf(Rows.Classes, r.Label)).ToArray());
        for (var step = 0; step < 60; step++)
        {
            optimizer.zero_grad();
            nn.functional.cross_entropy(module.call(x), y).backward();
            optimizer.step();
        }

        return module;
    }

    /// <summary>Probabilities, but for one row.</summary>
    private sealed class HalvedAt(float first) : nn.Module<Tensor, Tensor>("halved")
    {
        public override Tensor forward(Tensor input)
        {
            var probabilities = input.narrow(1, 0, 3).softmax(1);
            return where(input.narrow(1, 0, 1).eq(first), probabilities.div(2), probabilities);
        }
    }
}
