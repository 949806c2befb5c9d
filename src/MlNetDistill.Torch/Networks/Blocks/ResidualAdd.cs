using MlNetDistill.Core;
using static TorchSharp.torch;

namespace MlNetDistill.Networks;

/// <summary>The sum of two blocks that read the same input, or of one block and its input.</summary>
public sealed class ResidualAdd : Block
{
    private readonly Block _block;
    private readonly Block? _shortcut;

    /// <summary><paramref name="block"/>(x) + <paramref name="shortcut"/>(x), of equal shapes; without a shortcut <paramref name="block"/>(x) + x.</summary>
    public ResidualAdd(Block block, Block? shortcut = null)
    {
        ArgumentNullException.ThrowIfNull(block);
        (_block, _shortcut) = (block, shortcut);
        RegisterComponents();
    }

    /// <inheritdoc/>
    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        return _block.Run(input).Add(_shortcut?.Run(input) ?? input).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public override string Emit(OnnxGraph graph, string input) =>
        graph.Add("Add", [_block.Emit(graph, input), _shortcut?.Emit(graph, input) ?? input]);
}
