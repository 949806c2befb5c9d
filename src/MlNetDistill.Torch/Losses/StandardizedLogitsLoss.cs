using MlNetDistill.Core;
using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace MlNetDistill.Losses;

/// <summary>
/// A loss on the standardized logits (z - mean of z) / (1e-7 + standard deviation of z) of every row of student and teacher: logit standardization
/// (Sun et al. 2024). The student need not match the scale of the teacher's logits. As in
/// sunshangquan/logit-standardization-KD (distillers/KD.py and DKD.py), with the unbiased deviation (divided by K - 1).
/// </summary>
/// <remarks>
/// That repository's settings are <c>0.1 * new CrossEntropyLoss() + 9 * new StandardizedLogitsLoss(new KdLoss(2))</c>, and
/// <c>new DkdLoss(2, 9, 72)</c> inside for DKD; its cross-entropy reads the raw logits. Unlike there, a row whose standard
/// deviation is below 1e-6, or below 1e-6 of its mean, becomes all zeros and gives no gradient; the reference divides rounding errors by 1e-7.
/// </remarks>
public sealed class StandardizedLogitsLoss : DistillationLoss
{
    private const double Epsilon = 1e-7;
    private const double NoSpread = 1e-6;

    /// <summary>A loss on standardized logits.</summary>
    /// <param name="loss">One term on the logits of student and teacher, such as <see cref="KdLoss"/> or <see cref="DkdLoss"/>.</param>
    public StandardizedLogitsLoss(DistillationLoss loss)
    {
        ArgumentNullException.ThrowIfNull(loss);
        if (loss.Terms is not [{ } only] || only.Loss != loss)
            throw new ArgumentException("A weighted sum, or a loss with a warm-up, cannot be standardised as a whole. Standardise each term by itself and build the sum from those.", nameof(loss));
        if (loss.TeacherNeeds != ModelOutputs.Logits || loss.StudentNeeds != ModelOutputs.Logits)
            throw new ArgumentException($"The loss '{loss.Name}' does not compare the logits of student and teacher.", nameof(loss));
        Loss = loss;
    }

    /// <inheritdoc/>
    public override string Name => $"{Loss.Name}Standardized";

    /// <inheritdoc/>
    public override ModelOutputs TeacherNeeds => ModelOutputs.Logits;

    /// <inheritdoc/>
    public override bool CanUseWeights => Loss.CanUseWeights;

    /// <inheritdoc/>
    public override bool NeedsHardLabels => Loss.NeedsHardLabels;

    /// <inheritdoc/>
    public override bool NeedsLabels => Loss.NeedsLabels;

    /// <summary>The loss on the standardized logits.</summary>
    public DistillationLoss Loss { get; }

    /// <summary>(z - mean of z) / (1e-7 + unbiased standard deviation of z), row by row.</summary>
    /// <param name="logits">B×K, K at least 2.</param>
    /// <exception cref="ArgumentException">The logits are not B×K.</exception>
    /// <exception cref="InvalidOperationException">There is one class.</exception>
    public static Tensor Standardize(Tensor logits)
    {
        Guard.Rank(logits, 2, "rows×classes", nameof(logits));
        if (logits.shape[1] < 2)
            throw new InvalidOperationException("Standardised logits need at least two classes: a single logit has no standard deviation.");
        var mean = logits.mean([1], true);
        var spread = logits.std([1], unbiased: true, keepdim: true);
        var isFlat = spread.sub(mean.detach().abs().MultiplyBy(NoSpread)).IsAtMost(NoSpread);
        return logits.sub(mean).div(spread.Add(Epsilon).MaskedFill(isFlat, double.PositiveInfinity));
    }

    /// <inheritdoc/>
    public override IReadOnlyList<nn.Module<Tensor, Tensor>> CreateProjections(OutputShapes student, OutputShapes teacher, Generator generator) =>
        Loss.CreateProjections(student, teacher, generator);

    /// <inheritdoc/>
    public override IEnumerable<string> Warnings(int classes) => classes == 2
        ? ["With two classes standardised logits are always 0.707 and -0.707, so the loss has no usable gradient; distil without standardisation."]
        : Loss.Warnings(classes);

    /// <inheritdoc/>
    public override Tensor Evaluate(LossInputs inputs) => Loss.Evaluate(new LossInputs(
        NetworkOutput.FromLogits(Standardize(inputs.Student.Logits)),
        NetworkOutput.FromLogits(Standardize(inputs.Teacher.Logits.detach())),
        inputs.UncheckedLabels,
        inputs.Weights,
        inputs.HasMissingLabels)
    {
        SoftLabels = inputs.SoftLabels,
        HasNoLabels = inputs.HasNoLabels,
        Projections = inputs.ProjectionsWithin(this, Loss),
    });
}
