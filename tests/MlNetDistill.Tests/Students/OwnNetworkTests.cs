using Microsoft.ML;
using MlNetDistill.Core;
using MlNetDistill.Networks;
using MlNetDistill.Tests.Support;
using static TorchSharp.torch;

namespace MlNetDistill.Tests.Students;

/// <summary>Networks as users write them, from the data view to the saved model and back.</summary>
public sealed class OwnNetworkTests
{
    private readonly MLContext _context = Rows.Context();
    private readonly Point[] _points = Rows.Points();
    private readonly IDataView _view;

    public OwnNetworkTests() => _view = _context.Keyed(_points);

    [Test]
    public void A_network_that_does_not_end_in_a_linear_layer_is_distilled_saved_and_loaded()
    {
        var teacher = Teacher.FromEstimator(_context.TeacherPipeline());
        var student = _context.Fit(Rows.Quick(teacher) with { Student = new WideAndDeepSpec() }, _view);
        Assert.That(student.Model.ParameterCount, Is.EqualTo((4 * 3) + 3 + (4 * 8) + 8 + (8 * 3) + 3), "the identity has no parameters");
        AssertGoodAndSameAfterLoading(student);
    }

    [Test]
    public void A_network_with_a_module_of_TorchSharp_is_distilled_saved_and_loaded()
    {
        var student = _context.Fit(Rows.Quick() with { Student = new ModuleSpec(ForgetsNormalization: false) }, _view);
        AssertGoodAndSameAfterLoading(student);
    }

    [Test]
    public void The_same_seed_gives_the_same_student_with_a_module_whose_weights_are_drawn_anew()
    {
        var options = Rows.Quick() with { Student = new ModuleSpec(ForgetsNormalization: false) };
        manual_seed(1);
        var first = _context.Fit(options, _view).Scores(_view);
        manual_seed(2);
        Assert.That(_context.Fit(options, _view).Scores(_view), Is.EqualTo(first));
    }

    [Test]
    public void A_module_whose_ONNX_form_forgets_a_normalisation_is_refused_before_training()
    {
        var progress = new RowsProgress(_ => { });
        var thrown = Assert.Throws<StudentExportException>(() => _context.Fit(
            Rows.Quick() with { Student = new ModuleSpec(ForgetsNormalization: true), Progress = progress }, _view));
        Assert.That(thrown!.Message, Does.StartWith("module and its ONNX form differ by up to ").And.Contain("before training"));
        Assert.That(progress.Reports, Is.Empty);
    }

    [Test]
    public void A_slip_in_the_first_layers_of_a_deep_network_is_found_before_training()
    {
        // With initial statistics every layer weakens what it is given, and twenty layers on, nothing of the first one is left to compare.
        var options = Rows.Quick() with { Student = new DeepSpec(), Epochs = 1 };
        var thrown = Assert.Throws<StudentExportException>(() => _context.Fit(options, _view));
        Assert.That(thrown!.Message, Does.Contain("before training"));
    }

    private void AssertGoodAndSameAfterLoading(DistillationTransformer student)
    {
        Assert.That(student.AccuracyOn(_points, _view), Is.GreaterThan(0.9));
        Assert.That(ModelScores.LargestDifference(student.Scores(_view), ModelScores.ComputeWithNetwork(student, _view)), Is.LessThanOrEqualTo(1e-4));
        var loaded = _context.Reloaded(student, _view.Schema);
        Assert.That(ModelScores.ReadLines(loaded.Transform(_view)), Is.EqualTo(ModelScores.ReadLines(student.Transform(_view))));
    }

    /// <summary>A linear model and a perceptron whose logits are added.</summary>
    private sealed record WideAndDeepSpec : NetworkSpec
    {
        public override string Name => "wide and deep";

        protected override NetworkPlan Plan(InputShape shape, int logitCount, Generator generator)
        {
            var wide = new Linear(shape.Length, logitCount, generator);
            var deep = new Sequential(new Linear(shape.Length, 8, generator), new Relu(), new Linear(8, logitCount, generator));
            return NetworkPlan.EndingInLogits([new ResidualAdd(deep, wide)], [], logitCount);
        }
    }

    /// <summary>A linear layer and a normalisation of TorchSharp's.</summary>
    private sealed record ModuleSpec(bool ForgetsNormalization) : NetworkSpec
    {
        public override string Name => "module";

        protected override NetworkPlan Plan(InputShape shape, int logitCount, Generator generator)
        {
            var linear = nn.Linear(shape.Length, 8);
            var normalization = nn.BatchNorm1d(8);
            var module = nn.Sequential(linear, normalization);
            WeightInitialization.Reinitialize(module, generator);
            return new NetworkPlan([new ModuleBlock(module, (graph, input) => Emit(graph, input, linear, normalization)), new Relu()], [], 8);
        }

        private string Emit(OnnxGraph graph, string input, TorchSharp.Modules.Linear linear, TorchSharp.Modules.BatchNorm1d normalization)
        {
            var product = graph.Add("Gemm", [input, graph.Constant(linear.weight!), graph.Constant(linear.bias!)], ("transB", 1L));
            if (ForgetsNormalization)
                return product;
            string[] constants =
            [
                graph.Constant(normalization.weight!), graph.Constant(normalization.bias!),
                graph.Constant(normalization.running_mean!), graph.Constant(normalization.running_var!),
            ];
            return graph.Add("BatchNormalization", [product, .. constants], ("epsilon", 1e-5f));
        }
    }

    /// <summary>Twenty layers, the first of which forgets its rectifier in the graph.</summary>
    private sealed record DeepSpec : NetworkSpec
    {
        public override string Name => "deep";

        protected override NetworkPlan Plan(InputShape shape, int logitCount, Generator generator)
        {
            List<Block> body = [new Linear(shape.Length, 16, generator), new SilentRelu()];
            for (var layer = 0; layer < 20; layer++)
                body.AddRange([new Linear(16, 16, generator), new BatchNormalization(16), new Relu()]);
            return new NetworkPlan(body, [], 16);
        }
    }

    private sealed class SilentRelu : Block
    {
        public override Tensor forward(Tensor input) => nn.functional.relu(input);

        public override string Emit(OnnxGraph graph, string input) => input;
    }
}
