using MlNetDistill.Losses;
using MlNetDistill.Networks;

namespace MlNetDistill.Methods;

/// <content>Methods that compare features.</content>
public abstract partial record DistillationMethod
{
    /// <summary>
    /// Graph-based relational distillation (Lassance et al. 2019): labelWeight · cross-entropy + weight · the mean over taps of the squared difference of the graphs that
    /// student and teacher make of a batch; see <see cref="GraphKdLoss"/>. Needs a teacher that gives stage features; their widths may differ from the student's.
    /// </summary>
    /// <remarks>
    /// The weight 25, power 1 and all edges are those of the authors' code for CIFAR-10. Stage features must not be negative: those of Wide ResNets and MobileNetV2 are not
    /// rectified, so they need <paramref name="signed"/> = <see cref="SignedFeatures.ClampCosines"/>. Batches need at least three rows.
    /// </remarks>
    /// <param name="taps">Which student tap is compared with which teacher tap; by resolution if null, see <see cref="StagePair"/>.</param>
    /// <param name="weight">Weight of the graphs, above 0.</param>
    /// <param name="power">Power of the adjacency matrix, at least 1.</param>
    /// <param name="neighbours">Compare only edges to this many nearest rows in the teacher's graph, at least 1; null for all edges.</param>
    /// <param name="edges">Whether only edges inside a class, or between classes, are compared; both need labels.</param>
    /// <param name="signed">What to do with negative features.</param>
    /// <param name="labelWeight">Weight of the cross-entropy on the labels, at least 0.</param>
    public static DistillationMethod GraphKd(
        IReadOnlyList<StagePair>? taps = null,
        double weight = 25,
        int power = 1,
        int? neighbours = null,
        GraphEdges edges = GraphEdges.All,
        SignedFeatures signed = SignedFeatures.Throw,
        double labelWeight = 1) => new GraphKdMethod(taps, weight, power, neighbours, edges, signed, labelWeight);

    /// <summary>
    /// Lipschitz-guided distillation (Shang et al. 2021, LONDON): labelWeight · cross-entropy + marginWeight · the margin feature loss + weight · the squared relative
    /// differences of the Lipschitz constants of the parts between consecutive taps; see <see cref="LipschitzLoss"/> and <see cref="MarginFeatureLoss"/>, which share their connectors. Needs
    /// a teacher that gives at least two stage features; their widths may differ from the student's.
    /// </summary>
    /// <remarks>
    /// In the authors' code the Lipschitz term has no gradient and trains nothing. Here it has one, as the paper's abstract describes, so its weight is a choice of this library; the
    /// margin's, 1/1000, is that of the authors' CIFAR-100 trainer.
    /// </remarks>
    /// <param name="taps">Which student tap is compared with which teacher tap, from input to output, at least two pairs; by resolution if null, see <see cref="StagePair"/>.</param>
    /// <param name="weight">Weight of the Lipschitz constants, at least 0.</param>
    /// <param name="marginWeight">Weight of the margin feature loss, at least 0.</param>
    /// <param name="margins">The margins of each pair of taps, see <see cref="MarginFeatureLoss.MarginsOf"/>; null to estimate them from each batch.</param>
    /// <param name="iterations">Steps of the power iteration that finds a Lipschitz constant, at least 1.</param>
    /// <param name="labelWeight">Weight of the cross-entropy on the labels, at least 0.</param>
    /// <param name="relative">Whether differences are relative, so that <paramref name="weight"/> means the same for all networks: see <see cref="LipschitzLoss.IsRelative"/>.</param>
    public static DistillationMethod Lipschitz(
        IReadOnlyList<StagePair>? taps = null,
        double weight = 1,
        double marginWeight = 0.001,
        IReadOnlyList<IReadOnlyList<float>>? margins = null,
        int iterations = LipschitzLoss.DefaultIterations,
        double labelWeight = 1,
        bool relative = true) => new LipschitzMethod(taps, weight, marginWeight, margins, iterations, labelWeight, relative);

    /// <summary>
    /// SimKD (Chen et al. 2022): the student learns to give the teacher's embedding, or its last map, and keeps the teacher's own last layer, unchanged, as its own; see
    /// <see cref="SimKdLoss"/>. Nothing else trains, and no label is read. The teacher must be a network that is trained in the fit, or its checkpoints.
    /// </summary>
    /// <remarks>
    /// The student's embedding must be as long as the teacher's: give it a projection by <see cref="NetworkSpec.Projected"/>, which is a part of the student and is exported
    /// with it.
    /// </remarks>
    /// <param name="on">What is compared.</param>
    public static DistillationMethod SimKd(SimKdFeatures on = SimKdFeatures.Embedding) => new SimKdMethod(on);
}
