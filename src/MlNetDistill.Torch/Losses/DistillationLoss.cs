using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace MlNetDistill.Losses;

/// <summary>
/// An equation over <see cref="LossInputs"/>. Losses compose by weight, <c>0.1 * new CrossEntropyLoss() + 0.9 * new KdLoss(4)</c>, and every
/// term of a sum is reported under its own name.
/// </summary>
public abstract class DistillationLoss
{
    /// <summary>The name under which progress reports this term, in camel case.</summary>
    public abstract string Name { get; }

    /// <summary>What the term reads of the teacher; <see cref="OutputKinds.None"/> for a term over labels alone.</summary>
    public abstract OutputKinds TeacherNeeds { get; }

    /// <summary>What the term reads of the student.</summary>
    public virtual OutputKinds StudentNeeds => OutputKinds.Logits;

    /// <summary>Whether example weights can weigh the term: true for means over rows, false for terms over pairs of rows.</summary>
    public virtual bool CanUseWeights => true;

    /// <summary>The weighted terms of this loss: itself once, or the parts of a sum.</summary>
    public virtual IReadOnlyList<LossTerm> Terms => [new LossTerm(1, this)];

    /// <summary>The loss of one batch, a scalar with gradient towards the student.</summary>
    public abstract Tensor Evaluate(LossInputs inputs);

    /// <summary>A loss scaled by a constant weight.</summary>
    public static DistillationLoss operator *(double weight, DistillationLoss loss) =>
        new WeightedSum([.. loss.Terms.Select(t => t with { Weight = weight * t.Weight })]);

    /// <summary>The sum of two losses.</summary>
    public static DistillationLoss operator +(DistillationLoss left, DistillationLoss right) => new WeightedSum([.. left.Terms, .. right.Terms]);
}

/// <summary>One term of a weighted sum.</summary>
/// <param name="Weight">Its constant weight.</param>
/// <param name="Loss">Its equation.</param>
public sealed record LossTerm(double Weight, DistillationLoss Loss);

internal sealed class WeightedSum(IReadOnlyList<LossTerm> terms) : DistillationLoss
{
    public override string Name => "total";

    public override OutputKinds TeacherNeeds => Terms.Aggregate(OutputKinds.None, (all, t) => all | t.Loss.TeacherNeeds);

    public override OutputKinds StudentNeeds => Terms.Aggregate(OutputKinds.None, (all, t) => all | t.Loss.StudentNeeds);

    public override bool CanUseWeights => Terms.All(t => t.Loss.CanUseWeights);

    public override IReadOnlyList<LossTerm> Terms { get; } = terms;

    public override Tensor Evaluate(LossInputs inputs) =>
        Terms.Select(t => t.Loss.Evaluate(inputs).Times(t.Weight)).Aggregate((a, b) => a.Plus(b));
}
