using MlNetDistill.Core;
using MlNetDistill.Networks;
using MlNetDistill.Teachers;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using Linear = TorchSharp.Modules.Linear;

namespace MlNetDistill.Tests.Teachers;

/// <summary>A user's module, asked and left as it was.</summary>
public sealed class ModuleModelTests
{
    private const ModelOutputs All = ModelOutputs.Logits | ModelOutputs.Embedding | ModelOutputs.StageFeatures;

    private DisposeScope _scope = null!;

    [SetUp]
    public void Begin() => _scope = NewDisposeScope();

    [TearDown]
    public void End() => _scope.Dispose();

    [Test]
    public void A_module_answers_in_eval_mode_without_gradient()
    {
        using var net = new Net();
        using var model = Open(net);
        var logits = model.ComputeOutputs(Pictures(3), ModelOutputs.Logits).Logits;
        net.eval();
        Assert.That(Same(logits, net.call(Pictures(3))), Is.True);
        Assert.That(logits.requires_grad, Is.False);
        Assert.That(model.Name, Is.EqualTo("Net"));
    }

    [Test]
    public void Parts_give_the_embedding_and_the_stage_features()
    {
        using var net = new Net();
        using var model = Open(net, new ModuleTaps(net.Flat, [net.One, net.Two]));
        Assert.That(model.Shapes, Is.EqualTo(new OutputShapes(5, 6, model.Shapes.StageFeatures)));
        Assert.That(model.Shapes.StageFeatures, Is.EqualTo((long[][])[[4, 8, 8], [6, 4, 4]]));

        var answer = model.ComputeOutputs(Pictures(3), All);
        net.eval();
        var one = net.One.call(Pictures(3));
        Assert.That(answer.StageFeatures[0].lt(0).any().item<bool>(), Is.True, "taken before the ReLU in place that follows");
        Assert.That(Same(answer.StageFeatures[0], one), Is.True);
        Assert.That(Same(answer.Logits, net.Last.call(answer.Embedding)), Is.True);
    }

    [Test]
    public void Parts_of_a_Sequential_are_taken_before_it_releases_them()
    {
        using var hidden = nn.Linear(4, 7);
        using var net = nn.Sequential(hidden, nn.ReLU(inplace: true), nn.Linear(7, 3));
        using var model = Open(net, new ModuleTaps(hidden), InputShape.Vector(4));
        var answer = model.ComputeOutputs(ones(2, 4), All);
        Assert.That(Same(answer.Embedding, hidden.call(ones(2, 4))), Is.True);
    }

    [Test]
    public void The_module_is_left_as_it_was_found()
    {
        using var net = new Net();
        net.train();
        net.Norm.eval();
        var before = net.state_dict().ToDictionary(s => s.Key, s => s.Value.bytes.ToArray());
        using (var model = Open(net, new ModuleTaps(net.Flat, [net.One])))
            model.ComputeOutputs(Pictures(7), All);

        Assert.That(net.state_dict().ToDictionary(s => s.Key, s => s.Value.bytes.ToArray()), Is.EqualTo(before));
        Assert.That((net.training, net.One.training, net.Norm.training), Is.EqualTo((true, true, false)));
        Assert.That(net.parameters().Select(p => p.requires_grad), Has.All.True);
        var live = DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount;
        using (NewDisposeScope())
            net.call(Pictures(2));
        Assert.That(DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount, Is.EqualTo(live), "no hook keeps anything");
    }

    [Test]
    public void A_part_that_is_never_called_is_an_error()
    {
        using var net = new Net();
        Assert.That(() => Open(net, new ModuleTaps(net.Unused)), Throws.InvalidOperationException.With.Message.EqualTo(
            "The module Net: the part Linear in ModuleTaps.Embedding ran 0 times in one pass; it must run exactly once. " +
            "A module must run its parts by call(...), not by forward(...): hooks are invoked only by call."));
        Assert.That(net.training, Is.True, "left as it was after an error too");
    }

    [Test]
    public void A_part_that_runs_twice_is_an_error()
    {
        using var part = nn.Linear(4, 4);
        using var net = nn.Sequential(part, part);
        Assert.That(() => Open(net, new ModuleTaps(StageFeatures: [part]), InputShape.Vector(4)), Throws.InvalidOperationException.With.Message.EndsWith(
            "in ModuleTaps.StageFeatures ran 2 times in one pass; it must run exactly once. Choose a part that runs once."));
    }

    [Test]
    public void Any_module_can_be_asked_by_a_function()
    {
        using var net = new Net();
        using var model = ModuleModel.Open(net, rows =>
        {
            var features = net.Two.call(nn.functional.relu(net.One.call(rows)));
            return new NetworkOutput(net.call(rows), stageFeatures: [features]);
        }, InputShape.Image(3, 8, 8), false, new(), null, 64, NoWarning);
        Assert.That(model.Shapes.Available, Is.EqualTo(ModelOutputs.Logits | ModelOutputs.StageFeatures));
        Assert.That(model.ComputeOutputs(Pictures(3), All).StageFeatures[0].shape, Is.EqualTo((long[])[3, 6, 4, 4]));
    }

