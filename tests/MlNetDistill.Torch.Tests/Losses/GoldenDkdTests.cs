using System.Text.Json;
using MlNetDistill.Losses;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

/// <summary>Every record of dkd.json (mdistiller's code) and logit_standardization.json (the authors' code): value and gradient.</summary>
public sealed class GoldenDkdTests
{
    private const string DkdFile = "dkd.json";
    private const string StandardizedFile = "logit_standardization.json";

    public static IEnumerable<TestCaseData> Covered() => Cases(r => LossOf(r) is not null && !HasOneClass(r) && !IsRuined(r) && !IsGuarded(r));

    public static IEnumerable<TestCaseData> OneClass() => Cases(HasOneClass);

    public static IEnumerable<TestCaseData> Ruined() => Cases(IsRuined);

    public static IEnumerable<TestCaseData> Guarded() => Cases(IsGuarded);

    public static IEnumerable<TestCaseData> OfMmrazor() => Cases(r => r.Name == "dkd_variant_mmrazor");

    [TestCaseSource(nameof(Covered))]
    public void A_loss_and_its_gradient_equal_the_reference(JsonElement json)
    {
        using var scope = NewDisposeScope();
        var record = new GoldenRecord(json);
        record.Compare(Evaluate(LossOf(record)!, record), record.Number("temperature") * record.Number("temperature"));
    }

    [TestCaseSource(nameof(OneClass))]
    public void With_one_class_the_reference_is_NaN_and_ours_says_why_not(JsonElement json)
    {
        using var scope = NewDisposeScope();
        var record = new GoldenRecord(json);
        Assert.That(record.Loss, Is.NaN);
        Assert.That(
            () => Evaluate(LossOf(record)!, record), Throws.InvalidOperationException.With.Message.Contains("at least two classes"));
    }

    /// <summary>log(softmax) of ±80 in single precision is NaN in the reference; ours has the value of its double precision.</summary>
    [TestCaseSource(nameof(Ruined))]
    public void Where_single_precision_ruins_the_reference_ours_has_the_value_of_double_precision(JsonElement json)
    {
        using var scope = NewDisposeScope();
        var record = new GoldenRecord(json);
        var (value, gradient) = Evaluate(LossOf(record)!, record);
        var (inDouble, gradientInDouble) = Evaluate(LossOf(record)!, record, ScalarType.Float64);
        Near.Value(value, inDouble, 1e-5, 0, "loss");
        Near.Array(gradient, gradientInDouble, 1e-3, 1e-7, "gradient");
    }

    /// <summary>Constant rows of the student: the reference divides their gradient by 1e-7. Ours is 0 there and equal elsewhere.</summary>
    [TestCaseSource(nameof(Guarded))]
    public void A_constant_row_has_the_value_of_the_reference_and_no_gradient(JsonElement json)
    {
        using var scope = NewDisposeScope();
        var record = new GoldenRecord(json);
        var (value, gradient) = Evaluate(LossOf(record)!, record);
        record.CompareLoss(value, 10);
        Assert.That(Golden.Number(json.GetProperty("grad_summary").GetProperty("student").GetProperty("absmax")), Is.GreaterThan(1e5));
        var rows = Near.Values(record.Pair("inputs_logits.json").Student).Chunk(10).ToArray();
        var expected = Golden.Numbers(json.GetProperty("grad").GetProperty("student").GetProperty("data"));
        // Cross-entropy reads the raw logits, so it teaches these rows all the same.
        var hard = record.Name == "logit_std_kd_total"
            ? Evaluate(record.Number("ce_weight") * new CrossEntropyLoss(), record).Gradient
            : new double[gradient.Length];
        foreach (var i in Enumerable.Range(0, rows.Length).Where(i => rows[i].Distinct().Count() == 1))
            Array.Copy(hard, i * 10, expected, i * 10, 10);
        Near.Array(gradient, expected, 1e-3, 1e-7, "gradient");
    }

