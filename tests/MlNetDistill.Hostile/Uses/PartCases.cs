using MlNetDistill.Core;
using MlNetDistill.Data;
using MlNetDistill.Losses;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Teachers;
using static TorchSharp.torch;

namespace MlNetDistill.Hostile.Uses;

/// <summary>Networks, methods, losses and augmentations that cannot be.</summary>
internal static class PartCases
{
    public static IEnumerable<Case> All => [.. Networks(), .. Methods(), .. Losses(), .. Augmentations(), .. Teachers()];

    private static Case Made(string name, Func<object> make, params string[] words) => Case.Refused(name, () => make(), words) with { IsQuick = true };

    private static Case Network(string name, Func<NetworkSpec> student, params string[] words) =>
        Made(name, () => Sample.Trainer(Rows.Quick() with { Student = student() }), words);

    private static Case Built(string name, Func<NetworkSpec> student, NetworkInput input, int classes, params string[] words) =>
        Made(name, () => student().Build(input, classes, seed: 1), words);

    private static IEnumerable<Case> Networks()
    {
        var (points, image) = (new NetworkInput(InputShape.Vector(4)), new NetworkInput(InputShape.Image(1, 8, 8)));
        foreach (var width in new[] { 0, -5 })
        {
            yield return Network($"a hidden layer of {width}", () => NetworkSpec.Mlp(8, width), "hidden", $"{width}");
            yield return Network($"a ResNet {width} wide", () => NetworkSpec.ResNet(8, 4, width, 8), "width", $"{width}");
            yield return Network($"a VGG {width} wide", () => NetworkSpec.Vgg(8, 4, width, 8, 8, 8), "width", $"{width}");
            yield return Network($"a wide ResNet of factor {width}", () => NetworkSpec.WideResNet(10, width), "widen", $"{width}");
        }

        yield return Network("an MLP without a list", () => NetworkSpec.Mlp(null!), "hidden");
        foreach (var depth in new[] { 0, 7, 9, -8, int.MaxValue })
        {
            yield return Network($"a ResNet {depth} deep", () => NetworkSpec.ResNet(depth, 4, 4, 8), "depth", $"{depth}");
            yield return Network($"a VGG {depth} deep", () => NetworkSpec.Vgg(depth, 4, 4, 8, 8, 8), "depth");
            yield return Network($"a wide ResNet {depth} deep", () => NetworkSpec.WideResNet(depth, 1), "depth", $"{depth}");
        }

        foreach (var size in new[] { 0, -1, double.NaN, double.PositiveInfinity, 1e300 })
        {
            yield return Network(FormattableString.Invariant($"a MobileNet {size} wide"), () => NetworkSpec.MobileNetV2(size), "width");
            yield return Network(FormattableString.Invariant($"a ShuffleNet of size {size}"), () => NetworkSpec.ShuffleNetV2(size), "size");
        }

        yield return Network("a ResNet whose widths are null", () => NetworkSpec.ResNet(8, null!), "width");
        yield return Network("a ResNet of one width", () => NetworkSpec.ResNet(8, 4), "width");
        yield return Built("a ResNet over a vector", () => NetworkSpec.ResNet(8, 4, 4, 8), points, 3, "image");
        yield return Built("a VGG over too small an image", () => NetworkSpec.Vgg(8, 4, 4, 8, 8, 8), new NetworkInput(InputShape.Image(1, 2, 2)), 3, "2");
        yield return Built("a ShuffleNet over too small an image", () => NetworkSpec.ShuffleNetV1(), new NetworkInput(InputShape.Image(3, 1, 1)), 3, "1");
        yield return Built("a network of 0 classes", () => NetworkSpec.Mlp(8), points, 0, "class", "0");
        yield return Built("a network of -1 classes", () => NetworkSpec.Mlp(8), points, -1, "class", "-1");
        yield return Built("a network of 2 billion classes", () => NetworkSpec.Mlp(8), points, int.MaxValue, "bytes");
        yield return Built("a layer of a billion", () => NetworkSpec.Mlp(1_000_000_000), points, 3, "bytes");
        yield return Built("two layers of a million", () => NetworkSpec.Mlp(1_000_000, 1_000_000), points, 3, "bytes");
        yield return Built("a network over no shape", () => NetworkSpec.Mlp(8), new NetworkInput(default), 3, "shape");
        yield return Built("an image network over no input", () => NetworkSpec.Mlp(8), null!, 3, "input");
        yield return Built("scaling of another length", () => NetworkSpec.Mlp(8), points with { Scaling = new InputStatistics([0, 0], [1, 1]) }, 3, "2", "4");
        yield return Built("a deviation of 0", () => NetworkSpec.Mlp(8), points with { Scaling = new InputStatistics([0, 0, 0, 0], [1, 0, 1, 1]) }, 3, "deviation", "0");
        yield return Built("a mean that is no number", () => NetworkSpec.Mlp(8), points with { Scaling = new InputStatistics([float.NaN, 0, 0, 0], [1, 1, 1, 1]) }, 3, "mean", "NaN");
        yield return Made("an input of length 0", () => InputShape.Vector(0), "0");
        yield return Made("an input of length -4", () => InputShape.Vector(-4), "-4");
        yield return Made("an image of height 0", () => InputShape.Image(3, 0, 8), "0");
        yield return Made("an image of -1 channels", () => InputShape.Image(-1, 8, 8), "-1");
        yield return Made("an image larger than any array", () => InputShape.Image(3, 100_000, 100_000), "100000");
        foreach (var json in new[] { "", "null", "{}", "[]", "{\"network\":\"none\"}", "{\"network\":\"mlp\"}", "{\"network\":\"mlp\",\"Hidden\":null}", "{\"network\":\"mlp\",\"Hidden\":[\"a\"]}", "not json", "{\"network\":\"resnet\",\"Depth\":8}" })
            yield return Made($"the network {json}", () => NetworkSpec.FromJson(json).Build(points, 3, 1), "network");
        yield return Made("no network's text", () => NetworkSpec.FromJson(null!), "json");
        yield return Made("rows of another length forward", () => Forward(NetworkSpec.Mlp(8).Build(points, 3, 1), zeros(2, 5)), "4", "5");
        yield return Made("rows without a batch forward", () => Forward(NetworkSpec.Mlp(8).Build(points, 3, 1), zeros(4)), "4");
        yield return Made("whole numbers forward", () => Forward(NetworkSpec.Mlp(8).Build(points, 3, 1), zeros(2, 4, dtype: int64)), "Int64");
        yield return Made("other channels forward", () => Forward(NetworkSpec.ResNet(8, 4, 4, 8).Build(image, 3, 1), zeros(2, 3, 8, 8)), "1×8×8");
        yield return Made("a convolution of 0 groups", () => new Convolution(4, 4, 3, 1, new Generator(), groups: 0), "groups");
        yield return Made("a convolution of groups that do not divide", () => new Convolution(4, 4, 3, 1, new Generator(), groups: 3), "groups", "3");
        yield return Made("a kernel of 0", () => new Convolution(4, 4, 0, 1, new Generator()), "kernel");
        yield return Made("a stride of 0", () => new Convolution(4, 4, 3, 0, new Generator()), "stride");
        yield return Made("a dense layer of 0", () => new Linear(0, 4, new Generator()), "inputs");
        foreach (var channels in new[] { 0, -1 })
            yield return Made($"a normalisation of {channels} channels", () => new BatchNormalization(channels), "channels", $"{channels}");
        yield return Made("a pool of size 0", () => new MaxPool(0), "size");
        yield return Made("an average over 0", () => new AveragePool(0, 1), "kernel");
        yield return Made("a shuffle of groups that do not divide", () => new ChannelShuffle(4, 3), "groups");
        yield return Made("a block of no module", () => new ModuleBlock(null!, (_, x) => x), "module");
        yield return Made("a series of null", () => new Sequential(null!), "blocks");
    }

