using static TorchSharp.torch;

namespace MlNetDistill.Networks;

/// <summary>The channels of two blocks that read the same input, one after the other.</summary>
public sealed class Concatenation : Block
{
    private readonly Block _first;
    private readonly Block _second;

    /// <summary>The channels of <paramref name="first"/>(x), then those of <paramref name="second"/>(x); the maps must have the same size.</summary>
    public Concatenation(Block first, Block second)
    {
        ArgumentNullException.ThrowIfNull(first);
        ArgumentNullException.ThrowIfNull(second);
        (_first, _second) = (first, second);
        RegisterComponents();
    }

    /// <inheritdoc/>
    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        return cat([_first.Run(input), _second.Run(input)], 1).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public override string Emit(OnnxGraph graph, string input) =>
        graph.Add("Concat", [_first.Emit(graph, input), _second.Emit(graph, input)], ("axis", 1L));
}