    /// <summary>
    /// mmrazor asks kl_div for two reductions at once, and the record's note says that the sum wins. Its numbers are those of the mean over the
    /// batch all the same, value and gradient, so they are compared like our own.
    /// </summary>
    [TestCaseSource(nameof(OfMmrazor))]
    public void The_numbers_of_mmrazor_are_those_of_the_mean_over_the_batch(JsonElement json)
    {
        using var scope = NewDisposeScope();
        var record = new GoldenRecord(json);
        record.Compare(Evaluate(Dkd(record), record));
    }

    [Test]
    public void All_records_are_accounted_for() => Assert.Multiple(() =>
    {
        var names = GoldenRecord.ReadAll(DkdFile).Concat(GoldenRecord.ReadAll(StandardizedFile)).Select(r => r.Name).ToArray();
        Assert.That(names.Count(n => n == "dkd"), Is.EqualTo(44));
        Assert.That(names.Count(n => n == "dkd_warmup_total"), Is.EqualTo(3));
        Assert.That(names.Count(n => n == "logit_std_kd"), Is.EqualTo(29));
        Assert.That(names.Count(n => n == "logit_std_kd_total"), Is.EqualTo(4));
        Assert.That(names.Count(n => n == "logit_std_dkd"), Is.EqualTo(4));
        Assert.That(Covered().Count() + OneClass().Count() + Ruined().Count() + Guarded().Count(), Is.EqualTo(44 + 3 + 29 + 4 + 4));
        Assert.That(OneClass().Count(), Is.EqualTo(6));
        Assert.That(Ruined().Count(), Is.EqualTo(1));
        Assert.That(Guarded().Count(), Is.EqualTo(4));
        Assert.That(OfMmrazor().Count(), Is.EqualTo(1));
        Assert.That(names, Has.Length.EqualTo(84 + 1));
    });

    private static IEnumerable<TestCaseData> Cases(Func<GoldenRecord, bool> wanted) =>
        GoldenRecord.Cases(DkdFile, wanted).Concat(GoldenRecord.Cases(StandardizedFile, wanted));

    private static bool HasOneClass(GoldenRecord record) => record.Case == "B3C1";

    private static bool IsRuined(GoldenRecord record) => double.IsNaN(record.Loss) && !HasOneClass(record);

    private static bool IsGuarded(GoldenRecord record) => record.Name.StartsWith("logit_std", StringComparison.Ordinal)
        && (record.Case is "B8C10_const_student_rows" or "B8C10_student_all_zero");

    private static (double Value, double[] Gradient) Evaluate(DistillationLoss loss, GoldenRecord record, ScalarType? type = null)
    {
        var (student, teacher) = record.Pair("inputs_logits.json");
        var labels = tensor(Golden.Integers(Golden.LogitsCase(record.Case).GetProperty("target")));
        return LossProbe.Evaluate(loss, student.to(type ?? record.Type), teacher.to(type ?? record.Type), labels);
    }

    private static DistillationLoss? LossOf(GoldenRecord record) => record.Name switch
    {
        "dkd" => Dkd(record),
        "dkd_warmup_total" => WarmedUp(record),
        "logit_std_kd" => new StandardizedLogitsLoss(new KdLoss(record.Number("temperature"))),
        "logit_std_kd_total" => (record.Number("ce_weight") * new CrossEntropyLoss())
            + (record.Number("kd_weight") * new StandardizedLogitsLoss(new KdLoss(record.Number("temperature")))),
        "logit_std_dkd" => new StandardizedLogitsLoss(Dkd(record)),
        _ => null,
    };

    // A sum as a training run weighs it in the record's epoch.
    private static DistillationLoss WarmedUp(GoldenRecord record) =>
        (new CrossEntropyLoss() + Dkd(record).WithWarmup((int)record.Number("warmup"))).Terms
            .Select(t => t.WeightIn((int)record.Number("epoch")) * t.Loss)
            .Aggregate((a, b) => a + b);

    private static DkdLoss Dkd(GoldenRecord record) => new(record.Number("temperature"), record.Number("alpha"), record.Number("beta"));
}