    private static object Forward(Network network, Tensor rows)
    {
        using var scope = NewDisposeScope();
        using (network)
        using (rows)
            return network.Forward(rows, ModelOutputs.Logits).Logits.shape;
    }

    private static Case Method(string name, Func<DistillationMethod> method, params string[] words) =>
        Made(name, () => Sample.Trainer(Rows.Quick(Route.Train(NetworkSpec.Mlp(8))) with { Method = method(), ValidationFraction = 0.2 }), words);

    private static IEnumerable<Case> Methods()
    {
        foreach (var number in new[] { 0, -1, double.NaN, double.PositiveInfinity })
        {
            yield return Method(FormattableString.Invariant($"KD at temperature {number}"), () => DistillationMethod.Kd(temperature: number), "temperature");
            yield return Method(FormattableString.Invariant($"DIST at temperature {number}"), () => DistillationMethod.Dist(temperature: number), "temperature");
            yield return Method(FormattableString.Invariant($"CCKD at temperature {number}"), () => DistillationMethod.Cckd(temperature: number), "temperature");
            yield return Method(FormattableString.Invariant($"NKD at temperature {number}"), () => DistillationMethod.Nkd(temperature: number), "temperature");
            yield return Method(FormattableString.Invariant($"RLD at temperature {number}"), () => DistillationMethod.Rld(temperature: number), "temperature");
            yield return Method(FormattableString.Invariant($"TTM of the exponent {number}"), () => DistillationMethod.Ttm(exponent: number), "exponent");
            yield return Method(FormattableString.Invariant($"WTTM of the exponent {number}"), () => DistillationMethod.Wttm(exponent: number), "exponent");
            yield return Method(FormattableString.Invariant($"MetaDistil at temperature {number}"), () => DistillationMethod.MetaDistil(new MetaDistilOptions { Temperature = number }), "Temperature");
            yield return Method(FormattableString.Invariant($"MetaDistil with a pilot rate of {number}"), () => DistillationMethod.MetaDistil(new MetaDistilOptions { PilotLearningRate = number }), "PilotLearningRate");
        }

        foreach (var number in new[] { -0.1, 1.1, double.NaN })
            yield return Method(FormattableString.Invariant($"KD with alpha {number}"), () => DistillationMethod.Kd(alpha: number), "alpha");
        yield return Method("DIST with a weight of -1", () => DistillationMethod.Dist(interWeight: -1), "weight");
        yield return Method("DIST without any weight", () => DistillationMethod.Dist(interWeight: 0, intraWeight: 0, labelWeight: 0), "weight");
        yield return Method("CCKD with beta NaN", () => DistillationMethod.Cckd(beta: double.NaN), "beta");
        yield return Method("RCO every 0 epochs", () => DistillationMethod.Rco(anchors: AnchorSelection.EqualInterval(0)), "interval");
        yield return Method("RCO of no epoch", () => DistillationMethod.Rco(anchors: AnchorSelection.Epochs()), "epoch");
        yield return Method("RCO of epochs that fall", () => DistillationMethod.Rco(anchors: AnchorSelection.Epochs(3, 1)), "epoch");
        yield return Method("RCO of epoch 0", () => DistillationMethod.Rco(anchors: AnchorSelection.Epochs(0)), "epoch");
        yield return Method("greedy RCO by -1", () => DistillationMethod.Rco(anchors: AnchorSelection.Greedy(-1)), "delta");
        yield return Method("greedy RCO by NaN", () => DistillationMethod.Rco(anchors: AnchorSelection.Greedy(double.NaN)), "delta");
        yield return Method("RCO of RCO", () => DistillationMethod.Rco(DistillationMethod.Rco()), "RCO");
        yield return Method("RCO of no teacher's method", () => DistillationMethod.Rco(DistillationMethod.LabelsOnly()), "teacher");
        yield return Method("RCO by a schedule that there is not", () => DistillationMethod.Rco(schedule: (RcoSchedule)9), "schedule", "9");
        yield return Method("SSKD with shares of no stages", () => DistillationMethod.Sskd([new StagePair(0, 0)], [0.5, 0.25, 0.25, 1]), "share");
        yield return Method("SSKD with shares of -1", () => DistillationMethod.Sskd([new StagePair(0, 0)], [-1, 2]), "share");
        yield return Method("SSKD of a tap -1", () => DistillationMethod.Sskd([new StagePair(-1, 0)]), "tap");
        yield return Method("NKD with gamma -1", () => DistillationMethod.Nkd(gamma: -1), "gamma");
        yield return Method("RLD without any weight", () => DistillationMethod.Rld(alpha: 0, beta: 0), "alpha", "beta");
        yield return Method("logit matching with a weight of NaN", () => DistillationMethod.LogitMatching(weight: double.NaN), "weight");
        yield return Method("logit matching by a reduction that there is not", () => DistillationMethod.LogitMatching(reduction: (LogitReduction)7), "reduction", "7");
        yield return Method("a part of KD of no targets", () => DistillationMethod.PartialKd(null!), "targets");
        yield return Method("a graph of power 0", () => DistillationMethod.GraphKd(power: 0), "power");
        yield return Method("a graph of no neighbours", () => DistillationMethod.GraphKd(neighbours: 0), "neighbours");
        yield return Method("a graph of edges that there are not", () => DistillationMethod.GraphKd(edges: (GraphEdges)9), "edges", "9");
        yield return Method("Lipschitz of one pair of taps", () => DistillationMethod.Lipschitz([new StagePair(0, 0)]), "two pairs");
        yield return Method("Lipschitz without any weight", () => DistillationMethod.Lipschitz(weight: 0, marginWeight: 0), "weight");
        yield return Method("Lipschitz with margins above 0", () => DistillationMethod.Lipschitz([new StagePair(0, 0), new StagePair(0, 0)], margins: [[1], [1]]), "margin");
        yield return Method("SimKD of features that there are not", () => DistillationMethod.SimKd((SimKdFeatures)4), "SimKD", "4");
        yield return Method("MetaDistil with a quiz of all rows", () => DistillationMethod.MetaDistil(new MetaDistilOptions { QuizShare = 1 }), "QuizShare");
        yield return Method("MetaDistil in one stage", () => DistillationMethod.Rco(DistillationMethod.MetaDistil(), schedule: RcoSchedule.OneStage), "OneStage");
        yield return Method("a method without a name", () => DistillationMethod.FromLoss("", new CrossEntropyLoss()), "name");
        yield return Method("a method of no loss", () => DistillationMethod.FromLoss("mine", null!), "loss");
    }

