using MlNetDistill.Core;
using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace MlNetDistill.Losses;

/// <summary>
/// An equation over <see cref="LossInputs"/>. Losses compose by weight, <c>0.1 * new CrossEntropyLoss() + 0.9 * new KdLoss(4)</c>, and every
/// term of a sum is reported under its own name. Derive from it for a loss of your own.
/// </summary>
public abstract class DistillationLoss
{
    /// <summary>The name under which progress reports this term, in camel case.</summary>
    public abstract string Name { get; }

    /// <summary>What the term reads of the teacher; <see cref="ModelOutputs.None"/> for a term over labels alone.</summary>
    public abstract ModelOutputs TeacherNeeds { get; }

    /// <summary>What the term reads of the student.</summary>
    public virtual ModelOutputs StudentNeeds => ModelOutputs.Logits;

    /// <summary>Whether example weights can weigh the term: true for means over rows, false for terms over pairs of rows.</summary>
    public virtual bool CanUseWeights => true;

    /// <summary>Whether the term needs one label for each row, which mixup and CutMix do not leave.</summary>
    public virtual bool NeedsHardLabels => false;

    /// <summary>
    /// Whether a row without a label says nothing to the term: where no row trained on has a label, the term is left out, and a stage of such terms alone is
    /// refused. By default true of terms that read nothing of the teacher.
    /// </summary>
    public virtual bool NeedsLabels => TeacherNeeds == ModelOutputs.None;

    /// <summary>The weighted terms of this loss: itself once, or the parts of a sum.</summary>
    public virtual IReadOnlyList<LossTerm> Terms => [new LossTerm(1, this)];

    /// <summary>
    /// Trainable maps that the term needs to compare features of these shapes. The stage owns them, trains them beside the student and throws
    /// them away at its end; <see cref="Evaluate"/> finds them with <see cref="LossInputs.ProjectionsFor"/>, in this order. Their input is the
    /// student's: a trained projection of the teacher's features could make both constant.
    /// </summary>
    /// <param name="student">Shapes of the student's outputs.</param>
    /// <param name="teacher">Shapes of the teacher's outputs.</param>
    /// <param name="generator">Draws the initial weights.</param>
    /// <exception cref="InvalidOperationException">Features of these shapes cannot be compared.</exception>
    public virtual IReadOnlyList<nn.Module<Tensor, Tensor>> CreateProjections(OutputShapes student, OutputShapes teacher, Generator generator) => [];

    /// <summary>What a user should know before training with this term on so many classes, as one sentence; null for nothing.</summary>
    public virtual string? Caution(int classes) => null;

    /// <summary>About what the term is for a student that has learnt nothing and finds all classes equally probable; null where that is not known.</summary>
    internal virtual double? UntrainedValue(int classes) => null;

    /// <summary>The loss of one batch, a scalar with gradient towards the student.</summary>
    public abstract Tensor Evaluate(LossInputs inputs);

    /// <summary>
    /// The same loss where its derivative is known as an equation over the student's logits, which it must read nothing else of: to state the gradient costs a
    /// fraction of recording a graph and going back through it. Null where <see cref="Evaluate"/> alone can tell.
    /// </summary>
    /// <param name="inputs">The inputs of a step.</param>
    /// <param name="weight">What the gradient is multiplied by; the value is not.</param>
    internal virtual LogitGradient? EvaluateWithGradient(LossInputs inputs, double weight) => null;

    /// <summary>Its name and settings; of a sum the weighted terms.</summary>
    public override string ToString() => SettingText.Describe(this);

    /// <summary>
    /// The same loss with weights that rise linearly: in epoch e (from 1) times min(e / <paramref name="epochs"/>, 1), as mdistiller does for DKD.
    /// </summary>
    /// <param name="epochs">Epochs until the full weight, at least 1.</param>
    public DistillationLoss WithWarmup(int epochs)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(epochs, 1);
        return new WeightedSum([.. Terms.Select(t => t with { WarmupEpochs = epochs })]);
    }

    /// <summary>A loss scaled by a constant weight of at least 0; a term of weight 0 is evaluated for the report alone.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The weight is negative, infinite or NaN.</exception>
    public static DistillationLoss operator *(double weight, DistillationLoss loss)
    {
        Guard.Weight(weight, nameof(weight));
        ArgumentNullException.ThrowIfNull(loss);
        return new WeightedSum([.. loss.Terms.Select(t => t with { Weight = weight * t.Weight })]);
    }

    /// <summary>The sum of two losses.</summary>
    public static DistillationLoss operator +(DistillationLoss left, DistillationLoss right)
    {
        ArgumentNullException.ThrowIfNull(left);
        ArgumentNullException.ThrowIfNull(right);
        return new WeightedSum([.. left.Terms, .. right.Terms]);
    }
}

/// <summary>One term of a weighted sum.</summary>
/// <param name="Weight">Its weight.</param>
/// <param name="Loss">Its equation.</param>
/// <param name="WarmupEpochs">Epochs over which the weight rises linearly; 0 for a constant weight.</param>
public sealed record LossTerm(double Weight, DistillationLoss Loss, int WarmupEpochs = 0)
{
    /// <summary>The weight in an epoch, from 1.</summary>
    public double WeightIn(int epoch) => epoch >= WarmupEpochs ? Weight : Weight * epoch / WarmupEpochs;

    /// <summary>Weight and loss, as a sum is written.</summary>
    public override string ToString() =>
        FormattableString.Invariant($"{Weight} * {Loss}") + (WarmupEpochs == 0 ? "" : $", warmed up over {WarmupEpochs} epochs");
}

/// <summary>A loss and its gradient towards the student's logits, neither of them part of a graph.</summary>
/// <param name="Value">The loss divided by <paramref name="Scale"/>, a scalar: whoever adds losses up multiplies on the way, without an operation of its own.</param>
/// <param name="Scale">What to multiply the value by.</param>
/// <param name="Gradient">The weighted gradient of the loss itself, B×K.</param>
internal readonly record struct LogitGradient(Tensor Value, double Scale, Tensor Gradient);

internal sealed class WeightedSum(IReadOnlyList<LossTerm> terms) : DistillationLoss
{
    public override string Name => "total";

    public override ModelOutputs TeacherNeeds => Terms.Aggregate(ModelOutputs.None, (all, t) => all | t.Loss.TeacherNeeds);

    public override ModelOutputs StudentNeeds => Terms.Aggregate(ModelOutputs.None, (all, t) => all | t.Loss.StudentNeeds);

    public override bool CanUseWeights => Terms.All(t => t.Loss.CanUseWeights);

    public override bool NeedsHardLabels => Terms.Any(t => t.Loss.NeedsHardLabels);

    public override bool NeedsLabels => Terms.All(t => t.Loss.NeedsLabels);

    public override IReadOnlyList<LossTerm> Terms { get; } = terms;

    public override string ToString() => string.Join(" + ", Terms);

    // The loop evaluates term by term; this is for those who call a sum themselves, at full weights.
    public override Tensor Evaluate(LossInputs inputs) =>
        Terms.Select(t => t.Loss.Evaluate(inputs).MultiplyBy(t.Weight)).Aggregate((a, b) => a.Add(b));
}
