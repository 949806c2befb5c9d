using System.Diagnostics;
using MlNetDistill.Methods;
using TorchSharp;
using Parameter = TorchSharp.Modules.Parameter;

namespace MlNetDistill.Torch.Tests.Methods;

/// <summary>TorchSharp's numbers were once freed while libtorch still read them: fits failed in Scalar.h, and processes crashed.</summary>
[NonParallelizable]
[Category("NoCulture")]
public sealed class NumbersOfAStepTests
{
    private static readonly Optimizer[] Optimizers = [Optimizer.AdamW(), Optimizer.Sgd()];

    [TestCaseSource(nameof(Optimizers))]
    public void Collecting_garbage_during_steps_changes_no_weight(Optimizer optimizer)
    {
        using var collected = new Parameter(torch.ones(4));
        using var quiet = new Parameter(torch.ones(4));
        using var gradient = torch.arange(4, torch.float32);
        var steps = 0;
        using (var state = new OptimizerState([("collected", collected)]))
            WhileCollecting(TimeSpan.FromSeconds(2), () => Step(optimizer, state, collected, gradient, ref steps));
        using (var state = new OptimizerState([("quiet", quiet)]))
        {
            for (var (done, wanted) = (0, steps); done < wanted;)
                Step(optimizer, state, quiet, gradient, ref done);
        }

        Assert.That(collected.data<float>().ToArray(), Is.EqualTo(quiet.data<float>().ToArray()));
    }

    private static void Step(Optimizer optimizer, OptimizerState state, Parameter parameter, torch.Tensor gradient, ref int steps)
    {
        using var scope = torch.NewDisposeScope();
        // A step may use its gradient up.
        parameter.grad = gradient.clone();
        optimizer.Step(state, optimizer.LearningRate, null);
        steps++;
    }

    private static void WhileCollecting(TimeSpan duration, Action step)
    {
        var done = false;
        var collector = new Thread(() =>
        {
            while (!Volatile.Read(ref done))
            {
                GC.Collect(0);
                GC.WaitForPendingFinalizers();
            }
        });
        collector.Start();
        try
        {
            for (var clock = Stopwatch.StartNew(); clock.Elapsed < duration;)
                step();
        }
        finally
        {
            Volatile.Write(ref done, true);
            collector.Join();
        }
    }
}
