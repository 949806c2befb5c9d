using MlNetDistill.Core;
using MlNetDistill.Networks;
using MlNetDistill.Teachers;
using static TorchSharp.torch;
using Sequential = TorchSharp.Modules.Sequential;

namespace MlNetDistill.Tests.Teachers;

/// <summary>One module as teacher of many fits at once.</summary>
public sealed class SharedModuleTests
{
    private const int Threads = 32;

    [Test]
    public void A_module_in_training_mode_answered_some_of_32_threads_in_training_mode()
    {
        using var module = Dropping();
        var parts = module.children().ToArray();
        module.train();
        parts[^1].eval();
        using var scope = NewDisposeScope();
        var rows = randn(3, 4);
        double[] expected;
        using (var alone = Open(module, null))
            expected = Near.Values(alone.ComputeOutputs(rows, ModelOutputs.Logits).Logits);

        var wrong = InParallel(() =>
        {
            using var model = Open(module, null);
            return Enumerable.Range(0, 8).Count(_ => Wrong(model, rows, expected));
        });
        Assert.Multiple(() =>
        {
            Assert.That(wrong, Is.Zero);
            Assert.That(module.training, Is.True);
            Assert.That(parts.Select(p => p.training), Is.EqualTo(parts.Select((_, i) => i < parts.Length - 1)));
        });
    }

    [Test]
    public void Modules_that_share_a_part_and_the_taps_of_one_do_not_disturb_each_other()
    {
        using var module = Dropping();
        using var around = nn.Sequential(("inner", module), ("last", nn.Softmax(1)));
        var tapped = (nn.Module<Tensor, Tensor>)module.children().First();
        module.train();
        using var scope = NewDisposeScope();
        var rows = randn(3, 4);
        double[] inner, outer;
        using (var alone = Open(module, new ModuleTaps(tapped)))
            inner = Near.Values(alone.ComputeOutputs(rows, ModelOutputs.Logits).Logits);
        using (var alone = Open(around, null))
            outer = Near.Values(alone.ComputeOutputs(rows, ModelOutputs.Logits).Logits);

        var number = 0;
        var wrong = InParallel(() =>
        {
            var isInner = Interlocked.Increment(ref number) % 2 == 0;
            using var model = isInner ? Open(module, new ModuleTaps(tapped)) : Open(around, null);
            return Enumerable.Range(0, 8).Count(_ => Wrong(model, rows, isInner ? inner : outer));
        });
        Assert.That((wrong, module.training, around.training), Is.EqualTo((0, true, true)));
    }

    [Test]
    public void A_module_on_the_device_meta_is_named() => Assert.That(
        () => Open(nn.Sequential(nn.Linear(4, 3, device: META)), null),
        Throws.InvalidOperationException.With.Message.EqualTo(
            "The module Sequential: its tensor '0.weight' is on the device 'meta', where tensors have shapes and no values. Make the module on the CPU or a GPU and load its weights."));

    [Test]
    public void A_module_that_is_disposed_during_the_fit_is_named()
    {
        var module = Dropping();
        using var model = Open(module, null);
        module.Dispose();
        using var scope = NewDisposeScope();
        Assert.That(() => model.ComputeOutputs(ones(2, 4), ModelOutputs.Logits), Throws.InvalidOperationException.With.Message.StartsWith(
            "The module Sequential is disposed. The caller owns it"));
    }

    [Test]
    public void A_module_of_which_a_tensor_is_disposed_is_named()
    {
        using var module = nn.Sequential(("first", nn.Linear(4, 3)));
        module.parameters().First().Dispose();
        Assert.That(() => Open(module, null), Throws.InvalidOperationException.With.Message.StartsWith("The module Sequential uses a tensor that is disposed. The caller owns it"));
    }

    private static Sequential Dropping() => nn.Sequential(
        ("first", nn.Linear(4, 64)), ("norm", nn.BatchNorm1d(64)), ("drop", nn.Dropout(0.5)), ("last", nn.Linear(64, 3)));

    private static ModuleModel Open(nn.Module<Tensor, Tensor> module, ModuleTaps? taps) =>
        ModuleModel.Open(module, taps, InputShape.Vector(4), false, new(), null, 64, _ => { });

    private static bool Wrong(ModuleModel model, Tensor rows, double[] expected)
    {
        using var scope = NewDisposeScope();
        return !Near.Values(model.ComputeOutputs(rows, ModelOutputs.Logits).Logits).SequenceEqual(expected);
    }

    /// <summary>The sum of what 32 threads find; an exception of one counts as well.</summary>
    private static int InParallel(Func<int> count)
    {
        var found = 0;
        using var begin = new Barrier(Threads);
        var threads = Enumerable.Range(0, Threads).Select(_ => new Thread(() =>
        {
            begin.SignalAndWait();
            try
            {
                Interlocked.Add(ref found, count());
            }
            catch (Exception)
            {
                Interlocked.Increment(ref found);
            }
        })).ToArray();
        foreach (var thread in threads)
            thread.Start();
        foreach (var thread in threads)
            thread.Join();
        return found;
    }
}
