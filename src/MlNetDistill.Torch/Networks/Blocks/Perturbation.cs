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
    public static void Apply(Network network, Tensor rows, Generator generator)
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

        RunningStatistics.Recompute(network, [rows]);
        network.eval();
    }
}
