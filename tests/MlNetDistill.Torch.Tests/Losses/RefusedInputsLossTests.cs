using MlNetDistill.Losses;
using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

/// <summary>Inputs that do not fit are refused by name, before the native code sees them.</summary>
public sealed class RefusedInputsLossTests
{
    private IDisposable _scope = null!;

    [SetUp]
    public void OpenScope() => _scope = NewDisposeScope();

    [TearDown]
    public void CloseScope() => _scope.Dispose();

    public static IEnumerable<TestCaseData> Shapes()
    {
        static TestCaseData Case(string name, Func<object> compute, string parameter, string message) =>
            new TestCaseData(compute, parameter, message).SetArgDisplayNames(name);

        const string NoMatrix = "The shape must be rows×classes; it is 2×3×4.";
        const string OtherShape = "The student's values have the shape 2×3, the teacher's 2×4. They are compared element by element: give both the same shape.";
        yield return Case("adjacent pairs", () => AdjacentPairsLoss.Compute(Cube(), Cube()), "student", NoMatrix);
        yield return Case("adjacent pairs, other widths", () => AdjacentPairsLoss.Compute(ones(2, 3), ones(2, 4)), "teacher", OtherShape);
        yield return Case("cosine", () => CosineLoss.Compute(Cube(), Cube()), "student", NoMatrix);
        yield return Case("cosine of one row and two", () => CosineLoss.Compute(ones(1, 3), ones(2, 3)), "teacher", "The student's values have the shape 1×3, the teacher's 2×3.");
        yield return Case("DIST", () => DistLoss.Compute(Cube(), Cube(), 1), "student", NoMatrix);
        yield return Case("DIST, other classes", () => DistLoss.Compute(ones(2, 3), ones(2, 4), 1), "teacher", OtherShape);
        yield return Case("correlation", () => DistLoss.Correlation(Cube(), Cube(), 1), "student", NoMatrix);
        yield return Case("correlation, one row and two", () => DistLoss.Correlation(ones(1, 3), ones(2, 3), 1), "teacher", "The student's values have the shape 1×3, the teacher's 2×3.");
        yield return Case("DKD", () => DkdLoss.Compute(Cube(), Cube(), Labels(2), 1), "student", NoMatrix);
        yield return Case("DKD, other classes", () => DkdLoss.Compute(ones(2, 3), ones(2, 4), Labels(2), 1), "teacher", OtherShape);
        yield return Case("KD", () => KdLoss.Compute(Cube(), Cube(), 1), "student", NoMatrix);
        yield return Case("KD of one row and two", () => KdLoss.Compute(ones(1, 3), ones(2, 3), 1), "teacher", "The student's values have the shape 1×3, the teacher's 2×3.");
        yield return Case("hint of one row and two", () => HintLoss.Compute(ones(1, 3), ones(2, 3)), "teacher", "The student's values have the shape 1×3, the teacher's 2×3.");
        yield return Case("a scalar against a vector", () => HintLoss.Compute(ones([]), ones(2)), "teacher", "The student's values have the shape of a scalar, the teacher's 2.");
        yield return Case("cross-entropy", () => CrossEntropyLoss.Compute(Cube(), Labels(2)), "student", NoMatrix);
        yield return Case("gradient rescaling", () => GradientRescaling.Compute(Cube(), Cube(), Labels(2), 1, 0.5), "student", NoMatrix);
        yield return Case("gradient rescaling, other classes", () => GradientRescaling.Compute(ones(2, 3), ones(2, 4), Labels(2), 1, 0.5), "teacher", OtherShape);
        yield return Case("embedding", () => AngularMarginLoss.Cosines(ones(3), ones(2, 3)), "embedding", "The shape must be rows×values; it is 3.");
        yield return Case("directions", () => AngularMarginLoss.Cosines(ones(2, 3), ones(3)), "directions", "The shape must be classes×values; it is 3.");
        yield return Case("ArcFace", () => ArcFaceLoss.Compute(ones(2, 3), ones(3), Labels(2)), "directions", "The shape must be classes×values; it is 3.");
        yield return Case("CosFace", () => CosFaceLoss.Compute(ones(2, 3), ones(3), Labels(2)), "directions", "The shape must be classes×values; it is 3.");
        yield return Case("ArcFace of a scalar", () => ArcFaceLoss.Compute(ones(2, 3), ones([]), Labels(2)), "directions", "The shape must be classes×values; it is of a scalar.");
        yield return Case("CosFace of a scalar", () => CosFaceLoss.Compute(ones(2, 3), ones([]), Labels(2)), "directions", "The shape must be classes×values; it is of a scalar.");
        yield return Case("attention map", () => AttentionTransferLoss.AttentionMap(ones(2, 3)), "map", "The shape must be rows×channels×height×width; it is 2×3.");
        yield return Case("attention, student", () => AttentionTransferLoss.Compute(ones(2, 3), Map(2)), "student", "The shape must be rows×channels×height×width; it is 2×3.");
        yield return Case("attention, teacher", () => AttentionTransferLoss.Compute(Map(2), ones(2, 3)), "teacher", "The shape must be rows×channels×height×width; it is 2×3.");
        yield return Case("attention, other rows", () => AttentionTransferLoss.Compute(Map(1), Map(2)), "teacher", "The student has 1 rows, the teacher 2. Give both the same rows.");
        yield return Case(
            "congruence, student", () => CorrelationCongruenceLoss.Compute(Cube(), ones(2, 3), CorrelationKernel.Mmd), "student", "The shape must be rows×values; it is 2×3×4.");
        yield return Case(
            "congruence, teacher", () => CorrelationCongruenceLoss.Compute(ones(2, 3), Cube(), CorrelationKernel.Mmd), "teacher", "The shape must be rows×values; it is 2×3×4.");
        yield return Case(
            "congruence, other rows", () => CorrelationCongruenceLoss.Compute(ones(1, 3), ones(2, 4), CorrelationKernel.Mmd), "teacher", "The student has 1 rows, the teacher 2.");
        yield return Case("pixels", () => DenseLogits.ToRows(ones(2, 3), null), "student", "The shape must be images×classes×height×width; it is 2×3.");
        yield return Case("logits of pixels", () => DenseLogits.ToRows(ones(2, 3)), "logits", "The shape must be images×classes×height×width; it is 2×3.");
        yield return Case("transmitting, other rows", () => LipschitzLoss.TransmittingMatrix(ones(2, 3), ones(4, 3)), "second", "The first tap has 2 rows, the second 4. Give both the same rows.");
        yield return Case(
            "transmitting, first", () => LipschitzLoss.TransmittingMatrix(Cube(), ones(2, 3)), "first", "A tap must be rows×channels×height×width or rows×values; it is 2×3×4.");
        yield return Case(
            "transmitting, second", () => LipschitzLoss.TransmittingMatrix(ones(2, 3), ones(2)), "second", "A tap must be rows×channels×height×width or rows×values; it is 2.");
    }

