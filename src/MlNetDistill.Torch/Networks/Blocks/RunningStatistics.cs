using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MlNetDistill.Networks;

/// <summary>Measures the running statistics of a network's normalisations anew.</summary>
internal static class RunningStatistics
{
    /// <summary>
    /// Makes them the mean of the batches' own. Leaves the network in training mode. A batch of a single row, which has no variance, is passed over.
    /// </summary>
    public static void Recompute(Network network, IEnumerable<Tensor> batches)
    {
        using var noGrad = no_grad();
        var blocks = network.modules().OfType<BatchNormalization>().ToArray();
        var others = network.modules().OfType<NormBase>().Select(n => (Normalization: n, Momentum: n.momentum)).ToArray();
        network.train();
        if (blocks.Length + others.Length == 0)
            return;
        var seen = 0;
        foreach (var rows in batches.Where(rows => rows.shape[0] > 1))
        {
            using var scope = NewDisposeScope();
            // The n-th batch's share in a running mean of n.
            var share = 1.0 / ++seen;
            foreach (var block in blocks)
                block.Momentum = share;
            foreach (var (normalization, _) in others)
                normalization.momentum = share;
            network.forward(rows);
        }

        foreach (var block in blocks)
            block.Momentum = BatchNormalization.DefaultMomentum;
        foreach (var (normalization, momentum) in others)
            normalization.momentum = momentum;
    }
}
