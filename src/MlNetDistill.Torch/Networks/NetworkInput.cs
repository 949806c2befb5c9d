using MlNetDistill.Core;
using static System.FormattableString;

namespace MlNetDistill.Networks;

/// <summary>
/// The input of a network: the shape of a row, whether its values are bytes, and the constants by which the network itself standardizes them (so that the
/// exported model takes the raw values too).
/// </summary>
/// <param name="Shape">Shape of one row.</param>
/// <param name="IsByte">Values are bytes (0..255) rather than 32-bit floats.</param>
/// <param name="Scaling">Standardization applied first, or null for none.</param>
/// <param name="IsInterleaved">
/// Whether the exported model (a saved student, <c>SaveOnnx</c>) reads images with the channels of a pixel side by side (H×W×C). The network itself reads them
/// channels first in any case.
/// </param>
public sealed record NetworkInput(InputShape Shape, bool IsByte = false, InputStatistics? Scaling = null, bool IsInterleaved = false)
{
    /// <summary>Why no network can be built for this input and this number of logits, one sentence per fault; empty if one can.</summary>
    internal IEnumerable<string> Validate(int logitCount)
    {
        if (Shape.Length < 1)
            yield return "The shape of the network's input must be given: InputShape.Vector(length) or InputShape.Image(channels, height, width).";
        if (logitCount < 1)
            yield return Invariant($"A network needs at least 1 logit, one for each class; there are {logitCount}.");
        foreach (var fault in Scaling?.Validate(Shape) ?? [])
            yield return fault;
    }

    /// <summary>Shape, type, order and scaling.</summary>
    public override string ToString() =>
        $"{Shape}, {(IsByte ? "bytes" : "floats")}{(IsInterleaved ? ", interleaved" : "")}{(Scaling is null ? "" : $", standardised by {Scaling}")}";
}

/// <summary>Mean and standard deviation of the inputs: one value for all, one for each channel, or one for each vector element.</summary>
/// <param name="Mean">The means.</param>
/// <param name="Deviation">The standard deviations, each above 0.</param>
public sealed record InputStatistics(IReadOnlyList<float> Mean, IReadOnlyList<float> Deviation)
{
    /// <summary>Why an input of this shape cannot be standardized by these numbers, one sentence per fault.</summary>
    internal IEnumerable<string> Validate(InputShape shape)
    {
        if (Mean is null || Deviation is null || Mean.Count != Deviation.Count)
        {
            yield return Invariant($"The input scaling has {Mean?.Count ?? 0} means and {Deviation?.Count ?? 0} deviations; there must be one deviation per mean.");
            yield break;
        }

        if (Mean.Count != 1 && Mean.Count != shape.Channels)
            yield return Invariant($"The input scaling has {Mean.Count} values; for an input of {shape} it must have 1 or {shape.Channels}.");
        foreach (var mean in Mean.Where(value => !float.IsFinite(value)).Take(1))
            yield return Invariant($"A mean of the input scaling must be finite; one is {mean}.");
        foreach (var deviation in Deviation.Where(value => !(value > 0 && float.IsFinite(1 / value))).Take(1))
            yield return Invariant($"A deviation of the input scaling must be above 0; one is {deviation}.");
    }

    /// <summary>The values if there is one of each, else their ranges.</summary>
    public override string ToString() => Mean.Count == 1
        ? Invariant($"mean {Mean[0]}, deviation {Deviation[0]}")
        : Invariant($"{Mean.Count} means {Mean.Min()} to {Mean.Max()}, deviations {Deviation.Min()} to {Deviation.Max()}");
}

/// <summary>How a network scales its input before its first layer.</summary>
public enum InputScaling
{
    /// <summary>Bytes are standardized; floating-point features are not changed (a pipeline normalizes them before).</summary>
    Auto,

    /// <summary>The values are not changed.</summary>
    None,

    /// <summary>
    /// Subtract the mean and divide by the standard deviation of the training rows: per channel of an image, per element of a floating-point vector, over all
    /// elements of a byte vector.
    /// </summary>
    Standardize,
}