    [Test]
    public void A_function_must_give_class_scores() => Assert.That(
        () => ModuleModel.Open(nn.Identity(), rows => new NetworkOutput(embedding: rows), InputShape.Vector(4), false, new(), null, 64, NoWarning),
        Throws.InvalidOperationException.With.Message.EqualTo("The module Identity: the forward function returned no Logits, which it returned for the first row."));

    [Test]
    public void What_the_module_throws_is_reported_with_the_rows_it_got() => Assert.That(
        () => Open(nn.Linear(9, 2), shape: InputShape.Vector(4)),
        Throws.InvalidOperationException.With.Message.StartsWith("The module Linear failed on float32 rows [1, 4]: mat1 and mat2 shapes cannot be multiplied"));

    [Test]
    public void A_disposed_module_is_named()
    {
        var net = nn.Sequential(nn.Linear(4, 3));
        net.Dispose();
        Assert.That(() => Open(net, shape: InputShape.Vector(4)), Throws.InvalidOperationException.With.Message.EqualTo(
            "The module Sequential is disposed. The caller owns it and must not dispose it before the fit is over."));
    }

    [Test]
    public void A_function_that_gives_nothing_at_all_ended_in_a_null_reference() => Assert.That(
        () => ModuleModel.Open(nn.Identity(), _ => null!, InputShape.Vector(4), false, new(), null, 64, NoWarning),
        Throws.InvalidOperationException.With.Message.EqualTo("The module Identity failed on float32 rows [1, 4]: it returned null instead of its outputs."));

    [Test]
    public void A_module_of_doubles_reads_doubles()
    {
        using var net = nn.Linear(4, 3, dtype: float64);
        using var model = Open(net, shape: InputShape.Vector(4));
        Assert.That(model.ComputeOutputs(ones(2, 4), ModelOutputs.Logits).Logits.dtype, Is.EqualTo(float32));
    }

    [Test]
    public void A_module_that_is_random_in_eval_mode_too_is_refused() => Assert.That(
        () => Open(new Noise(), shape: InputShape.Vector(4)), Throws.InvalidOperationException.With.Message.Contains("gives different outputs each time"));

    [Test]
    public void The_identity_follows_weights_taps_words_and_preparation()
    {
        using var net = new Net();
        string Identity(ModuleTaps? taps = null, string? words = null, TeacherInput? input = null)
        {
            using var model = Open(net, taps, identity: words, input: input);
            return model.ContentHash;
        }

        var first = Identity();
        string[] different = [first, Identity(new(net.Flat)), Identity(words: "v2"), Identity(input: new() { Scale = 2 }), ""];
        Assert.That(Identity(), Is.EqualTo(first));
        using (no_grad())
            net.Last.bias![0] = 9;
        different[^1] = Identity();
        Assert.That(different, Is.Unique);
    }

    private static ModuleModel Open(
        nn.Module<Tensor, Tensor> module, ModuleTaps? taps = null, InputShape? shape = null, string? identity = null, TeacherInput? input = null) =>
        ModuleModel.Open(module, taps, shape ?? InputShape.Image(3, 8, 8), false, input ?? new(), identity, 64, NoWarning);

    private static void NoWarning(string line) => Assert.Fail($"Nothing to warn of: {line}");

    private static Tensor Pictures(int count) => arange(count * 192).remainder(13).to(float32).div(13).reshape(count, 3, 8, 8);

    private static bool Same(Tensor a, Tensor b) => allclose(a, b, 1e-5, 1e-6);

    private sealed class Net : nn.Module<Tensor, Tensor>
    {
        public readonly Conv2d One = nn.Conv2d(3, 4, 3, padding: 1);
        public readonly Conv2d Two = nn.Conv2d(4, 6, 3, stride: 2, padding: 1);
        public readonly BatchNorm2d Norm = nn.BatchNorm2d(6);
        public readonly TorchSharp.Modules.Flatten Flat = nn.Flatten();
        public readonly Dropout Drop = nn.Dropout(0.5);
        public readonly Linear Last = nn.Linear(6, 5);
        public readonly Linear Unused = nn.Linear(6, 5);

        public Net() : base(nameof(Net)) => RegisterComponents();

        public override Tensor forward(Tensor input)
        {
            using var scope = NewDisposeScope();
            var map = nn.functional.relu(One.call(input), inplace: true);
            map = Norm.call(Two.call(map)).relu_();
            var pooled = Flat.call(nn.functional.adaptive_avg_pool2d(map, 1));
            return Last.call(Drop.call(pooled)).MoveToOuterDisposeScope();
        }
    }

    private sealed class Noise() : nn.Module<Tensor, Tensor>(nameof(Noise))
    {
        public override Tensor forward(Tensor input) => rand_like(input);
    }
}
