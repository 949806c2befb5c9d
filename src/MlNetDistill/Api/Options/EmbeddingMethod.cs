using MlNetDistill.Core;
using MlNetDistill.Data;
using MlNetDistill.Losses;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Teachers;

namespace MlNetDistill;

/// <summary>How the training of an embedding student is divided. In each stage it learns the <see cref="EmbeddingOptions.Loss"/>, or features below its embedding.</summary>
public abstract record EmbeddingMethod
{
    private protected EmbeddingMethod() { }

    /// <summary>One stage with one teacher, the last one of a route.</summary>
    public static EmbeddingMethod OneStage() => new OneStageEmbedding();

    /// <summary>
    /// Route-constrained optimization (Jin et al., ICCV 2019): the student follows the route its teacher took, anchor by anchor. Needs a route of teachers
    /// (<see cref="EmbeddingTeacher.FromRoute"/>, <see cref="EmbeddingTeacher.FromCheckpoints"/>).
    /// </summary>
    /// <remarks>A projection that is learnt, and the classes of a <see cref="EmbeddingOptions.Head"/>, start anew with each anchor of <see cref="RcoSchedule.Restart"/>.</remarks>
    /// <param name="method">How the training with each anchor is divided; one stage if null.</param>
    /// <param name="anchors">Which anchors are visited; all if null. Greedy selection compares class probabilities, which embeddings do not have.</param>
    /// <param name="schedule">Whether every anchor is trained on for all epochs, or all anchors share the epochs.</param>
    public static EmbeddingMethod Rco(EmbeddingMethod? method = null, AnchorSelection? anchors = null, RcoSchedule schedule = RcoSchedule.Restart) =>
        new RcoEmbedding(method ?? OneStage(), anchors ?? AnchorSelection.All(), schedule);

    /// <summary>
    /// Stage by stage (Gao et al. 2018): the student's stages learn one after another to reproduce the teacher's stage features, each with the finished ones frozen; then
    /// what is above them learns the embedding. Needs a teacher that gives stage features, such as a network.
    /// </summary>
    /// <param name="stages">Which student tap learns which teacher tap, from input to output; by resolution if null, see <see cref="StagePair"/>.</param>
    /// <param name="shares">Share of the epochs for each stage and, last, for the embedding, each above 0; scaled to sum to 1. Equal shares if null.</param>
    /// <param name="reduction">How the squared differences of a stage are summed up.</param>
    /// <param name="trainBackboneWithHead">Whether the whole student is trained in the last stage.</param>
    public static EmbeddingMethod Sskd(
        IReadOnlyList<StagePair>? stages = null, IReadOnlyList<double>? shares = null, FeatureReduction reduction = FeatureReduction.Mean, bool trainBackboneWithHead = false) =>
        new SskdEmbedding(stages, shares, reduction, trainBackboneWithHead);

    /// <summary>Its kind and its settings, in a line where they fit in one.</summary>
    public sealed override string ToString() => SettingText.Describe(this);

    /// <summary>The indices of the anchors that its stages may read, ascending; the last is always among them.</summary>
    /// <param name="anchors">The anchors of the route, or the only teacher; their answers are not read.</param>
    /// <exception cref="InvalidOperationException">The route has no such anchors.</exception>
    internal virtual IReadOnlyList<int> SelectAnchors(IReadOnlyList<Anchor> anchors) => [anchors.Count - 1];

    /// <summary>The method with this loss of embeddings.</summary>
    internal abstract DistillationMethod Create(DistillationLoss loss);
}

internal sealed record OneStageEmbedding : EmbeddingMethod
{
    internal override DistillationMethod Create(DistillationLoss loss) => DistillationMethod.FromLoss("embedding", loss);
}

internal sealed record RcoEmbedding(EmbeddingMethod Inner, AnchorSelection Selection, RcoSchedule Schedule) : EmbeddingMethod
{
    // A selection of the user's own may depend on the training.
    internal override IReadOnlyList<int> SelectAnchors(IReadOnlyList<Anchor> anchors) => Selection.GetType().Assembly != typeof(AnchorSelection).Assembly
        ? [.. Enumerable.Range(0, anchors.Count)]
        : [.. Selection.ChooseChecked(new MethodContext(anchors, new OutputShapes(1), new ShuffledSampler(1), 1, Optimizer.AdamW(), LearningRateSchedule.Constant()))];

    internal override DistillationMethod Create(DistillationLoss loss) => DistillationMethod.Rco(Inner.Create(loss), Selection, Schedule);
}

internal sealed record SskdEmbedding(IReadOnlyList<StagePair>? Pairs, IReadOnlyList<double>? Shares, FeatureReduction Reduction, bool TrainBackboneWithHead) : EmbeddingMethod
{
    internal override DistillationMethod Create(DistillationLoss loss) => DistillationMethod.Sskd(Pairs, Shares, Reduction, loss, TrainBackboneWithHead);
}
