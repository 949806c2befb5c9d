using MlNetDistill.Core;
using MlNetDistill.Losses;
using MlNetDistill.Networks;

namespace MlNetDistill.Methods;

/// <summary>How a student learns from its teacher: an immutable description of training as a sequence of phases.</summary>
public abstract partial record DistillationMethod
{
    /// <summary>A short name for logs and tables.</summary>
    public abstract string Name { get; }

    /// <summary>The teacher's outputs that the method needs; <see cref="ModelOutputs.None"/> for none.</summary>
    public abstract ModelOutputs TeacherNeeds { get; }

    /// <summary>Whether the method can learn from example weights.</summary>
    public virtual bool CanUseWeights => true;

    /// <summary>Whether the method needs one label for each row; mixup and CutMix give rows more than one.</summary>
    public virtual bool NeedsHardLabels => false;

    /// <summary>Whether the method needs a route of teachers (see <c>Route</c>) instead of one.</summary>
    public virtual bool NeedsRoute => false;

    /// <summary>Whether the method decides by held-out rows how training continues.</summary>
    public virtual bool NeedsHeldOutRows => false;

    /// <summary>Whether the method has more than one phase with each teacher, so that the teacher cannot change within a single stage (<see cref="RcoSchedule.OneStage"/>).</summary>
    public virtual bool HasSeveralPhases => false;

    /// <summary>Whether the student keeps the last layer of its teacher, which must show it.</summary>
    internal virtual bool NeedsLastLayer => false;

    /// <summary>Whether a copy of the teacher is trained too. Then the teacher must be a network that this library can copy (<c>Teacher.Train</c>, <c>Route</c>).</summary>
    public virtual bool TrainsTeacher => false;

    /// <summary>
    /// Whether it is the baseline: cross-entropy on the labels and nothing else. A method that asks no teacher need not be it: targets can come from a matrix of similarities.
    /// </summary>
    internal virtual bool IsLabelsOnly => false;

    /// <summary>The method with the defaults for its teacher where nothing was set.</summary>
    internal virtual DistillationMethod WithDefaults(KdDefaults defaults) => this;

    /// <summary>Whether it runs code of the application, which may draw from TorchSharp's process-wide generator.</summary>
    internal virtual bool MayDrawFromTorch => GetType().Assembly != typeof(DistillationMethod).Assembly;

    private protected static bool HasForeignTerms(DistillationLoss? loss) => loss?.Terms.Any(t => t.Loss.GetType().Assembly != typeof(DistillationLoss).Assembly) == true;

    /// <summary>
    /// Knowledge distillation (Hinton et al. 2015): (1 - alpha) · cross-entropy + alpha · T² · KL(teacher ‖ student), both softened by T.
    /// </summary>
    /// <remarks>
    /// T = 4 and alpha = 0.9 are those of mdistiller's and RepDistiller's CIFAR-100 scripts, whose students learn from networks' logits for images. For vectors, and for the
    /// probabilities of forests and other ML.NET models, T = 4 costs accuracy; docs/training.md has the measurements.
    /// </remarks>
    /// <param name="temperature">Softening divisor T, above 0; null for 4 if the student reads images and the teacher gives logits, else 1.</param>
    /// <param name="alpha">
    /// Share of the teacher's term, in [0, 1]; the rest is the labels'. Null for 0.9 if the student reads images and the teacher gives logits, else 0.5.
    /// </param>
    public static DistillationMethod Kd(double? temperature = null, double? alpha = null) => new KdMethod(temperature, alpha);

    /// <summary>
    /// DIST (Huang et al., NeurIPS 2022): labelWeight · cross-entropy + interWeight · τ² (1 - mean row correlation) + intraWeight · τ² (1 - mean column
    /// correlation) of the softened probabilities; see <see cref="DistLoss"/>. The defaults are those of the official code's CIFAR-100 configuration
    /// (cross-entropy 1, both relations 2, τ = 4); its ImageNet configuration has τ = 1.
    /// </summary>
    /// <remarks>With two classes the inter-class relation has no gradient, and a warning says so. Example weights cannot weigh the intra-class relation.</remarks>
    /// <param name="temperature">Softening divisor τ, above 0; null for 4 if the student reads images and the teacher gives logits, else 1.</param>
    /// <param name="interWeight">Weight of the rows' (inter-class) correlation, at least 0.</param>
    /// <param name="intraWeight">Weight of the columns' (intra-class) correlation, at least 0.</param>
    /// <param name="labelWeight">Weight of the cross-entropy on the labels, at least 0.</param>
    public static DistillationMethod Dist(double? temperature = null, double interWeight = 2, double intraWeight = 2, double labelWeight = 1) =>
        new DistMethod(temperature, interWeight, intraWeight, labelWeight);

