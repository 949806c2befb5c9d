using Microsoft.ML;
using MlNetDistill.Data;
using MlNetDistill.Networks;
using MlNetDistill.Reading;
using static TorchSharp.torch;

namespace MlNetDistill.Export;

/// <summary>Compares an ML.NET chain with the network that it was exported from.</summary>
internal static class Parity
{
    private const int Rows = 128;
    private const int FewestRows = 16;

    // Rows of a hundred thousand features are compared a few at a time, as each is in memory three times.
    private const long BytesAtATime = 8L << 20;

    /// <summary>The largest difference between the chain's scores and the network's, for rows spread over the training set.</summary>
    /// <param name="context">Creates the view of the rows.</param>
    /// <param name="chain">The exported student.</param>
    /// <param name="network">The torch student: on the CPU, 32-bit floats, eval mode.</param>
    /// <param name="set">The training set.</param>
    /// <param name="columns">The student's columns.</param>
    /// <param name="task">Computes scores from logits.</param>
    public static double LargestDifference(MLContext context, StudentChain chain, Network network, IRowSource set, TrainerColumns columns, TaskExport task)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var largest = 0.0;
        foreach (var positions in Parts(set))
            largest = Math.Max(largest, Difference(positions));
        return largest;

        double Difference(Tensor positions)
        {
            using var inner = NewDisposeScope();
            var expected = task.Scores(network.forward(set.Gather(positions, CPU)).Logits);
            var view = RowsView.Create(context, set, positions, columns, network.Input.IsInterleaved);
            using var found = RowsView.ReadScores(chain.Scoring.Transform(view), columns.Score);
            // NaN on either side is a difference, but compares false with any tolerance.
            return found.sub(expected).abs().max().item<float>() is var difference && float.IsNaN(difference) ? double.PositiveInfinity : difference;
        }
    }

    /// <summary>The largest absolute feature in those rows if the network gives NaN or infinity for any of them; otherwise null.</summary>
    public static double? FindOverflowingValue(Network network, IRowSource set, TaskExport task)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var (overflows, largest) = (false, 0.0);
        foreach (var positions in Parts(set))
        {
            using var inner = NewDisposeScope();
            var rows = set.Gather(positions, CPU);
            overflows |= !task.Scores(network.forward(rows).Logits).isfinite().all().item<bool>();
            largest = Math.Max(largest, rows.to(float32).abs().max().item<float>());
        }

        return overflows ? largest : null;
    }

    /// <summary>Prepares an untrained network for the comparison; see <see cref="Perturbation"/>.</summary>
    public static void Perturb(Network network, IRowSource set, Generator generator)
    {
        using var scope = NewDisposeScope();
        Perturbation.Apply(network, set.Gather(Positions(set), CPU), generator);
    }

    private static IEnumerable<Tensor> Parts(IRowSource set) => Chunks.Split(Positions(set), Math.Clamp(BytesAtATime / set.RowBytes, 1, Rows));

    // Of wide sparse rows fewer: ONNX Runtime gets each of them written out in an array of its own.
    private static Tensor Positions(IRowSource set) =>
        SpreadPositions.Create(set.Count, set is ISparseSource ? (int)Math.Clamp(BytesAtATime / set.RowBytes, FewestRows, Rows) : Rows, set.Device);
}