    private static IEnumerable<Case> Losses()
    {
        foreach (var number in new[] { 0, -1, double.NaN, double.PositiveInfinity })
        {
            yield return Made(FormattableString.Invariant($"a KD loss at {number}"), () => new KdLoss(number), "temperature");
            yield return Made(FormattableString.Invariant($"a DIST loss at {number}"), () => new DistLoss(number), "temperature");
            yield return Made(FormattableString.Invariant($"a DKD loss at {number}"), () => new DkdLoss(number), "temperature");
            yield return Made(FormattableString.Invariant($"an NKD loss at {number}"), () => new NkdLoss(temperature: number), "temperature");
            yield return Made(FormattableString.Invariant($"an RLD loss at {number}"), () => new RldLoss(temperature: number), "temperature");
            yield return Made(FormattableString.Invariant($"a TTM loss of {number}"), () => new TtmLoss(number), "exponent");
            yield return Made(FormattableString.Invariant($"a WTTM loss of {number}"), () => new WttmLoss(number), "exponent");
            yield return Made(FormattableString.Invariant($"an ArcFace loss at scale {number}"), () => new ArcFaceLoss(3, scale: number), "scale");
        }

        yield return Made("a loss times -1", () => -1 * new CrossEntropyLoss(), "weight", "-1");
        yield return Made("a loss times NaN", () => double.NaN * new CrossEntropyLoss(), "weight", "NaN");
        yield return Made("a loss warmed up over 0 epochs", () => new CrossEntropyLoss().WithWarmup(0), "epochs", "0");
        yield return Made("a null loss times 2", () => 2 * (DistillationLoss)null!, "loss");
        yield return Made("a sum with null", () => new CrossEntropyLoss() + null!, "right");
        yield return Made("standardised nothing", () => new StandardizedLogitsLoss(null!), "loss");
        yield return Made("RKD of weights of -1", () => new RkdLoss(distanceWeight: -1), "weight");
        yield return Made("RKD of nothing", () => new RkdLoss(on: ModelOutputs.None), "None");
        yield return Made("RKD of all at once", () => new RkdLoss(on: ModelOutputs.Logits | ModelOutputs.Embedding), "Logits");
        yield return Made("logit matching of a reduction that there is not", () => new LogitMatchingLoss((LogitReduction)6), "reduction");
        yield return Made("targets for a sum", () => (new KdLoss(1) + new KdLoss(2)).WithTargets(TeacherTargets.TrueClass()), "sum");
        yield return Made("targets of the top 0", () => TeacherTargets.TopK(0), "0");
        yield return Made("targets smoothed by 1", () => TeacherTargets.Smoothed(1), "1");
        yield return Made("a graph without taps", () => new GraphKdLoss([]), "tap");
        yield return Made("a graph of tap -1", () => new GraphKdLoss([(-1, 0)]), "-1");
        yield return Made("a Lipschitz loss of one pair of taps", () => new LipschitzLoss([(0, 0)]), "two");
        yield return Made("a Lipschitz loss of no iteration", () => new LipschitzLoss([(0, 0), (1, 1)], 0), "iterations");
        yield return Made("margins for another tap", () => new MarginFeatureLoss([(0, 0)], [[0], [0]]), "margins");
        yield return Made("SimKD of nothing", () => new SimKdLoss((SimKdFeatures)3), "Embedding");
        yield return Made("CosFace of no class", () => new CosFaceLoss(0), "classes");
        yield return Made("hints without taps", () => new HintLoss(), "tap");
        yield return Made("hints of tap -1", () => new HintLoss((-1, 0)), "-1");
        yield return Made("attention without taps", () => new AttentionTransferLoss(), "tap");
        yield return Made("a stage loss of tap -2", () => new StageFeatureLoss(-2, 0), "-2");
        yield return Made("a stage loss of a reduction that there is not", () => new StageFeatureLoss(0, 0, (FeatureReduction)5), "reduction");
        yield return Made("a Gaussian kernel of gamma 0", () => CorrelationKernel.Gaussian(0), "gamma");
        yield return Made("a Taylor series of order 0", () => CorrelationKernel.GaussianTaylor(0), "order");
        yield return Made("KD of other shapes", () => Value(() => KdLoss.Compute(zeros(2, 3), zeros(2, 4), 1)), "2×3", "2×4");
        yield return Made("KD of other rows", () => Value(() => KdLoss.Compute(zeros(2, 3), zeros(5, 3), 1)), "2×3", "5×3");
        yield return Made("KD of vectors", () => Value(() => KdLoss.Compute(zeros(3), zeros(3), 1)), "3");
        yield return Made("DIST of other shapes", () => Value(() => DistLoss.Compute(zeros(2, 3), zeros(2, 4), 1)), "2×3", "2×4");
        yield return Made("correlations along axis 7", () => Value(() => DistLoss.Correlation(zeros(2, 3), zeros(2, 3), 7)), "axis", "7");
        yield return Made("DKD of too few labels", () => Value(() => DkdLoss.Compute(zeros(2, 3), zeros(2, 3), zeros(1, dtype: int64), 1)), "label");
        yield return Made("DKD of a class that there is not", () => Value(() => DkdLoss.Compute(zeros(2, 3), zeros(2, 3), tensor(new long[] { 0, 3 }), 1)), "3");
        yield return Made("cross-entropy of a class that there is not", () => Value(() => CrossEntropyLoss.Compute(zeros(2, 3), tensor(new long[] { 0, 3 }))), "3");
        yield return Made("cross-entropy of too many labels", () => Value(() => CrossEntropyLoss.Compute(zeros(2, 3), zeros(4, dtype: int64))), "4");
        yield return Made("relations of other rows", () => Value(() => RkdLoss.Compute(zeros(3, 4), zeros(2, 4))), "3", "2");
        yield return Made("incongruence of other rows", () => Value(() => CorrelationCongruenceLoss.Compute(zeros(3, 4), zeros(2, 4), CorrelationKernel.Bilinear)), "3", "2");
        yield return Made("incongruence by no kernel", () => Value(() => CorrelationCongruenceLoss.Compute(zeros(3, 4), zeros(3, 4), null!)), "kernel");
        yield return Made("hints of other shapes", () => Value(() => HintLoss.Compute(zeros(2, 3, 4, 4), zeros(2, 5, 4, 4))), "3", "5");
        yield return Made("attention of vectors", () => Value(() => AttentionTransferLoss.AttentionMap(zeros(2, 3))), "2×3");
        yield return Made("attention of other rows", () => Value(() => AttentionTransferLoss.Compute(zeros(2, 3, 4, 4), zeros(3, 3, 4, 4))), "2", "3");
        yield return Made("adjacent pairs of other rows", () => Value(() => AdjacentPairsLoss.Compute(zeros(4, 3), zeros(2, 3))), "4", "2");
        yield return Made("stage features of other shapes", () => Value(() => StageFeatureLoss.Compute(zeros(2, 3), zeros(2, 4), FeatureReduction.Mean)), "3", "4");
        yield return Made("no tensor to standardise", () => Value(() => StandardizedLogitsLoss.Standardize(null!)), "logits");
        yield return Made("inputs without a student", () => new LossInputs(null!, null, zeros(2, dtype: int64)), "student");
        yield return Made("a teacher asked where there is none", () => new LossInputs(new NetworkOutput(zeros(2, 3)), null, zeros(2, dtype: int64)).TeacherLogProbabilities(1), "teacher");
    }

