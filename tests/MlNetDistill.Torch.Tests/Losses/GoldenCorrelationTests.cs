using System.Text.Json;
using MlNetDistill.Losses;
using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

/// <summary>
/// Every record of cckd.json (the paper's formulas, recomputed independently) and of cc_repdistiller.json (that library's code). The records of
/// torchdistill (18) are another loss, which we show ours to differ from.
/// </summary>
public sealed class GoldenCorrelationTests
{
    private const string File = "cckd.json";
    private const string PairsFile = "cc_repdistiller.json";
    private const string Features = "inputs_features.json";

    public static IEnumerable<TestCaseData> Covered() => GoldenRecord.Cases(File, r => LossOf(r) is not null && !IsGuarded(r));

    public static IEnumerable<TestCaseData> Guarded() => GoldenRecord.Cases(File, IsGuarded);

    public static IEnumerable<TestCaseData> Matrices() => GoldenRecord.Cases(File, r => r.Name == "cckd_matrix");

    public static IEnumerable<TestCaseData> Totals() => GoldenRecord.Cases(File, r => r.Name == "cckd_total");

    public static IEnumerable<TestCaseData> Contrasting() => GoldenRecord.Cases(File, IsOfTorchdistill);

    public static IEnumerable<TestCaseData> Pairs() => GoldenRecord.Cases(PairsFile, _ => true);

    [TestCaseSource(nameof(Covered))]
    public void Correlation_congruence_and_its_gradient_equal_the_reference(JsonElement json)
    {
        using var scope = NewDisposeScope();
        var record = new GoldenRecord(json);
        record.Compare(Evaluate(LossOf(record)!, record));
    }

    /// <summary>A row of zeros: the reference divides its gradient by 1e-12. Ours is 0 in that row and equal in all others.</summary>
    [TestCaseSource(nameof(Guarded))]
    public void At_a_row_of_zeros_the_value_equals_the_reference_and_the_gradient_is_zero(JsonElement json)
    {
        using var scope = NewDisposeScope();
        var record = new GoldenRecord(json);
        var (value, gradient) = Evaluate(LossOf(record)!, record);
        record.CompareLoss(value);
        var zero = Array.FindIndex(Near.Values(record.Pair(Features).Student).Chunk(16).ToArray(), row => row.All(v => v == 0));
        Assert.That(gradient[(zero * 16)..((zero + 1) * 16)], Is.All.Zero);
        Assert.That(Golden.Number(json.GetProperty("grad_summary").GetProperty("student").GetProperty("l2")), Is.GreaterThan(1e9));
        if (!json.TryGetProperty("grad", out var full))
            return;
        var expected = Golden.Numbers(full.GetProperty("student").GetProperty("data"));
        Array.Clear(expected, zero * 16, 16);
        Near.Array(gradient, expected, record.IsDouble ? 1e-10 : 1e-3, 1e-15, "gradient of the other rows");
    }

    [TestCaseSource(nameof(Matrices))]
    public void A_correlation_matrix_equals_the_reference(JsonElement json)
    {
        using var scope = NewDisposeScope();
        var record = new GoldenRecord(json);
        var (student, teacher) = record.Pair(Features);
        foreach (var (features, name) in new[] { (student, "student"), (teacher, "teacher") })
        {
            var matrix = CorrelationCongruenceLoss.CorrelationMatrix(features, KernelOf(record), record.Flag("l2_normalize"));
            Near.Array(Near.Values(matrix), Golden.Numbers(json.GetProperty("matrix").GetProperty(name).GetProperty("data")), 1e-12, 1e-15, name);
        }
    }

    [TestCaseSource(nameof(Totals))]
    public void The_total_with_cross_entropy_and_KD_equals_the_reference(JsonElement json)
    {
        using var scope = NewDisposeScope();
        var record = new GoldenRecord(json);
        var inputs = record.Inputs.GetProperty("features");
        var features = Golden.Case(Features, inputs.GetProperty("case").GetString()!);
        static NetworkOutput Both(IReadOnlyList<Tensor> tensors) => new(tensors[0], tensors[1]);
        var alpha = record.Number("alpha");
        var loss = (alpha * new CrossEntropyLoss())
            + ((1 - alpha) * new KdLoss(record.Number("temperature")))
            + (record.Number("beta") * new CorrelationCongruenceLoss(CorrelationKernel.GaussianTaylor((int)record.Number("P"), record.Number("gamma"))));
        var (value, gradients) = LossProbe.Evaluate(
            loss,
            new Outputs([record.Own("zs"), Golden.Tensor(features.GetProperty("student"), record.Type)], Both),
            new Outputs([record.Own("zt"), Golden.Tensor(features.GetProperty("teacher"), record.Type)], Both),
            tensor(Golden.Integers(record.Inputs.GetProperty("target"))));
        record.CompareLoss(value);
        record.CompareGradient(gradients[0], "zs");
        record.CompareGradient(gradients[1], "fs");
    }

