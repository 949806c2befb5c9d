using System.Diagnostics;
using Microsoft.ML;
using MlNetDistill.Core;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Tests.Support;
using static TorchSharp.torch;

namespace MlNetDistill.Tests.Training;

/// <summary>
/// What a training step computes with numbers, over and over while other threads collect garbage. TorchSharp's own <c>x.add_(1.0)</c> fails
/// here within seconds ("Expected false to be true", "Unknown scalar type").
/// </summary>
[Category("NoCulture")]
public sealed class GarbageCollectionTests
{
    [Test]
    public void Numbers_of_tensor_arithmetic_were_freed_in_use() => WhileOthersCollectGarbage(() =>
    {
        using var scope = NewDisposeScope();
        var x = ones(4).MultiplyBy(3).DivideBy(2).Add(ones(4)).ClampMin(1).AddInPlace(ones(4));
        return x.sum().item<float>() + (float)x.to(int64).IsEqualTo(3).sum().item<long>();
    });

    [Test]
    public void Numbers_of_the_optimisers_were_freed_in_use() => WhileOthersCollectGarbage(() =>
    {
        using var scope = NewDisposeScope();
        var parameter = new TorchSharp.Modules.Parameter(ones(4));
        using var momentum = new OptimizerState([("weight", parameter)]);
        using var adaptive = new OptimizerState([("weight", parameter)]);
        for (var step = 0; step < 3; step++)
        {
            parameter.grad = ones(4);
            Optimizer.Sgd(0.1).Step(momentum, 0.1, null);
            parameter.grad = ones(4);
            Optimizer.AdamW(0.1).Step(adaptive, 0.1, null);
        }

        return parameter.detach().sum().item<float>();
    });

    /// <summary>Making a session of a network with many layers took long enough for its options to be freed meanwhile, which ended the process (ONNX Runtime before 1.31).</summary>
    [Test]
    public void Options_of_an_ONNX_session_were_freed_in_use()
    {
        using var folder = new ToyFolder();
        var path = Path.Combine(folder.Path, "student.zip");
        var context = new MLContext(seed: 1);
        var images = context.View(ToyData.Images(16));
        var options = ToyPipelines.Options(NetworkSpec.ShuffleNetV1()) with { FeatureColumnName = "Pixels", Epochs = 1, BatchSize = 16 };
        var model = context.Pipeline(options).Fit(images).LastTransformer;
        // Only code that was called often is compiled so that it lets go of what it no longer reads.
        var small = context.FitImages().LastTransformer;
        for (var i = 0; i < 100; i++)
        {
            small.SaveAtomically(path);
            if (i is 40 or 80)
                Thread.Sleep(300);
        }

        WhileOthersCollectGarbage(() =>
        {
            model.SaveAtomically(path);
            return 1;
        });
    }

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
        {
            GC.Collect(0);
            GC.WaitForPendingFinalizers();
        }
    }
}
