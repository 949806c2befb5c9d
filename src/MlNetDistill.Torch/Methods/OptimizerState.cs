using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MlNetDistill.Methods;

/// <summary>What an optimizer remembers between steps: the number of steps taken and some tensors for each parameter. Plain data.</summary>
public sealed class OptimizerState : IDisposable
{
    internal OptimizerState(IEnumerable<(string Name, Parameter Parameter)> parameters) =>
        Parameters = [.. parameters.Select(p => new ParameterState(p.Name, p.Parameter))];

    /// <summary>Steps taken so far.</summary>
    public long Steps { get; internal set; }

    /// <summary>The parameters that are trained.</summary>
    public IReadOnlyList<ParameterState> Parameters { get; }

    /// <summary>The weights before the first step, until a user-defined optimizer has changed one; else null.</summary>
    internal IReadOnlyList<Tensor>? InitialWeights { get; set; }

    /// <summary>Frees the tensors that the optimizer keeps; the parameters stay.</summary>
    public void Dispose()
    {
        ReleaseInitialWeights();
        foreach (var parameter in Parameters)
            parameter.Dispose();
    }

    internal void ReleaseInitialWeights()
    {
        foreach (var weights in InitialWeights ?? [])
            weights.Dispose();
        InitialWeights = null;
    }
}

/// <summary>A parameter and the tensors that an optimizer keeps for it.</summary>
public sealed class ParameterState
{
    private readonly Dictionary<string, Tensor> _tensors = [];

    internal ParameterState(string name, Parameter value) => (Name, Value) = (name, value);

    /// <summary>The parameter's name in the network, or in the projection of a loss.</summary>
    public string Name { get; }

    /// <summary>The parameter itself; optimizers change it in place.</summary>
    public Parameter Value { get; }

    /// <summary>The tensors kept for it, by name.</summary>
    public IReadOnlyDictionary<string, Tensor> Tensors => _tensors;

    /// <summary>The tensor of this name, of the parameter's shape and full of zeros until the optimizer changes it in place.</summary>
    /// <param name="name">What the optimizer calls it, such as <c>velocity</c>.</param>
    public Tensor Tensor(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (!_tensors.TryGetValue(name, out var tensor))
            _tensors[name] = tensor = zeros_like(Value).DetachFromDisposeScope();
        return tensor;
    }

    internal void Dispose()
    {
        foreach (var tensor in _tensors.Values)
            tensor.Dispose();
        _tensors.Clear();
    }
}
