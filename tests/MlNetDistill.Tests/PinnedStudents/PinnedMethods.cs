using MlNetDistill.Losses;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using static MlNetDistill.Tests.PinnedStudents.PinnedCase;

namespace MlNetDistill.Tests.PinnedStudents;

/// <summary>Every method, and every loss beside cross-entropy.</summary>
internal static class PinnedMethods
{
    private static readonly Teacher ShortRoute = Route.Train(NetworkSpec.Mlp(8, 6), every: 1, epochs: 4);

    private static readonly StagePair[] TwoPairs = [new(0, 0), new(0, 1)];

    private static readonly (string Name, DistillationMethod Method)[] Methods =
    [
        ("KD", DistillationMethod.Kd()),
        ("DIST", DistillationMethod.Dist()),
        ("CCKD", DistillationMethod.Cckd()),
        ("CCKD over logits", DistillationMethod.Cckd(CorrelationKernel.Mmd, beta: 1, missingEmbedding: MissingEmbedding.UseLogits)),
        ("SSKD", DistillationMethod.Sskd()),
        ("SSKD with shares, a head loss and the whole network in the last stage", DistillationMethod.Sskd(
            [new StagePair(0, 1)], [1, 2], FeatureReduction.SumPerSample, new CrossEntropyLoss() + new KdLoss(2), trainBackboneWithHead: true)),
        ("labels only", DistillationMethod.LabelsOnly()),
        ("NKD", DistillationMethod.Nkd()),
        ("TTM", DistillationMethod.Ttm()),
        ("WTTM", DistillationMethod.Wttm()),
        ("RLD", DistillationMethod.Rld()),
        ("logit matching", DistillationMethod.LogitMatching()),
        ("KD of the true class", DistillationMethod.PartialKd(TeacherTargets.TrueClass())),
        ("KD of the top two classes", DistillationMethod.PartialKd(TeacherTargets.TopK(2))),
        ("KD of smoothed labels", DistillationMethod.PartialKd(TeacherTargets.Smoothed())),
        ("graph KD", DistillationMethod.GraphKd()),
        ("graph KD of neighbours within a class", DistillationMethod.GraphKd(power: 2, neighbours: 3, edges: GraphEdges.SameClass)),
        ("Lipschitz", DistillationMethod.Lipschitz(TwoPairs)),
        ("Lipschitz with margins and four iterations", DistillationMethod.Lipschitz(
            TwoPairs, margins: [[-0.5f, -0.25f, 0, -0.5f, -1, -0.125f, -0.5f, -0.25f], [-1, -0.5f, 0, -0.25f, -0.5f, -0.5f]], iterations: 4)),
        ("MetaDistil", DistillationMethod.MetaDistil(new MetaDistilOptions { FixedTeacherShare = 0.4 })),
        ("MetaDistil of squared differences in rounds of two batches", DistillationMethod.MetaDistil(new MetaDistilOptions
        {
            FixedTeacherShare = 0,
            SoftLoss = MetaDistilLoss.SquaredDifference,
            BatchesPerRound = 2,
            QuizBatches = null,
            TeacherOptimizer = Optimizer.AdamW(0.01),
        })),
    ];

    private static readonly (string Name, DistillationMethod Method)[] RouteMethods =
    [
        ("RCO at equal intervals", DistillationMethod.Rco(anchors: AnchorSelection.EqualInterval(2))),
        ("RCO over all anchors", DistillationMethod.Rco()),
        ("RCO at given epochs", DistillationMethod.Rco(anchors: AnchorSelection.Epochs(1, 3))),
        ("RCO by greedy search", DistillationMethod.Rco(anchors: AnchorSelection.Greedy(1.5))),
        ("RCO in one stage", DistillationMethod.Rco(anchors: AnchorSelection.EqualInterval(3), schedule: RcoSchedule.OneStage)),
        ("RCO with DIST", DistillationMethod.Rco(DistillationMethod.Dist())),
        ("RCO with SSKD", DistillationMethod.Rco(DistillationMethod.Sskd())),
        ("RCO with MetaDistil", DistillationMethod.Rco(DistillationMethod.MetaDistil(new MetaDistilOptions { FixedTeacherShare = 0 }), AnchorSelection.EqualInterval(2))),
    ];

