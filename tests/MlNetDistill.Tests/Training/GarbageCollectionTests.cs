using System.Diagnostics;
using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace MlNetDistill.Tests.Training;

/// <summary>
/// What a training step computes with numbers, over and over while other threads collect garbage. TorchSharp's own <c>x.add_(1.0)</c> fails
/// here within seconds ("Expected false to be true", "Unknown scalar type").
/// </summary>
public sealed class GarbageCollectionTests
{
    [Test]
    public void Numbers_of_tensor_arithmetic_were_freed_in_use() => WhileOthersCollectGarbage(() =>
    {
        using var scope = NewDisposeScope();
        var x = ones(4).Times(3).Over(2).Plus(ones(4)).AtLeast(1).Accumulate(ones(4));
        return x.sum().item<float>() + (float)x.to(int64).IsEqualTo(3).sum().item<long>();
    });

    [Test]
    public void Numbers_of_the_optimisers_were_freed_in_use() => WhileOthersCollectGarbage(() =>
    {
        using var scope = NewDisposeScope();
        var parameter = new TorchSharp.Modules.Parameter(ones(4));
        using var momentum = Optimizer.Sgd(0.1).Create([parameter]);
        using var adaptive = Optimizer.AdamW(0.1).Create([parameter]);
        for (var step = 0; step < 3; step++)
        {
            parameter.grad = ones(4);
            momentum.Step();
            parameter.grad = ones(4);
            adaptive.Step();
        }

        return parameter.detach().sum().item<float>();
    });

    private static void WhileOthersCollectGarbage(Func<float> compute)
    {
        var expected = compute();
        using var done = new CancellationTokenSource();
        var collectors = Enumerable.Range(0, 2).Select(_ => new Thread(() => Collect(done.Token))).ToList();
        collectors.ForEach(c => c.Start());
        try
        {
            for (var clock = Stopwatch.StartNew(); clock.Elapsed < TimeSpan.FromSeconds(1.5);)
                Assert.That(compute(), Is.EqualTo(expected));
        }
        finally
        {
            done.Cancel();
            collectors.ForEach(c => c.Join());
        }
    }

    private static void Collect(CancellationToken until)
    {
        while (!until.IsCancellationRequested)
            GC.Collect(0);
    }
}