    /// <summary>torchdistill divides the unsquared norm by n²: the root of our value, over n.</summary>
    [TestCaseSource(nameof(Contrasting))]
    public void Correlation_congruence_is_not_the_loss_of_torchdistill(JsonElement json)
    {
        using var scope = NewDisposeScope();
        var record = new GoldenRecord(json);
        var kernel = record.Name.EndsWith("bilinear", StringComparison.Ordinal) ? CorrelationKernel.Bilinear : KernelOf(record);
        var unnormalized = Evaluate(new CorrelationCongruenceLoss(kernel, normalize: false), record).Value;
        var rows = record.Pair(Features).Student.shape[0];
        Near.Value(Math.Sqrt(unnormalized) / rows, record.Loss, record.IsDouble ? 1e-10 : 1e-5, 1e-12, "loss after the correction");
        if (record.Loss != 0)
            Assert.That(Evaluate(new CorrelationCongruenceLoss(kernel), record).Value, Is.Not.EqualTo(record.Loss).Within(1).Percent);
    }

    /// <summary>A single row has no pair: NaN there, a constant 0 here.</summary>
    [TestCaseSource(nameof(Pairs))]
    public void The_adjacent_pairs_and_their_gradient_equal_RepDistiller(JsonElement json)
    {
        using var scope = NewDisposeScope();
        var record = new GoldenRecord(json);
        var result = Evaluate(new AdjacentPairsLoss(), record);
        if (double.IsNaN(record.Loss))
        {
            Assert.That(record.Case, Is.EqualTo("B1D16"));
            Assert.That(result.Value, Is.Zero);
            Assert.That(result.Gradient, Is.All.Zero);
            return;
        }

        record.Compare(result);
    }

    [Test]
    public void All_records_are_accounted_for()
    {
        var names = GoldenRecord.ReadAll(File).Select(r => r.Name).ToArray();
        Assert.Multiple(() =>
        {
            Assert.That(names.Count(n => n == "cckd_gaussian_taylor"), Is.EqualTo(75));
            Assert.That(names.Count(n => n == "cckd_bilinear"), Is.EqualTo(25));
            Assert.That(names.Count(n => n == "cckd_mmd"), Is.EqualTo(27));
            Assert.That(names.Count(n => n == "cckd_gaussian_exact"), Is.EqualTo(14));
            Assert.That(names.Count(n => n == "cckd_variant_kdzoo"), Is.EqualTo(9));
            Assert.That(Covered().Count() + Guarded().Count(), Is.EqualTo(75 + 25 + 27 + 14 + 9));
            Assert.That(Guarded().Count(), Is.EqualTo(7));
            Assert.That(Matrices().Count(), Is.EqualTo(6));
            Assert.That(Totals().Count(), Is.EqualTo(5));
            Assert.That(Contrasting().Count(), Is.EqualTo(18));
            Assert.That(names, Has.Length.EqualTo(150 + 6 + 5 + 18));
            Assert.That(Pairs().Count(), Is.EqualTo(14));
        });
    }

    private static (double Value, double[] Gradient) Evaluate(DistillationLoss loss, GoldenRecord record)
    {
        var (student, teacher) = record.Pair(Features);
        return LossProbe.OnEmbeddings(loss, student, teacher);
    }

    private static bool IsGuarded(GoldenRecord record) =>
        record.Case == "B8D16_zero_student_row" && LossOf(record) is CorrelationCongruenceLoss { Normalize: true };

    private static bool IsOfTorchdistill(GoldenRecord record) => record.Name.StartsWith("cckd_variant_torchdistill", StringComparison.Ordinal);

    // The KD-Zoo's form is ours, so its records are covered like our own.
    private static DistillationLoss? LossOf(GoldenRecord record) => record.Name switch
    {
        "cckd_variant_kdzoo" => new CorrelationCongruenceLoss(KernelOf(record)),
        "cckd_matrix" or "cckd_total" => null,
        _ when IsOfTorchdistill(record) => null,
        _ => new CorrelationCongruenceLoss(KernelOf(record), normalize: record.Flag("l2_normalize")),
    };

    private static CorrelationKernel KernelOf(GoldenRecord record) =>
        !record.Json.GetProperty("params").TryGetProperty("kernel", out var kernel) ? Taylor(record) : kernel.GetString() switch
        {
            "mmd" => CorrelationKernel.Mmd,
            "bilinear" => CorrelationKernel.Bilinear,
            "gaussian_taylor" => Taylor(record),
            "gaussian_exact" => CorrelationKernel.Gaussian(record.Number("gamma")),
            var other => throw new FormatException($"The kernel '{other}' is none that is known here."),
        };

    private static CorrelationKernel Taylor(GoldenRecord record) =>
        CorrelationKernel.GaussianTaylor((int)record.Number("P"), record.Number("gamma"));
}