    private static readonly (string Name, DistillationLoss Loss)[] Losses =
    [
        ("cross-entropy alone", 0.5 * new CrossEntropyLoss()),
        ("KD", new KdLoss(4)),
        ("KD of standardized logits", new StandardizedLogitsLoss(new KdLoss(2))),
        ("DKD", new DkdLoss(4)),
        ("DIST", new DistLoss(2, 1, 3)),
        ("RKD", new RkdLoss()),
        ("RKD of squared distances of logits", new RkdLoss(on: ModelOutputs.Logits, squared: true)),
        ("correlation congruence, Taylor series", new CorrelationCongruenceLoss()),
        ("correlation congruence, bilinear", new CorrelationCongruenceLoss(CorrelationKernel.Bilinear, normalize: false)),
        ("correlation congruence, Gaussian", new CorrelationCongruenceLoss(CorrelationKernel.Gaussian())),
        ("adjacent pairs", new AdjacentPairsLoss()),
        ("hint of vectors", new HintLoss((0, 1))),
        ("stage feature of vectors", new StageFeatureLoss(0, 0)),
        ("weighted and warmed up", (0.25 * new KdLoss(3)).WithWarmup(2)),
        ("NKD", new NkdLoss()),
        ("TTM", new TtmLoss()),
        ("WTTM", new WttmLoss()),
        ("RLD", new RldLoss()),
        ("logit matching, half the sum", new LogitMatchingLoss(LogitReduction.HalfSumPerRow)),
        ("DKD of the top two classes", new DkdLoss(4).WithTargets(TeacherTargets.TopK(2))),
        ("graph of embeddings", new GraphKdLoss(signed: SignedFeatures.ClampCosines)),
        ("margin feature of vectors", new MarginFeatureLoss([(0, 1)])),
        ("Lipschitz of vectors", new LipschitzLoss([(0, 0), (0, 1)])),
        ("mimic", new MimicLoss()),
        ("cosine", new CosineLoss()),
        ("ArcFace", new ArcFaceLoss(3)),
        ("CosFace", new CosFaceLoss(3)),
    ];

    private static readonly (string Name, DistillationLoss Loss)[] PictureLosses =
    [
        ("attention transfer", new AttentionTransferLoss((0, 0), (2, 2))),
        ("hint of maps", new HintLoss((0, 2), (2, 2))),
        ("stage feature of maps", new StageFeatureLoss(1, 1, FeatureReduction.SumPerSample)),
        ("graph of maps", new GraphKdLoss([(0, 0), (2, 2)])),
        ("margin feature and Lipschitz of maps", new MarginFeatureLoss([(0, 0), (2, 2)]) + new LipschitzLoss([(0, 0), (1, 1), (2, 2)])),
    ];

    public static IReadOnlyList<PinnedCase> Cases { get; } =
    [
        .. Methods.Select(m => new PinnedCase($"method: {m.Name}", OfPoints with { Method = m.Method, Epochs = 3 })),
        .. RouteMethods.Select(m => new PinnedCase(
            $"method: {m.Name}", OfPoints with { Teacher = ShortRoute, Method = m.Method, ValidationFraction = 0.25 })),
        Pictures("method: SSKD over pictures", OfPictures with { Method = DistillationMethod.Sskd(), Epochs = 4 }),
        new("method: SimKD", OfPoints with { Method = DistillationMethod.SimKd(), Student = NetworkSpec.Projected(NetworkSpec.Mlp(5), 6) }),
        Pictures("method: SimKD of the last maps of pictures", OfPictures with
        {
            Method = DistillationMethod.SimKd(SimKdFeatures.LastMap),
            Student = NetworkSpec.Projected(NetworkSpec.ResNet(8, 2, 4, 6), 8),
        }),
        Pictures("method: MetaDistil over pictures", OfPictures with { Method = DistillationMethod.MetaDistil(new MetaDistilOptions { FixedTeacherShare = 0 }) }),
        .. Losses.Select(l => new PinnedCase($"loss: {l.Name}", OfPoints with { Method = Beside(l.Loss) })),
        .. PictureLosses.Select(l => Pictures($"loss: {l.Name}", OfPictures with { Method = Beside(l.Loss) })),
    ];

    private static DistillationMethod Beside(DistillationLoss loss) => DistillationMethod.FromLoss("pinned", new CrossEntropyLoss() + loss);
}
