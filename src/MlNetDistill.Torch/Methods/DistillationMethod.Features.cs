using MlNetDistill.Losses;

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
}
