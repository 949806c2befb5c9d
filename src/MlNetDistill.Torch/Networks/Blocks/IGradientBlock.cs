using static TorchSharp.torch;

namespace MlNetDistill.Networks;

/// <summary>A block that computes gradients itself, in fewer and faster native calls than autograd: in a small layer the calls cost more than the arithmetic.</summary>
internal interface IGradientBlock
{
    /// <summary>Whether some of its parameters train.</summary>
    bool Trains { get; }

    /// <summary>Adds to the gradients of its parameters, and returns the gradient of its input; null if that is not needed.</summary>
    /// <param name="input">What the block read.</param>
    /// <param name="output">What it made of it; may be overwritten.</param>
    /// <param name="gradient">The gradient of the output; may be overwritten.</param>
    /// <param name="needsInput">Whether the gradient of the input is needed.</param>
    Tensor? Backward(Tensor input, Tensor output, Tensor gradient, bool needsInput);
}
