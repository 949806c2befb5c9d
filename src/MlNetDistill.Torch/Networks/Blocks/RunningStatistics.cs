using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MlNetDistill.Networks;

/// <summary>Recomputes the running statistics of a network's batch normalizations.</summary>
internal static class RunningStatistics
{
    /// <summary>
    /// Sets them to the mean over the batches of each batch's statistics. Leaves the network in training mode. A batch of a single row has no variance and is skipped.
    /// </summary>
    public static void Recompute(Network network, IEnumerable<Tensor> batches)
    {
        using var noGrad = no_grad();
        var blocks = network.modules().OfType<BatchNormalization>().ToArray();
        var others = network.modules().OfType<NormBase>().Select(n => (Normalization: n, Momentum: n.momentum)).ToArray();
        network.train();
        if (blocks.Length + others.Length == 0)
            return;
        var batchCount = 0;
        foreach (var rows in batches.Where(rows => rows.shape[0] > 1))
        {
            using var scope = NewDisposeScope();
            // The share of the n-th batch in a mean over n batches.
            var share = 1.0 / ++batchCount;
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
