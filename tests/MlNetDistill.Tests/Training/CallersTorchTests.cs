using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Cache;
using MlNetDistill.Core;
using MlNetDistill.Data;
using MlNetDistill.Losses;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Tests.Support;
using static TorchSharp.torch;

namespace MlNetDistill.Tests.Training;

/// <summary>What the application has set in TorchSharp, for its thread or for all of them, neither changes a fit nor is changed by it.</summary>
[NonParallelizable]
public sealed class CallersTorchTests
{
    private readonly MLContext _context = Rows.Context();
    private readonly IDataView _view;

    public CallersTorchTests() => _view = _context.Keyed(Rows.Points());

    private static IEnumerable<TestCaseData> Modes()
    {
        yield return new TestCaseData(() => no_grad()).SetArgDisplayNames("no_grad");
        yield return new TestCaseData(() => inference_mode()).SetArgDisplayNames("inference_mode");
        yield return new TestCaseData(() => set_grad_enabled(false)).SetArgDisplayNames("set_grad_enabled");
    }

    [TestCaseSource(nameof(Modes))]
    public void A_fit_without_gradients_returned_an_untrained_student(Func<IDisposable> mode)
    {
        var options = Rows.Quick(Teacher.Train(NetworkSpec.Mlp(12)));
        var expected = _context.Fit(options, _view).Scores(_view);
        using (mode())
        {
            var before = (is_grad_enabled(), is_inference_mode_enabled());
            var model = _context.Fit(options, _view);
            Assert.That((is_grad_enabled(), is_inference_mode_enabled()), Is.EqualTo(before), "restored");
            Assert.That(model.Scores(_view), Is.EqualTo(expected));
            Assert.That(model.AccuracyOn(Rows.Points(), _view), Is.GreaterThan(0.9));
        }

        Assert.That((is_grad_enabled(), is_inference_mode_enabled()), Is.EqualTo((true, false)));
    }

    [TestCaseSource(nameof(Modes))]
    public void Preflight_teachers_scores_and_a_student_to_go_on_with_need_no_gradients_of_the_caller(Func<IDisposable> mode)
    {
        using var module = nn.Linear(4, 3);
        var trainer = _context.MulticlassClassification.Trainers.Distill(Rows.Quick(Teacher.FromModule(module, classNames: Rows.Classes)) with { MinimumTeacherAccuracy = 0 });
        var student = _context.Fit(Rows.Quick(), _view);
        var expected = (Scores(trainer), Onnx(student));
        using (mode())
        {
            Assert.That(() => trainer.Preflight(_view), Throws.Nothing);
            Assert.That((Scores(trainer), Onnx(student)), Is.EqualTo(expected));
            Assert.That(
                () => _context.Fit(Rows.Quick() with { InitialWeights = InitialWeights.From(student.Model, 0.5) }, _view).Model.History[^1].Losses["crossEntropy"],
                Is.LessThan(student.Model.History[0].Losses["crossEntropy"]));
        }
    }

    [Test]
    public void Progress_that_turns_gradients_off_ended_the_training_without_a_word()
    {
        var expected = _context.Fit(Rows.Quick(), _view).Scores(_view);
        using var gradients = set_grad_enabled(true);
        Assert.That(_context.Fit(Rows.Quick() with { Progress = new RowsProgress(_ => set_grad_enabled(false)) }, _view).Scores(_view), Is.EqualTo(expected));
        Assert.That(is_grad_enabled(), Is.True);
    }