    [TestCaseSource(nameof(Shapes))]
    public void A_shape_that_does_not_fit_is_refused_by_name(Func<object> compute, string parameter, string message) => Assert.That(
        () => compute(), Throws.ArgumentException.With.Message.Contains(message).And.Property(nameof(ArgumentException.ParamName)).EqualTo(parameter));

    public static IEnumerable<TestCaseData> Reading() => new (string, Action<Tensor>)[]
    {
        ("cross-entropy", labels => CrossEntropyLoss.Compute(ones(2, 3), labels)),
        ("DKD", labels => DkdLoss.Compute(ones(2, 3), ones(2, 3), labels, 1)),
        ("ArcFace", labels => ArcFaceLoss.Compute(ones(2, 4), ones(3, 4), labels)),
        ("CosFace", labels => CosFaceLoss.Compute(ones(2, 4), ones(3, 4), labels)),
        ("gradient rescaling", labels => GradientRescaling.Compute(ones(2, 3), ones(2, 3), labels, 1, 0.5)),
        ("true class", labels => TeacherTargets.TrueClass().LogProbabilities(ones(2, 3), labels)),
    }
    .Select(reader => new TestCaseData(reader.Item2).SetArgDisplayNames(reader.Item1));

    [TestCaseSource(nameof(Reading))]
    public void Labels_that_are_no_class_of_each_row_are_refused(Action<Tensor> compute) => Assert.Multiple(() =>
    {
        const string Expected = "The labels must be 2 64-bit class indices, one per row; found ";
        void Refuses(Tensor labels, string message) => Assert.That(
            () => compute(labels), Throws.ArgumentException.With.Message.StartsWith(message).And.Property(nameof(ArgumentException.ParamName)).EqualTo("labels"));
        Refuses(Labels(3), Expected + "Int64 values of the shape 3.");
        Refuses(zeros(2, 1, int64), Expected + "Int64 values of the shape 2×1.");
        Refuses(zeros(2, int32), Expected + "Int32 values of the shape 2.");
        Refuses(tensor(new long[] { 0, 3 }), "A label must be a class from 0 to 2, or -100 for a row without a label; one is 3.");
        Refuses(tensor(new long[] { -1, 2 }), "A label must be a class from 0 to 2, or -100 for a row without a label; one is -1.");
        Assert.That(() => compute(null!), Throws.ArgumentNullException.With.Property(nameof(ArgumentException.ParamName)).EqualTo("labels"));
        Assert.That(() => compute(tensor(new long[] { 0, 2 })), Throws.Nothing, "the first class and the last");
    });

