using MlNetDistill.Core;
using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace MlNetDistill.Losses;

/// <summary>
/// A function of <see cref="LossInputs"/>. Losses compose by weight, <c>0.1 * new CrossEntropyLoss() + 0.9 * new KdLoss(4)</c>, and every
/// term of a sum is reported under its own name. Derive your own loss from it.
/// </summary>
public abstract class DistillationLoss
{
    /// <summary>The name under which progress reports this term, in camel case.</summary>
    public abstract string Name { get; }

    /// <summary>The teacher's outputs that the term reads; <see cref="ModelOutputs.None"/> for a term that reads labels only.</summary>
    public abstract ModelOutputs TeacherNeeds { get; }

    /// <summary>The student's outputs that the term reads.</summary>
    public virtual ModelOutputs StudentNeeds => ModelOutputs.Logits;

    /// <summary>Whether the term can be weighted by example weights: true for means over rows, false for terms over pairs of rows.</summary>
    public virtual bool CanUseWeights => true;

    /// <summary>Whether the term needs one label per row; mixup and CutMix give rows more than one.</summary>
    public virtual bool NeedsHardLabels => false;

    /// <summary>
    /// Whether the term needs labels. If no training row has a label, such terms are left out, and a stage that consists of them alone is an error.
    /// By default true for terms that read nothing of the teacher.
    /// </summary>
    public virtual bool NeedsLabels => TeacherNeeds == ModelOutputs.None;

    /// <summary>
    /// Whether the term reads nothing of the teacher but <see cref="LossInputs.TeacherLogProbabilities"/>, so that <see cref="WithTargets"/> can put other
    /// probabilities in their place. False by default.
    /// </summary>
    public virtual bool ReadsOnlyProbabilities => false;

    /// <summary>The weighted terms of this loss: itself once, or the parts of a sum.</summary>
    public virtual IReadOnlyList<LossTerm> Terms => [new LossTerm(1, this)];

    /// <summary>
    /// Creates the trainable projections that the term needs to compare features of these shapes. The stage owns them, trains them together with the
    /// student and disposes them at its end; <see cref="Evaluate"/> gets them from <see cref="LossInputs.ProjectionsFor"/>, in this order. Project
    /// the student's features, not the teacher's: a trained projection of the teacher's could make both constant.
    /// </summary>
    /// <param name="student">Shapes of the student's outputs.</param>
    /// <param name="teacher">Shapes of the teacher's outputs; the student's in a stage without a teacher.</param>
    /// <param name="generator">Draws the initial weights.</param>
    /// <exception cref="InvalidOperationException">Features of these shapes cannot be compared.</exception>
    public virtual IReadOnlyList<nn.Module<Tensor, Tensor>> CreateProjections(OutputShapes student, OutputShapes teacher, Generator generator) => [];

    /// <summary>Warnings to log before training with this term on this number of classes, one sentence each; empty by default.</summary>
    public virtual IEnumerable<string> Warnings(int classes) => [];

    /// <summary>Warnings about batches of this size, one sentence each.</summary>
    internal virtual IEnumerable<string> BatchWarnings(int batchSize) => [];

    /// <summary>Another loss that must be a term of the same sum, because this one uses its projections; null for none.</summary>
    internal virtual DistillationLoss? NeededTerm => null;

    /// <summary>The classes that its settings are of, in the order of the labels; null if they are of none, or unknown.</summary>
    internal virtual IReadOnlyList<string>? ClassNames => null;

    /// <summary>The approximate loss of an untrained student, for which all classes are equally probable; null if not known.</summary>
    internal virtual double? UntrainedValue(int classes) => null;

    /// <summary>The loss of one batch, a scalar with gradient towards the student.</summary>
    public abstract Tensor Evaluate(LossInputs inputs);

    /// <summary>
    /// The loss with its gradient in closed form, for losses that read only the student's logits: this costs a fraction of recording a graph and
    /// running backward through it. Null if only <see cref="Evaluate"/> can compute the loss.
    /// </summary>
    /// <param name="inputs">The inputs of a step.</param>
    /// <param name="weight">The factor of the gradient; the value is not multiplied.</param>
    internal virtual LogitGradient? EvaluateWithGradient(LossInputs inputs, double weight) => null;

    /// <summary>
    /// The same value as <see cref="Evaluate"/>, as a function of the teacher's logits too: with gradient to both, and twice differentiable. For phases that train the
    /// teacher. Null if the term cannot be computed so.
    /// </summary>
    /// <param name="inputs">The inputs of a step; their teacher is not read.</param>
    /// <param name="teacher">The teacher's logits, B×K.</param>
    internal virtual Tensor? EvaluateTowardsTeacher(LossInputs inputs, Tensor teacher) => null;

    /// <summary>Whether <see cref="EvaluateTowardsTeacher"/> gives a value.</summary>
    internal virtual bool ReachesTeacher => false;

    /// <summary>Its name and settings; for a sum the weighted terms.</summary>
    public override string ToString() => SettingText.Describe(this);

    /// <summary>
    /// The same loss with a linear warm-up: in epoch e, counted from 1, the weight is multiplied by min(e / <paramref name="epochs"/>, 1), as mdistiller
    /// does for DKD.
    /// </summary>
    /// <param name="epochs">Epochs until the full weight, at least 1.</param>
    public DistillationLoss WithWarmup(int epochs)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(epochs, 1);
        return new WeightedSum([.. Terms.Select(t => t with { WarmupEpochs = epochs })]);
    }

    /// <summary>The same loss with targets that have a part of the teacher's knowledge, in place of its probabilities (after Tang et al. 2020).</summary>
    /// <param name="targets">Which part.</param>
    /// <exception cref="InvalidOperationException">The loss is a sum, or reads more of the teacher than its probabilities.</exception>
    public DistillationLoss WithTargets(TeacherTargets targets) => new TeacherTargetsLoss(this, targets);

    /// <summary>A loss scaled by a constant weight of at least 0; a term of weight 0 is computed and reported, but not trained on.</summary>
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
/// <param name="Loss">Its loss.</param>
/// <param name="WarmupEpochs">Epochs over which the weight rises linearly; 0 for a constant weight.</param>
public sealed record LossTerm(double Weight, DistillationLoss Loss, int WarmupEpochs = 0)
{
    /// <summary>The weight in an epoch, from 1.</summary>
    public double WeightIn(int epoch) => epoch >= WarmupEpochs ? Weight : Weight * epoch / WarmupEpochs;

    /// <summary>Weight and loss, as a sum is written.</summary>
    public override string ToString() =>
        FormattableString.Invariant($"{Weight} * {Loss}") + (WarmupEpochs == 0 ? "" : $", warm-up {NumberText.Count(WarmupEpochs, "epoch")}");
}

/// <summary>A loss and its gradient with respect to the student's logits, neither of them part of a graph.</summary>
/// <param name="Value">The loss divided by <paramref name="Scale"/>, a scalar: the sum of the losses applies the scale without an extra operation.</param>
/// <param name="Scale">The factor of the value.</param>
/// <param name="Gradient">The weighted gradient of the loss, B×K.</param>
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

    /// <summary>The terms as a setting: where they are too long for a line, a description lists the settings, of which what overrides is none.</summary>
    public IReadOnlyList<LossTerm> Sum => Terms;

    public override string ToString() => string.Join(" + ", Terms);

    // The training loop evaluates term by term; this serves direct calls, with full weights.
    public override Tensor Evaluate(LossInputs inputs) =>
        Terms.Select(t => t.Loss.Evaluate(inputs).MultiplyBy(t.Weight)).Aggregate((a, b) => a.Add(b));
}