    private static object Value(Func<Tensor> loss)
    {
        using var scope = NewDisposeScope();
        return loss().shape;
    }

    private static Case Augmented(string name, Func<Augmentation> augmentation, params string[] words) =>
        Made(name, () => Sample.Trainer(Rows.Quick() with { Augmentations = [augmentation()] }), words);

    private static IEnumerable<Case> Augmentations()
    {
        foreach (var number in new[] { -1, double.NaN, double.PositiveInfinity })
        {
            yield return Augmented(FormattableString.Invariant($"noise of {number}"), () => Augmentation.GaussianNoise(number), "deviation");
            yield return Augmented(FormattableString.Invariant($"mixup of {number}"), () => Augmentation.Mixup(number), "alpha");
            yield return Augmented(FormattableString.Invariant($"CutMix of {number}"), () => Augmentation.CutMix(number), "alpha");
            yield return Augmented(FormattableString.Invariant($"flips at {number}"), () => Augmentation.HorizontalFlip(number), "probability");
            yield return Augmented(FormattableString.Invariant($"swaps at {number}"), () => Augmentation.MarginalSwap(number), "probability");
        }

        yield return Augmented("crops by -1", () => Augmentation.RandomCrop(-1), "padding", "-1");
        yield return Case.Refused("flips of points", () => Sample.Fit(Rows.Quick() with { Augmentations = [Augmentation.HorizontalFlip()] }), "image");
        foreach (var number in new[] { 0, -8 })
        {
            yield return Made($"{number} rows of a class", () => Sample.Trainer(Rows.Quick() with { Sampling = BatchSampling.ClassUniform(number) }), "instances", $"{number}");
            yield return Made($"{number} clusters", () => Sample.Trainer(Rows.Quick(Teacher.FromColumn("a")) with { Sampling = BatchSampling.SuperclassUniform(number) }), "clusters", $"{number}");
        }

        yield return Made("more rows of a class than a batch has", () => Sample.Trainer(Rows.Quick() with { Sampling = BatchSampling.ClassUniform(64) }), "64", "16");
        yield return Case.Refused("more clusters than rows", () => Sample.Fit(Sample.Short(Sample.Teaching()) with { Sampling = BatchSampling.SuperclassUniform(500, 2), BatchSize = 1000 }), "500");
    }

