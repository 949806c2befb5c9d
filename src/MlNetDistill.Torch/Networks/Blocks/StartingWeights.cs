using MlNetDistill.Core;
using static TorchSharp.torch;

namespace MlNetDistill.Networks;

/// <summary>Initial weights interpolated between random ones and those of another network of the same specification.</summary>
internal static class StartingWeights
{
    /// <summary>
    /// θ ← c·θ + (1 - c)·θ' for every parameter and buffer; integers are copied from the other. With c = 0 the network becomes the other, with c = 1 it is
    /// unchanged (as in samuelstanton/gnosis, the code of Stanton et al. 2021).
    /// </summary>
    /// <param name="network">θ.</param>
    /// <param name="other">θ', whose state has the same names and shapes.</param>
    /// <param name="ownShare">c, in [0, 1].</param>
    public static void Interpolate(Network network, Network other, double ownShare)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var theirs = other.state_dict();
        foreach (var (name, own) in network.state_dict())
        {
            var given = theirs[name].to(own.device);
            own.copy_(own.is_floating_point() ? own.MultiplyBy(ownShare).Add(given.MultiplyBy(1 - ownShare)) : given);
        }
    }
}
