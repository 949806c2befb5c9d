using MlNetDistill.Core;
using static System.FormattableString;
using static TorchSharp.torch;

namespace MlNetDistill.Networks;

/// <summary>
/// A network whose output is an embedding: another specification without its last layer for classes, and a linear layer to the embedding instead. Its last layer is an
/// identity, so its embedding and its logits are the same.
/// </summary>
/// <param name="Body">The network before that layer.</param>
/// <param name="Length">Length of the embedding.</param>
internal sealed record EmbeddingSpec(NetworkSpec Body, int Length) : NetworkSpec
{
    public override string Name => Invariant($"{Body.Name}, embedding of {Length}");

    public override bool NeedsImages => Body.NeedsImages;

    public override InputShape? Image => Body.Image;

    public override double DefaultLearningRate => Body.DefaultLearningRate;

    /// <summary>The network with this embedding.</summary>
    public static EmbeddingSpec Of(NetworkSpec body, int length) => new(body, length) { InputScaling = body.InputScaling };

    public override IEnumerable<string> Validate() => Body.Validate();

    public override string? ValidateShape(InputShape shape) => Body.ValidateShape(shape);

    protected override NetworkPlan Plan(InputShape shape, int logitCount, Generator generator)
    {
        var plan = Body.CreatePlan(shape, logitCount, generator);
        return plan.EndsInLogits ? plan : NetworkPlan.EndingInLogits([.. plan.Body, new Linear(plan.EmbeddingLength, logitCount, generator)], plan.Taps, logitCount);
    }
}
