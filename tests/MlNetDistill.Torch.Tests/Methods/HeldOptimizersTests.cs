using System.Diagnostics;
using TorchSharp;
using TorchSharp.Modules;

namespace MlNetDistill.Torch.Tests.Methods;

/// <summary>TorchSharp's numbers were once freed while libtorch still read them: fits failed in Scalar.h, and processes crashed.</summary>
[NonParallelizable]
public sealed class HeldOptimizersTests
{
    private static readonly Optimizer[] Optimizers = [Optimizer.AdamW(), Optimizer.Sgd(), Optimizer.Sgd(nesterov: false, weightDecay: 0)];

    [TestCaseSource(nameof(Optimizers))]
    public void Collecting_garbage_during_steps_changes_no_number(Optimizer optimizer)
    {
        var steps = 0;
        using var collected = new Parameter(torch.ones(4));
        using (var optim = Stepping(optimizer, collected))
            WhileCollecting(TimeSpan.FromSeconds(2), () => Step(optim, ref steps));
        using var quiet = new Parameter(torch.ones(4));
        using (var optim = Stepping(optimizer, quiet))
        {
            for (var (done, wanted) = (0, steps); done < wanted;)
                Step(optim, ref done);
        }

        Assert.That(collected.data<float>().ToArray(), Is.EqualTo(quiet.data<float>().ToArray()));
    }

    [TestCaseSource(nameof(Optimizers))]
    public void The_steps_are_those_of_TorchSharps_own_optimiser(Optimizer optimizer)
    {
        var steps = 0;
        using var ours = new Parameter(torch.ones(4));
        using var theirs = new Parameter(torch.ones(4));
        using var held = Stepping(optimizer, ours);
        theirs.grad = torch.arange(4, torch.float32);
        using var plain = optimizer is SgdOptimizer sgd
            ? (torch.optim.Optimizer)torch.optim.SGD([theirs], sgd.LearningRate, sgd.Momentum, 0, sgd.WeightDecay, sgd.Nesterov)
            : torch.optim.AdamW([theirs], optimizer.LearningRate, weight_decay: optimizer.WeightDecay);
        while (steps < 20)
        {
            Step(held, ref steps);
            plain.step();
        }

        Assert.That(ours.data<float>().ToArray(), Is.EqualTo(theirs.data<float>().ToArray()));
    }

    private static torch.optim.Optimizer Stepping(Optimizer optimizer, Parameter parameter)
    {
        parameter.grad = torch.arange(4, torch.float32);
        return optimizer.Create([parameter]);
    }

    private static void Step(torch.optim.Optimizer optimizer, ref int steps)
    {
        optimizer.step();
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
