using MlNetDistill.Core;
using static TorchSharp.torch;

namespace MlNetDistill.Networks;

/// <summary>
/// A forward pass whose backward pass the blocks compute themselves. Its outputs are leaves: autograd computes gradients of losses up to them, and <see cref="Backward"/>
/// those of the parameters. The tensors belong to the current dispose scope.
/// </summary>
internal sealed class NetworkPass
{
    private readonly IReadOnlyList<IGradientBlock> _blocks;
    private readonly Tensor[] _values;
    private readonly Tensor? _logits;
    private readonly Tensor? _embedding;

    /// <summary>Runs the forward pass.</summary>
    /// <param name="input">What the first block reads.</param>
    /// <param name="body">The blocks up to the embedding.</param>
    /// <param name="head">The last layer.</param>
    /// <param name="wanted">The outputs to compute: logits, the embedding, or both.</param>
    public NetworkPass(Tensor input, IReadOnlyList<Block> body, Linear head, ModelOutputs wanted)
    {
        using var noGrad = no_grad();
        var withLogits = wanted.HasFlag(ModelOutputs.Logits);
        IReadOnlyList<Block> all = withLogits ? [.. body, head] : body;
        _blocks = [.. all.Cast<IGradientBlock>()];
        _values = new Tensor[all.Count + 1];
        _values[0] = input;
        for (var i = 0; i < all.Count; i++)
            _values[i + 1] = all[i].forward(_values[i]);
        // As with autograd, an output that no trained block leads to requires no gradient, so that a loss over it is found to train nothing.
        _logits = withLogits ? _values[^1].detach().requires_grad_(_blocks.Any(block => block.Trains)) : null;
        _embedding = wanted.HasFlag(ModelOutputs.Embedding) ? _values[body.Count].detach().requires_grad_(_blocks.Take(body.Count).Any(block => block.Trains)) : null;
        Output = new NetworkOutput(_logits, _embedding);
    }

    /// <summary>The outputs, for losses.</summary>
    public NetworkOutput Output { get; }

    /// <summary>Passes the gradients of the outputs on to the parameters. The pass is used up.</summary>
    public void Backward()
    {
        using var noGrad = no_grad();
        var gradient = _logits?.grad;
        var last = _logits is null ? _blocks.Count - 1 : _blocks.Count - 2;
        var firstTrained = _blocks.TakeWhile(block => !block.Trains).Count();
        for (var i = _blocks.Count - 1; i >= firstTrained; i--)
        {
            if (i == last && _embedding?.grad is { } another)
                gradient = gradient?.AddInPlace(another) ?? another;
            if (gradient is not null)
                gradient = _blocks[i].Backward(_values[i], _values[i + 1], gradient, needsInput: i > firstTrained);
        }
    }
}
