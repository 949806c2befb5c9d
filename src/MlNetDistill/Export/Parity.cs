using Microsoft.ML;
using MlNetDistill.Data;
using MlNetDistill.Networks;
using MlNetDistill.Reading;
using static TorchSharp.torch;

namespace MlNetDistill.Export;

/// <summary>Whether an ML.NET chain computes what its network computes.</summary>
internal static class Parity
{
    private const int Rows = 128;

    /// <summary>The largest difference between the chain's scores and the network's, over rows spread through the training set.</summary>
    /// <param name="context">For the view of the rows.</param>
    /// <param name="chain">The exported student.</param>
    /// <param name="network">The torch student: on the CPU, 32-bit floats, eval mode.</param>
    /// <param name="set">The training set.</param>
    /// <param name="columns">The student's columns.</param>
    /// <param name="task">What a score is.</param>
    public static double LargestDifference(MLContext context, StudentChain chain, Network network, IRowSource set, TrainerColumns columns, TaskExport task)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var positions = Positions(set);
        var expected = task.Scores(network.forward(set.Gather(positions, CPU)).Logits);
        var view = RowsView.Create(context, set, positions, columns, network.Input.IsInterleaved);
        using var found = RowsView.ReadScores(chain.Scoring.Transform(view), columns.Score);
        // NaN compares false with everything: a NaN on either side must count as a difference.
        return found.sub(expected).abs().max().item<float>() is var difference && float.IsNaN(difference) ? double.PositiveInfinity : difference;
    }

    /// <summary>The largest absolute value in those rows where the network gives no numbers for them; null where it gives some.</summary>
    public static double? FindOverflowingValue(Network network, IRowSource set, TaskExport task)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var rows = set.Gather(Positions(set), CPU);
        return task.Scores(network.forward(rows).Logits).isfinite().all().item<bool>() ? null : rows.to(float32).abs().max().item<float>();
    }

    /// <summary>Prepares an untrained network for the comparison; see <see cref="Perturbation"/>.</summary>
    public static void Perturb(Network network, IRowSource set, Generator generator)
    {
        using var scope = NewDisposeScope();
        Perturbation.Apply(network, set.Gather(Positions(set), CPU), generator);
    }

    private static Tensor Positions(IRowSource set) => SpreadPositions.Create(set.Count, Rows, set.Device);
}
