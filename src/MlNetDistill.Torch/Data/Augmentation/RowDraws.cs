using MlNetDistill.Core;
using static TorchSharp.torch;

namespace MlNetDistill.Data;

/// <summary>
/// Random numbers for the rows of a batch. They depend on the run's seed, the row, the epoch and the purpose alone: one purpose always gives the same numbers, so
/// use a different purpose for each thing that is drawn.
/// </summary>
public sealed class RowDraws
{
    private readonly ViewStep _step;

    internal RowDraws(ViewStep step) => _step = step;

    /// <summary>Shape of a row.</summary>
    public InputShape Shape => _step.Set.Shape;

    /// <summary>A number in [0, 1) for each row: B 32-bit floats.</summary>
    /// <param name="purpose">What it is drawn for, such as <c>angle</c>.</param>
    public Tensor Uniform(string purpose)
    {
        ArgumentNullException.ThrowIfNull(purpose);
        using var scope = NewDisposeScope();
        return Uniform(_step.Draw(purpose).High).MoveToOuterDisposeScope();
    }

    /// <summary>A number in [0, 1) for each element of each row: B×(shape of a row) 32-bit floats.</summary>
    /// <param name="purpose">What it is drawn for.</param>
    public Tensor UniformElements(string purpose)
    {
        ArgumentNullException.ThrowIfNull(purpose);
        using var scope = NewDisposeScope();
        return Shaped(Uniform(_step.DrawElements(purpose, Shape.Length).High)).MoveToOuterDisposeScope();
    }

    /// <summary>A normal number of mean 0 and deviation 1 for each row: B 32-bit floats.</summary>
    /// <param name="purpose">What it is drawn for.</param>
    public Tensor Normal(string purpose)
    {
        ArgumentNullException.ThrowIfNull(purpose);
        using var scope = NewDisposeScope();
        return AugmentationDraws.ToNormal(_step.Draw(purpose)).to(float32).MoveToOuterDisposeScope();
    }

    /// <summary>A normal number of mean 0 and deviation 1 for each element of each row: B×(shape of a row) 32-bit floats.</summary>
    /// <param name="purpose">What it is drawn for.</param>
    public Tensor NormalElements(string purpose)
    {
        ArgumentNullException.ThrowIfNull(purpose);
        using var scope = NewDisposeScope();
        return Shaped(AugmentationDraws.ToNormal(_step.DrawElements(purpose, Shape.Length)).to(float32)).MoveToOuterDisposeScope();
    }

    private Tensor Shaped(Tensor elements) => elements.reshape([-1, .. Shape.Dimensions]);

    // The highest 24 bits, which 32-bit floats hold exactly: more would round up to 1.
    private Tensor Uniform(Tensor words) => _step.Draws.ToIntegers(words, 1L << 24).to(float32).DivideBy(1L << 24);
}
