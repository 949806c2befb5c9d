using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MlNetDistill.Networks;

/// <summary>Prepares an untrained network for a comparison with its ONNX form: as it will be once trained, where everything matters.</summary>
internal static class Perturbation
{
    /// <summary>
    /// Gives normalisations and modules of the user's weights unlike their initial zeros and ones, so that a slip in exporting them shows, and the
    /// statistics of <paramref name="rows"/>. With the initial statistics each layer would weaken its signal: after twenty of them all rows give the
    /// same, whatever the first layers compute. Leaves the network in eval mode.
    /// </summary>
    public static void Of(Network network, Tensor rows, Generator generator)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        foreach (var module in network.modules())
        {
            if (module is BatchNormalization normalization)
                normalization.PerturbWeights(generator);
            else if (module is ModuleBlock block)
                block.PerturbWeights(generator);
        }

        // A single row has no variance.
        if (rows.shape[0] > 1)
            TakeStatistics(network, rows);
        network.eval();
    }

    /// <summary>With momentum 1, one pass in training mode makes the rows' statistics the running ones.</summary>
    private static void TakeStatistics(Network network, Tensor rows)
    {
        var blocks = network.modules().OfType<BatchNormalization>().ToArray();
        var others = network.modules().OfType<NormBase>().Select(n => (Normalization: n, Momentum: n.momentum)).ToArray();
        foreach (var block in blocks)
            block.Momentum = 1;
        foreach (var (normalization, _) in others)
            normalization.momentum = 1;
        network.train();
        network.forward(rows);
        foreach (var block in blocks)
            block.Momentum = BatchNormalization.DefaultMomentum;
        foreach (var (normalization, momentum) in others)
            normalization.momentum = momentum;
    }
}
