using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace MlNetDistill.Training;

/// <summary>A copy of a network's parameters and buffers.</summary>
internal sealed class NetworkWeights : IDisposable
{
    private readonly List<Tensor> _values;

    public NetworkWeights(Network network)
    {
        using var noGrad = no_grad();
        _values = [.. StateOf(network).Select(t => t.clone().DetachFromDisposeScope())];
    }

    /// <summary>Overwrites the copy with the network's present weights.</summary>
    public void Refresh(Network network) => Copy(StateOf(network), _values);

    /// <summary>Puts the copy back into the network.</summary>
    public void Restore(Network network) => Copy(_values, StateOf(network));

    public void Dispose() => _values.ForEach(v => v.Dispose());

    private static IEnumerable<Tensor> StateOf(Network network) => network.state_dict().Values;

    private static void Copy(IEnumerable<Tensor> from, IEnumerable<Tensor> to)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        foreach (var (source, target) in from.Zip(to))
            target.copy_(source);
    }
}
