using MlNetDistill.Core;
using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

public sealed class RunningStatisticsTests
{
    [Test]
    public void They_become_the_mean_of_those_of_the_batches_a_single_row_having_none()
    {
        // Every batch is normalised by its own statistics on the way, so those of one layer depend on no other's running ones.
        using var scope = NewDisposeScope();
        using var draws = new Generator(1);
        var (dark, bright) = (rand([8, 1, 8, 8], generator: draws), rand([8, 1, 8, 8], generator: draws).mul(3));

        var (first, second, both) = (Taken(dark), Taken(bright), Taken(dark, bright[..1], bright));

        Assert.That(both, Has.Count.GreaterThan(4));
        foreach (var (name, values) in both)
            Assert.That(values, Is.EqualTo(first[name].Zip(second[name], (a, b) => (a + b) / 2)).Within(1e-5f), name);
    }

    private static Dictionary<string, float[]> Taken(params Tensor[] batches)
    {
        using var network = NetworkSpec.ResNet(8, 4, 4, 8).Build(new NetworkInput(InputShape.Image(1, 8, 8)), 3, seed: 1);
        RunningStatistics.Recompute(network, batches);
        return network.state_dict().Where(entry => entry.Key.EndsWith("_mean") || entry.Key.EndsWith("_variance"))
            .ToDictionary(entry => entry.Key, entry => entry.Value.data<float>().ToArray());
    }
}
