using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MlNetDistill.Networks;

/// <summary>Blocks one after another, as one block.</summary>
public sealed class Sequential : Block
{
    private readonly ModuleList<Block> _blocks;

    /// <summary>The blocks, from input to output.</summary>
    public Sequential(params Block[] blocks)
    {
        ArgumentNullException.ThrowIfNull(blocks);
        foreach (var block in blocks)
            ArgumentNullException.ThrowIfNull(block, nameof(blocks));
        _blocks = new ModuleList<Block>(blocks);
        RegisterComponents();
    }

    /// <inheritdoc/>
    public override Tensor forward(Tensor input)
    {
        // A scope for each composite block gives the activations back as early as Python's reference counts would.
        using var scope = NewDisposeScope();
        var x = input;
        foreach (var block in _blocks)
        {
            var y = block.Run(x);
            // A block may return its input itself.
            if (!ReferenceEquals(x, y) && !ReferenceEquals(x, input))
                x.Dispose();
            x = y;
        }

        return ReferenceEquals(x, input) ? input : x.MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public override string Emit(OnnxGraph graph, string input)
    {
        foreach (var block in _blocks)
            input = block.Emit(graph, input);
        return input;
    }
}
