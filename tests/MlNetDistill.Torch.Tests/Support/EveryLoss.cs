using MlNetDistill.Losses;
using MlNetDistill.Networks;

namespace MlNetDistill.Tests;

/// <summary>Every loss that compares student and teacher, for tests of what holds for all. The taps are those of two stage features, of which the second has three channels.</summary>
internal static class EveryLoss
{
    public static IReadOnlyDictionary<string, DistillationLoss> All { get; } = new Dictionary<string, DistillationLoss>
    {
        ["kd"] = new KdLoss(4),
        ["dist"] = new DistLoss(1),
        ["dist at 4"] = new DistLoss(4, 0.5, 2),
        ["dist inter"] = new DistLoss(1, 1, 0),
        ["dist intra"] = new DistLoss(2, 0, 1),
        ["dkd"] = new DkdLoss(4),
        ["dkd at 1"] = new DkdLoss(1, 1, 0.5),
        ["nkd"] = new NkdLoss(),
        ["nkd at 3"] = new NkdLoss(3.5, 3),
        ["ttm"] = new TtmLoss(),
        ["ttm of plain probabilities"] = new TtmLoss(1),
        ["wttm"] = new WttmLoss(),
        ["wttm of plain probabilities"] = new WttmLoss(1),
        ["rld"] = new RldLoss(),
        ["rld at 1"] = new RldLoss(2, 0.5, 1),
        ["logit matching"] = new LogitMatchingLoss(),
        ["logit matching, half the sum"] = new LogitMatchingLoss(LogitReduction.HalfSumPerRow),
        ["logit matching, centred"] = new LogitMatchingLoss(centered: true),
        ["kd, all targets"] = new KdLoss(4).WithTargets(TeacherTargets.Full()),
        ["kd, true class"] = new KdLoss(4).WithTargets(TeacherTargets.TrueClass()),
        ["kd, top 2"] = new KdLoss(1).WithTargets(TeacherTargets.TopK(2)),
        ["kd, smoothed"] = new KdLoss(1).WithTargets(TeacherTargets.Smoothed()),
        ["dkd, top 2"] = new DkdLoss(4).WithTargets(TeacherTargets.TopK(2)),
        ["dist, true class"] = new DistLoss(1).WithTargets(TeacherTargets.TrueClass()),
        ["standardized kd"] = new StandardizedLogitsLoss(new KdLoss(2)),
        ["standardized dkd"] = new StandardizedLogitsLoss(new DkdLoss(2, 9, 72)),
        ["congruence"] = new CorrelationCongruenceLoss(),
        ["congruence mmd"] = new CorrelationCongruenceLoss(CorrelationKernel.Mmd),
        ["congruence bilinear"] = new CorrelationCongruenceLoss(CorrelationKernel.Bilinear),
        ["congruence gaussian"] = new CorrelationCongruenceLoss(CorrelationKernel.Gaussian()),
        ["congruence of logits"] = new CorrelationCongruenceLoss(CorrelationKernel.GaussianTaylor(4, 0.2), ModelOutputs.Logits),
        ["adjacent pairs"] = new AdjacentPairsLoss(),
        ["adjacent pairs of logits"] = new AdjacentPairsLoss(ModelOutputs.Logits),
        ["rkd"] = new RkdLoss(),
        ["rkd squared"] = new RkdLoss(1, 2, ModelOutputs.Embedding, squared: true),
        ["rkd of logits"] = new RkdLoss(on: ModelOutputs.Logits),
        ["mimic"] = new MimicLoss(),
        ["mimic of any length"] = new MimicLoss(normalize: false),
        ["cosine"] = new CosineLoss(),
        ["hint"] = new HintLoss((0, 0), (1, 1)),
        ["stage feature"] = new StageFeatureLoss(1, 1),
        ["stage feature summed"] = new StageFeatureLoss(0, 0, FeatureReduction.SumPerSample),
        ["attention"] = new AttentionTransferLoss((0, 0), (1, 1)),
        ["graph"] = new GraphKdLoss([(0, 0), (1, 1)]),
        ["graph to the second power"] = new GraphKdLoss([(0, 0)], power: 2, neighbours: 2),
        // Enough iterations for the gradient to be exact.
        ["lipschitz"] = new LipschitzLoss([(0, 0), (1, 1)], 500),
        ["margin feature"] = new MarginFeatureLoss([(0, 0), (1, 1)]),
        ["margin feature with margins"] = new MarginFeatureLoss([(1, 1)], [[-0.5f, 0, -1]]),
        ["simkd"] = new SimKdLoss(),
        ["simkd of maps"] = new SimKdLoss(SimKdFeatures.LastMap),
        ["graph of signed embeddings"] = new GraphKdLoss(signed: SignedFeatures.ClampCosines),
    };
}
