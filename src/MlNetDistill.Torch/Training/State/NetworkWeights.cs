using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace MlNetDistill.Training;

/// <summary>A copy of a network's parameters and buffers.</summary>
internal sealed class NetworkWeights : IDisposable
{
    public NetworkWeights(Network network)
    {
        using var noGrad = no_grad();
        Values = network.state_dict().ToDictionary(t => t.Key, t => t.Value.clone().DetachFromDisposeScope());
    }

    /// <summary>The copied tensors by name.</summary>
    public IReadOnlyDictionary<string, Tensor> Values { get; }

    /// <summary>Overwrites the copy with the current weights of the network.</summary>
    public void Refresh(Network network) => Copy(network.state_dict(), Values);

    /// <summary>Copies the weights back into the network.</summary>
    public void Restore(Network network) => Copy(Values, network.state_dict());

    public void Dispose()
    {
        foreach (var value in Values.Values)
            value.Dispose();
    }

    private static void Copy(IEnumerable<KeyValuePair<string, Tensor>> from, IReadOnlyDictionary<string, Tensor> to)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        foreach (var (name, value) in from)
            to[name].copy_(value);
    }
}