    private static IEnumerable<TestCaseData> Fits()
    {
        TestCaseData Case(string name, Func<CallersTorchTests, DistillationOptions> options) => new TestCaseData(options).SetArgDisplayNames(name);
        yield return Case("a trained route", _ => Rows.Quick(Route.Train(NetworkSpec.Mlp(12), every: 3)) with { Method = DistillationMethod.Rco(), ValidationFraction = 0.2 });
        yield return Case("a model, by clusters", t => Rows.Quick(t._context.Saying(t._view, RowsTeachers.Rule)) with
        {
            MinimumTeacherAccuracy = 0,
            Sampling = BatchSampling.SuperclassUniform(3, 4),
            BatchSize = 12,
            ExampleWeightColumnName = "Weight",
        });
        yield return Case("views", _ => Rows.Quick(Teacher.Train(NetworkSpec.Mlp(12))) with
        {
            Augmentations = [Augmentation.Mixup(), Augmentation.GaussianNoise(0.1), Augmentation.MarginalSwap()],
            TeacherCache = new TeacherCacheOptions { AugmentedViews = 2, TopK = 2, Precision = CachePrecision.Half },
        });
        yield return Case("an ONNX file", _ => Rows.Quick(Teacher.FromOnnx(RealRows.PathOf("iris-mlp.onnx"), classNames: Rows.Classes)) with { MinimumTeacherAccuracy = 0 });
    }

    [TestCaseSource(nameof(Fits))]
    public void Other_defaults_of_element_type_and_device_change_no_bit(Func<CallersTorchTests, DistillationOptions> options)
    {
        var expected = _context.Fit(options(this), _view).Scores(_view);
        var before = (get_default_dtype(), get_default_device());
        set_default_dtype(float64);
        // Where tensors have no values: what is made there by mistake cannot be computed with.
        set_default_device(META);
        try
        {
            Assert.That(_context.Fit(options(this), _view).Scores(_view), Is.EqualTo(expected));
            Assert.That((get_default_dtype(), get_default_device()), Is.EqualTo((float64, META)));
        }
        finally
        {
            set_default_dtype(before.Item1);
            set_default_device(before.Item2);
        }
    }

    [Test]
    public void The_process_wide_generator_and_the_number_of_threads_are_left_as_they_were()
    {
        random.manual_seed(5);
        var (before, threads) = (State(), get_num_threads());
        _context.Fit(Rows.Quick(Teacher.Train(NetworkSpec.Mlp(12))), _view);
        Assert.That((State(), get_num_threads()), Is.EqualTo((before, threads)), "networks of this library");
        _context.Fit(Rows.Quick() with { Student = new Dropping() }, _view);
        Assert.That((State(), get_num_threads()), Is.EqualTo((before, threads)), "modules that draw");
        _context.Fit(Rows.Quick() with { Method = DistillationMethod.FromLoss("noisy", new Noisy()) }, _view);
        Assert.That(State(), Is.EqualTo(before), "a loss that draws");
    }

    private static byte[] State()
    {
        using var state = random.get_rng_state();
        return state.bytes.ToArray();
    }

    private float[][] Scores(DistillationTrainer trainer) => [.. trainer.ScoreTeacher(_view).GetColumn<float[]>("TeacherScore")];

    private static byte[] Onnx(DistillationTransformer model)
    {
        using var stream = new MemoryStream();
        model.SaveOnnx(stream);
        return stream.ToArray();
    }

    private sealed record Dropping : NetworkSpec
    {
        public override string Name => "dropping";

        protected override NetworkPlan Plan(InputShape shape, int logitCount, Generator generator)
        {
            var linear = nn.Linear(shape.Length, 6);
            return new NetworkPlan(
                [
                    new ModuleBlock(linear, (graph, input) => graph.Add("Gemm", [input, graph.Constant(linear.weight!), graph.Constant(linear.bias!)], ("transB", 1L))),
                    new ModuleBlock(nn.Dropout(0.1), (_, input) => input),
                ],
                [],
                6);
        }
    }

    private sealed class Noisy : DistillationLoss
    {
        public override string Name => "noisy";

        public override ModelOutputs TeacherNeeds => ModelOutputs.None;

        public override Tensor Evaluate(LossInputs inputs) => CrossEntropyLoss.Compute(inputs.Student.Logits.add(randn_like(inputs.Student.Logits)), inputs.Labels);
    }
}