    /// <summary>
    /// Correlation congruence (after Peng et al., ICCV 2019, as secondary sources describe it): alpha · cross-entropy + (1 - alpha) · KD + beta · congruence of the
    /// batch's n×n correlation matrices of student and teacher embeddings; see <see cref="CorrelationCongruenceLoss"/>. Batches of classes or of clusters of the teacher's
    /// embeddings are a setting of the trainer (<c>DistillationOptions.Sampling</c>).
    /// </summary>
    /// <param name="kernel">The correlation; the Gaussian's Taylor series of order 2 with γ = 0.4 (torchdistill's sample configuration) if null.</param>
    /// <param name="alpha">Share of the labels against KD, in [0, 1]; 0.1, our choice, is that of the KD scripts.</param>
    /// <param name="beta">Weight of the congruence, at least 0; our choice. Other libraries' weights belong to other losses and do not carry over.</param>
    /// <param name="temperature">Softening divisor T of the KD term, above 0; null for that of <see cref="Kd"/>.</param>
    /// <param name="missingEmbedding">What to do if the teacher has no embeddings, like ML.NET models.</param>
    public static DistillationMethod Cckd(
        CorrelationKernel? kernel = null, double alpha = 0.1, double beta = 10, double? temperature = null, MissingEmbedding missingEmbedding = MissingEmbedding.Throw) =>
        new CckdMethod(kernel ?? CorrelationKernel.GaussianTaylor(), alpha, beta, temperature, missingEmbedding);

    /// <summary>
    /// Route-constrained optimization (Jin et al., ICCV 2019): the student follows the route its teacher took, anchor by anchor, each time with the loss of
    /// the inner method. Needs a route of teachers (see <c>Route</c>).
    /// </summary>
    /// <param name="method">The method used with every anchor; <see cref="Kd"/> if null.</param>
    /// <param name="anchors">Which anchors are visited; all if null.</param>
    /// <param name="schedule">Whether every anchor is trained on for all epochs, or all anchors share the epochs.</param>
    public static DistillationMethod Rco(
        DistillationMethod? method = null, AnchorSelection? anchors = null, RcoSchedule schedule = RcoSchedule.Restart) =>
        new RcoMethod(method ?? Kd(), anchors ?? AnchorSelection.All(), schedule);

    /// <summary>
    /// Stage-by-stage distillation (Gao et al. 2018): the student's stages learn one after another to reproduce the teacher's stage features (L2, through an
    /// adapter that is discarded), each with the finished ones frozen; then the head learns from the labels alone. Needs a teacher that gives
    /// stage features, a network. Adapters, schedule and budget are our choice: the paper's are not known to us.
    /// </summary>
    /// <remarks>The learning-rate schedule restarts in each stage, over the stage's epochs.</remarks>
    /// <param name="stages">Which student tap learns which teacher tap, from input to output; by resolution if null, see <see cref="StagePair"/>.</param>
    /// <param name="shares">
    /// Share of the epochs for each stage and, last, for the head, each above 0; scaled to sum to 1. Equal shares if null. The split is logged.
    /// </param>
    /// <param name="reduction">How the squared differences of a stage are summed up; the mean is our choice.</param>
    /// <param name="headLoss">What the head learns from; the labels alone (cross-entropy) if null.</param>
    /// <param name="trainBackboneWithHead">Whether the backbone is unfrozen for the head's stage.</param>
    public static DistillationMethod Sskd(
        IReadOnlyList<StagePair>? stages = null,
        IReadOnlyList<double>? shares = null,
        FeatureReduction reduction = FeatureReduction.Mean,
        DistillationLoss? headLoss = null,
        bool trainBackboneWithHead = false) => new SskdMethod(stages, shares, reduction, headLoss, trainBackboneWithHead);

    /// <summary>One stage with any loss: a weighted sum of the losses in <c>MlNetDistill.Losses</c> and of your own ones.</summary>
    /// <param name="name">A short name for logs and tables.</param>
    /// <param name="loss">The loss, for example <c>0.1 * new CrossEntropyLoss() + 0.9 * new MyLoss()</c>.</param>
    public static DistillationMethod FromLoss(string name, DistillationLoss loss)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        ArgumentNullException.ThrowIfNull(loss);
        return new LossMethod(name, loss);
    }

    /// <summary>The baseline every method is compared with: cross-entropy on the labels, no teacher.</summary>
    public static DistillationMethod LabelsOnly() => new LossMethod("labels only", new CrossEntropyLoss());

    /// <summary>Its kind and its settings, in a line where they fit in one.</summary>
    public sealed override string ToString() => SettingText.Describe(this);

    /// <summary>What is wrong with these settings, each as one sentence.</summary>
    public virtual IEnumerable<string> Validate() => [];

    /// <summary>The phases of training, in order. The sequence is lazy: a later phase may depend on how an earlier one went.</summary>
    /// <remarks>
    /// A fit enumerates the phases twice: once before anything is trained, to find what cannot work, with teachers that have shapes and answer nothing where they
    /// are yet to be trained; then to train them.
    /// </remarks>
    public abstract IEnumerable<TrainingPhase> Phases(MethodContext context);
}

/// <summary>How route-constrained optimization divides the epochs.</summary>
public enum RcoSchedule
{
    /// <summary>Every anchor has all epochs and its own learning-rate schedule, so the cost is that of one run times the number of anchors.</summary>
    Restart,

    /// <summary>One run and one learning-rate schedule, in which the anchor changes at equal intervals.</summary>
    OneStage,
}

/// <summary>What correlation congruence does if the teacher has no embeddings.</summary>
public enum MissingEmbedding
{
    /// <summary>An exception is thrown.</summary>
    Throw,

    /// <summary>
    /// Compare the correlations of the logits, less their mean, on both sides. They stay the same when classes change places, so KD and the labels must
    /// outweigh them: use a beta of about 1.
    /// </summary>
    UseLogits,
}
