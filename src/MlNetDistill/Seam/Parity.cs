using Microsoft.ML;
using MlNetDistill.Data;
using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace MlNetDistill.Seam;

/// <summary>Whether an ML.NET chain computes what its network computes.</summary>
internal static class Parity
{
    /// <summary>Largest difference of a probability that passes.</summary>
    public const double Tolerance = 1e-4;

    private const int Rows = 128;

    /// <summary>The largest difference between the chain's scores and the network's softmax, over rows spread through the training set.</summary>
    /// <param name="context">For the view of the rows.</param>
    /// <param name="chain">The exported student.</param>
    /// <param name="network">The torch student: on the CPU, 32-bit floats, eval mode.</param>
    /// <param name="set">The training set.</param>
    /// <param name="columns">The student's columns.</param>
    public static double LargestDifference(MLContext context, StudentChain chain, Network network, TrainingSet set, StudentColumns columns)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var count = Math.Min(Rows, set.Count);
        var positions = tensor([.. Enumerable.Range(0, count).Select(i => (long)i * set.Count / count)], device: set.Features.device);
        var expected = network.forward(set.Features.index_select(0, positions).cpu()).Logits.softmax(1);
        var view = RowsView.Of(context, set, positions, columns);
        var found = tensor(RowsView.Scores(chain.Scoring.Transform(view), columns.Score), [count, network.Classes]);
        // NaN compares false with everything: a NaN on either side must count as a difference.
        return found.sub(expected).abs().max().item<float>() is var difference && float.IsNaN(difference) ? double.PositiveInfinity : difference;
    }

    /// <summary>Gives batch normalisation statistics and weights unlike their initial ones, so that a slip in exporting them shows.</summary>
    public static void Perturb(Network network, Generator generator)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        foreach (var normalization in network.modules().OfType<BatchNormalization>())
            normalization.Perturb(generator);
    }
}