    private static IEnumerable<Case> Teachers()
    {
        yield return Made("an ensemble of none", () => Sample.Trainer(Rows.Quick(Teacher.Ensemble(Array.Empty<Teacher>()))), "ensemble");
        yield return Made("an ensemble with null", () => Sample.Trainer(Rows.Quick(Teacher.Ensemble(null!, Teacher.FromColumn("a")))), "ensemble");
        yield return Made("an ensemble of weight 0", () => Sample.Trainer(Rows.Quick(Teacher.Ensemble((Teacher.FromColumn("a"), 0.0), (Teacher.FromColumn("b"), 0.0)))), "weight");
        yield return Made("an ensemble of weight NaN", () => Sample.Trainer(Rows.Quick(Teacher.Ensemble((Teacher.FromColumn("a"), double.NaN), (Teacher.FromColumn("b"), 1.0)))), "weight");
        yield return Made("a route of none", () => Sample.Trainer(Rows.Quick(Route.FromTeachers())), "route");
        yield return Made("a route with null", () => Sample.Trainer(Rows.Quick(Route.FromTeachers(("a", null!)))), "route");
        yield return Made("a route of no checkpoints", () => Sample.Trainer(Rows.Quick(Route.FromCheckpoints(NetworkSpec.Mlp(8)))), "checkpoint");
        yield return Made("a route of checkpoints that fall", () => Sample.Trainer(Rows.Quick(Route.FromCheckpoints(NetworkSpec.Mlp(8), "anchor-0002.weights", "anchor-0001.weights"))), "2, 1");
        yield return Made("a route every 0 epochs", () => Sample.Trainer(Rows.Quick(Route.Train(NetworkSpec.Mlp(8), every: 0))), "every", "0");
        yield return Made("a route of 0 epochs", () => Sample.Trainer(Rows.Quick(Route.Train(NetworkSpec.Mlp(8), epochs: 0))), "epochs", "0");
        yield return Made("a teacher trained for -1 epochs", () => Sample.Trainer(Rows.Quick(Teacher.Train(NetworkSpec.Mlp(8), epochs: -1))), "epochs", "-1");
        yield return Made("a teacher of a network that cannot be", () => Sample.Trainer(Rows.Quick(Teacher.Train(NetworkSpec.Mlp(0)))), "hidden", "0");
        yield return Made("a column without a name", () => Sample.Trainer(Rows.Quick(Teacher.FromColumn(""))), "scoreColumnName");
        yield return Made("no transformer", () => Sample.Trainer(Rows.Quick(Teacher.FromTransformer(null!))), "transformer");
        yield return Made("no estimator", () => Sample.Trainer(Rows.Quick(Teacher.FromEstimator(null!))), "estimator");
        yield return Made("no module", () => Sample.Trainer(Rows.Quick(Teacher.FromModule((nn.Module<Tensor, Tensor>)null!))), "module");
        yield return Made("no ONNX path", () => Sample.Trainer(Rows.Quick(Teacher.FromOnnx((string)null!))), "path");
        yield return Made("no TorchScript path", () => Sample.Trainer(Rows.Quick(Teacher.FromTorchScript(" "))), "path");
        yield return Made("a score kind that there is not", () => Sample.Trainer(Rows.Quick(Teacher.FromColumn("a", (ScoreKind)9))), "ScoreKind", "9");
        foreach (var folds in new[] { 1, -2 })
            yield return Made($"{folds} folds", () => Sample.Trainer(Rows.Quick(Teacher.FromEstimator(Sample.Regression(), folds: folds))), "folds", $"{folds}");
        yield return Made("a class name that is null", () => Sample.Trainer(Rows.Quick(Teacher.FromColumn("a", classNames: ["ash", null!, "cedar"]))), "name");
        yield return Made("a scale of 0", () => Sample.Trainer(Rows.Quick(Teacher.FromOnnx("a.onnx", input: new TeacherInput { Scale = 0 }))), "Scale", "0");
        yield return Made("a scale of NaN", () => Sample.Trainer(Rows.Quick(Teacher.FromOnnx("a.onnx", input: new TeacherInput { Scale = float.NaN }))), "Scale", "NaN");
        yield return Made("a layout that there is not", () => Sample.Trainer(Rows.Quick(Teacher.FromOnnx("a.onnx", input: new TeacherInput { Layout = (ImageLayout)9 }))), "Layout", "9");
        yield return Made("a GPU of index -1", () => Sample.Trainer(Rows.Quick() with { Device = TrainingDevice.Cuda(-1) }), "-1");
    }
}
