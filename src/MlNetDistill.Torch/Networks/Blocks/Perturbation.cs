using static TorchSharp.torch;

namespace MlNetDistill.Networks;

/// <summary>Changes an untrained network so that a comparison with its ONNX form finds the errors that it would find once the network is trained.</summary>
internal static class Perturbation
{
    /// <summary>
    /// Draws the weights of normalizations and user-defined modules, since initial zeros and ones would hide export errors, and sets the running statistics to
    /// those of <paramref name="rows"/>. With the initial statistics the signal would become weaker in each layer, until after twenty layers all rows had the
    /// same output. Leaves the network in eval mode.
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
