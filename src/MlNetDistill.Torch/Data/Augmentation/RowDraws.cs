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
    public Tensor Uniform(string purpose) => Compute(purpose, p => ToUniform(_step.Draw(p)));

    /// <summary>A number in [0, 1) for each element of each row: B×(shape of a row) 32-bit floats.</summary>
    /// <param name="purpose">What it is drawn for.</param>
    public Tensor UniformElements(string purpose) => Compute(purpose, p => ToRows(ToUniform(_step.DrawElements(p, Shape.Length))));

    /// <summary>A normal number of mean 0 and deviation 1 for each row: B 32-bit floats.</summary>
    /// <param name="purpose">What it is drawn for.</param>
    public Tensor Normal(string purpose) => Compute(purpose, p => AugmentationDraws.ToNormal(_step.Draw(p)).to(float32));

    /// <summary>A normal number of mean 0 and deviation 1 for each element of each row: B×(shape of a row) 32-bit floats.</summary>
    /// <param name="purpose">What it is drawn for.</param>
    public Tensor NormalElements(string purpose) => Compute(purpose, p => ToRows(AugmentationDraws.ToNormal(_step.DrawElements(p, Shape.Length)).to(float32)));

    private static Tensor Compute(string purpose, Func<string, Tensor> draw)
    {
        ArgumentNullException.ThrowIfNull(purpose);
        using var scope = NewDisposeScope();
        return draw(purpose).MoveToOuterDisposeScope();
    }

    private Tensor ToRows(Tensor elements) => elements.reshape([-1, .. Shape.Dimensions]);

    // The highest 24 bits, which 32-bit floats hold exactly: more would round up to 1.
    private Tensor ToUniform(RandomWords words) => _step.Draws.ToIntegers(words.High, 1L << 24).to(float32).DivideBy(1L << 24);
}
