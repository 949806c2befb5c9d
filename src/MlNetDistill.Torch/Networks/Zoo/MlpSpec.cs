using MlNetDistill.Core;
using static System.FormattableString;
using static TorchSharp.torch;

namespace MlNetDistill.Networks;

/// <summary>A multi-layer perceptron with rectifiers; without hidden layers it is multinomial logistic regression.</summary>
/// <param name="Hidden">Widths of the hidden layers, from input to output, each at least 1.</param>
public sealed record MlpSpec(IReadOnlyList<int> Hidden) : NetworkSpec
{
    /// <inheritdoc/>
    public override string Name => Hidden is { Count: > 0 } ? $"MLP {string.Join('-', Hidden)}" : "linear";

    /// <inheritdoc/>
    public override double DefaultLearningRate => 0.01;

    /// <inheritdoc/>
    public override IEnumerable<string> Validate() => Hidden is null
        ? ["The hidden layers of an MLP must be listed; an empty list is for none."]
        : Hidden.Where(width => width < 1).Select(width => Invariant($"A hidden layer must have at least 1 unit; one has {width}."));

    /// <inheritdoc/>
    protected override NetworkPlan Plan(InputShape shape, int logitCount, Generator generator)
    {
        var body = new List<Block>();
        var taps = new List<int>();
        if (shape.IsImage)
            body.Add(new Flatten());
        var width = shape.Length;
        foreach (var next in Hidden)
        {
            body.Add(new Linear(width, next, generator));
            body.Add(new Relu());
            taps.Add(body.Count - 1);
            width = next;
        }

        return new NetworkPlan(body, taps, width);
    }

    /// <summary>Equal layers make equal specifications.</summary>
    public bool Equals(MlpSpec? other) => other is not null && base.Equals(other) && Hidden.SequenceEqual(other.Hidden);

    /// <inheritdoc/>
    public override int GetHashCode() => Hidden.Aggregate(base.GetHashCode(), HashCode.Combine);
}