    public static IEnumerable<TestCaseData> Nulls()
    {
        static TestCaseData Case(string name, Func<object> compute, string parameter) => new TestCaseData(compute, parameter).SetArgDisplayNames(name);

        var (kernel, margin) = (CorrelationKernel.Mmd, new LipschitzLoss([(0, 0), (1, 1)]));
        yield return Case("hint, student", () => HintLoss.Compute(null!, ones(2, 3)), "student");
        yield return Case("hint, teacher", () => HintLoss.Compute(ones(2, 3), null!), "teacher");
        yield return Case("KD, student", () => KdLoss.Compute(null!, ones(2, 3), 1), "student");
        yield return Case("KD, teacher", () => KdLoss.Compute(ones(2, 3), null!, 1), "teacher");
        yield return Case("ArcFace, embedding", () => ArcFaceLoss.Compute(null!, ones(3, 4), Labels(2)), "embedding");
        yield return Case("ArcFace, directions", () => ArcFaceLoss.Compute(ones(2, 4), null!, Labels(2)), "directions");
        yield return Case("CosFace, directions", () => CosFaceLoss.Compute(ones(2, 4), null!, Labels(2)), "directions");
        yield return Case("ArcFace, inputs", () => new ArcFaceLoss(3).Evaluate(null!), "inputs");
        yield return Case("congruence, student", () => CorrelationCongruenceLoss.Compute(null!, ones(2, 3), kernel), "student");
        yield return Case("congruence, teacher", () => CorrelationCongruenceLoss.Compute(ones(2, 3), null!, kernel), "teacher");
        yield return Case("correlation matrix, features", () => CorrelationCongruenceLoss.CorrelationMatrix(null!, kernel), "features");
        yield return Case("correlation matrix, kernel", () => CorrelationCongruenceLoss.CorrelationMatrix(ones(2, 3), null!), "kernel");
        yield return Case("gradient rescaling, targets", () => GradientRescaling.Compute(ones(2, 3), null!, Labels(2), 1, 0.5), "targets");
        yield return Case("graph, student", () => GraphKdLoss.Compute(null!, ones(3, 3)), "student");
        yield return Case("graph, teacher", () => GraphKdLoss.Compute(ones(3, 3), null!), "teacher");
        yield return Case("graph, inputs", () => new GraphKdLoss().Evaluate(null!), "inputs");
        yield return Case("graph, student's shapes", () => new GraphKdLoss().CreateProjections(null!, new OutputShapes(3), null!), "student");
        yield return Case("graph, teacher's shapes", () => new GraphKdLoss().CreateProjections(new OutputShapes(3), null!, null!), "teacher");
        yield return Case("Lipschitz, taps", () => new LipschitzLoss((IReadOnlyList<(int, int)>)null!), "taps");
        yield return Case("Lipschitz, connected", () => new LipschitzLoss((MarginFeatureLoss)null!), "connected");
        yield return Case("Lipschitz, first", () => LipschitzLoss.TransmittingMatrix(null!, ones(2, 3)), "first");
        yield return Case("Lipschitz, second", () => LipschitzLoss.TransmittingMatrix(ones(2, 3), null!), "second");
        yield return Case("Lipschitz, student", () => LipschitzLoss.Compute(null!, [ones(2, 3), ones(2, 3)]), "student");
        yield return Case("Lipschitz, teacher", () => LipschitzLoss.Compute([ones(2, 3), ones(2, 3)], null!), "teacher");
        yield return Case("Lipschitz, inputs", () => margin.Evaluate(null!), "inputs");
        yield return Case("Lipschitz, student's shapes", () => margin.CreateProjections(null!, new OutputShapes(3), null!), "student");
        yield return Case("Lipschitz, teacher's shapes", () => margin.CreateProjections(new OutputShapes(3), null!, null!), "teacher");
        yield return Case("a weighted loss", () => 2 * (DistillationLoss)null!, "loss");
        yield return Case("a sum's left", () => null! + new KdLoss(1), "left");
        yield return Case("a sum's right", () => new KdLoss(1) + null!, "right");
    }

    [TestCaseSource(nameof(Nulls))]
    public void Nothing_is_refused_by_name(Func<object> compute, string parameter) => Assert.That(
        () => compute(), Throws.ArgumentNullException.With.Property(nameof(ArgumentException.ParamName)).EqualTo(parameter));

    public static IEnumerable<TestCaseData> Numbers()
    {
        static TestCaseData Case(string name, Func<object> compute, string parameter, string message) =>
            new TestCaseData(compute, parameter, message).SetArgDisplayNames(name);

        var (student, teacher) = (new Func<Tensor>(() => ones(3, 3)), new Func<Tensor>(() => ones(3, 3)));
        yield return Case("KD", () => KdLoss.Compute(student(), teacher(), 0), "temperature", "The temperature must be above 0. It was 0.");
        yield return Case("DIST, temperature", () => DistLoss.Compute(student(), teacher(), -1), "temperature", "The temperature must be above 0. It was -1.");
        yield return Case("DIST, inter", () => DistLoss.Compute(student(), teacher(), 1, -1), "interWeight", "The weight must be at least 0. It was -1.");
        yield return Case("DIST, intra", () => DistLoss.Compute(student(), teacher(), 1, 1, -2), "intraWeight", "The weight must be at least 0. It was -2.");
        yield return Case("correlation", () => DistLoss.Correlation(student(), teacher(), 2), "axis", "The axis must be 1 for rows or 0 for columns.");
        yield return Case("gradient rescaling", () => GradientRescaling.Compute(student(), teacher(), Labels(3), 0, 0.5), "temperature", "The temperature must be above 0. It was 0.");
        yield return Case("graph, power", () => GraphKdLoss.Compute(student(), teacher(), 0), "power", "power");
        yield return Case("graph, signed", () => new GraphKdLoss(signed: (SignedFeatures)9), "signed", "What to do with signed features must be Throw or ClampCosines.");
        yield return Case("ArcFace, margin", () => new ArcFaceLoss(3, margin: Math.PI / 2), "margin", "The margin must be at least 0 and below 1");
        yield return Case("CosFace, margin", () => new CosFaceLoss(3, margin: 2), "margin", "The margin must be at least 0 and below 2. It was 2.");
        yield return Case("warm-up", () => new KdLoss(1).WithWarmup(0), "epochs", "epochs");
        yield return Case("weight", () => -1 * new KdLoss(1), "weight", "The weight must be at least 0. It was -1.");
    }

    [TestCaseSource(nameof(Numbers))]
    public void A_number_out_of_range_is_refused_by_name(Func<object> compute, string parameter, string message) => Assert.That(
        () => compute(), Throws.InstanceOf<ArgumentOutOfRangeException>().With.Message.Contains(message).And.Property(nameof(ArgumentException.ParamName)).EqualTo(parameter));

    [Test]
    public void One_class_leaves_no_gradient_to_rescale() => Assert.That(
        () => GradientRescaling.Compute(ones(2, 1), ones(2, 1), Labels(2), 1, 0.5),
        Throws.InvalidOperationException.With.Message.StartsWith("The rescaling of gradients needs at least two classes"));

    [Test]
    public void Maps_that_grow_from_tap_to_tap_are_refused_of_the_student_too() => Assert.That(
        () => new LipschitzLoss([(0, 0), (1, 1)]).CreateProjections(Tests.Shapes.OfStages([4, 4, 4], [8, 8, 8]), Tests.Shapes.OfStages([4, 8, 8], [8, 4, 4]), null!),
        Throws.InvalidOperationException.With.Message.Contains("pairs tap 0 of the student [4, 4, 4] with its tap 1 [8, 8, 8], which is larger"));

    [Test]
    public void Features_that_are_no_maps_are_named_with_all_their_axes() => Assert.That(
        () => new AttentionTransferLoss((0, 0)).CreateProjections(Tests.Shapes.OfStages([7, 3]), Tests.Shapes.OfStages([7, 3]), null!),
        Throws.InvalidOperationException.With.Message.EqualTo("The loss 'attentionTransfer' needs maps; the features have shape [7, 3]."));

    private static Tensor Cube() => ones(2, 3, 4);

    private static Tensor Map(int rows) => ones(rows, 3, 2, 2);

    private static Tensor Labels(int rows) => zeros(rows, int64);
}
