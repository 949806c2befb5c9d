using System.Text.Json;
using MlNetDistill.Losses;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

/// <summary>
/// Every record of kd.json about a loss that exists here: value and gradient. kd_mse_logits (8 records) is another method, squared error of
/// logits, and is left out until there is a loss for it.
/// </summary>
public sealed class GoldenLossTests
{
    private const string File = "kd.json";
    private static readonly string[] Contrasts = ["kd_reduction_none_sum", "kd_reduction_mean", "gnosis_soft_ce_T4"];

    public static IEnumerable<TestCaseData> Covered() => GoldenRecord.Cases(File, r => LossOf(r) is not null);

    public static IEnumerable<TestCaseData> Stating() => GoldenRecord.Cases(File, r => r.Name is "kd" or "cross_entropy");

    public static IEnumerable<TestCaseData> Contrasting() => GoldenRecord.Cases(File, r => Contrasts.Contains(r.Name));

    [TestCaseSource(nameof(Covered))]
    public void A_loss_and_its_gradient_equal_the_reference(JsonElement json)
    {
        using var scope = NewDisposeScope();
        var record = new GoldenRecord(json);
        record.Compare(Evaluate(LossOf(record)!, record));
    }

    // What training takes where a loss states its gradient, instead of a graph.
    [TestCaseSource(nameof(Stating))]
    public void A_stated_gradient_equals_the_reference(JsonElement json)
    {
        using var scope = NewDisposeScope();
        var record = new GoldenRecord(json);
        record.Compare(record.Stated(LossOf(record)!));
    }

    [Test]
    public void All_records_are_accounted_for()
    {
        var names = GoldenRecord.ReadAll(File).Select(r => r.Name).ToArray();
        Assert.Multiple(() =>
        {
            Assert.That(names.Count(n => n == "kd"), Is.EqualTo(72));
            Assert.That(names.Count(n => n == "cross_entropy"), Is.EqualTo(7));
            Assert.That(names.Count(n => n.StartsWith("kd_total_", StringComparison.Ordinal)), Is.EqualTo(20));
            Assert.That(Covered().Count(), Is.EqualTo(72 + 7 + 20));
            Assert.That(Contrasting().Count(), Is.EqualTo(12));
            Assert.That(names, Has.Length.EqualTo(99 + 12 + 8));
        });
    }

    [Test]
    public void A_missing_golden_file_fails() => Assert.That(() => Golden.Records("missing.json"), Throws.InstanceOf<FileNotFoundException>());

    /// <summary>The reductions and the cross-entropy that others call KD differ from ours by exactly the factor or the entropy they should.</summary>
    [TestCaseSource(nameof(Contrasting))]
    public void KD_is_none_of_its_look_alikes(JsonElement json)
    {
        using var scope = NewDisposeScope();
        var record = new GoldenRecord(json);
        var (value, gradient) = Evaluate(new KdLoss(4), record);
        var student = Golden.LogitsCase(record.Case).GetProperty("student").GetProperty("shape");
        var (rows, classes) = (student[0].GetInt64(), student[1].GetInt64());
        var (factor, entropy) = record.Name switch
        {
            "kd_reduction_mean" => (1.0 / classes, 0.0),
            "kd_reduction_none_sum" => (rows, 0.0),
            _ => (1.0, TeacherEntropy(record, temperature: 4)),
        };
        var tolerance = record.IsDouble ? 1e-10 : 1e-5;

        Near.Value((value * factor) + (16 * entropy), record.Loss, tolerance, 0, "loss after the correction");
        GoldenRecord.CompareSummary(
            [.. gradient.Select(g => g * factor)], json.GetProperty("grad_summary").GetProperty("student"), record.IsDouble ? 1e-10 : 1e-3, 1e-15);
        if (rows > 1 || record.Name != "kd_reduction_none_sum")
            Assert.That(value, Is.Not.EqualTo(record.Loss).Within(1e-3).Percent);
    }

    private static (double Value, double[] Gradient) Evaluate(DistillationLoss loss, GoldenRecord record)
    {
        var (student, teacher) = record.Pair("inputs_logits.json");
        return LossProbe.Evaluate(loss, student, teacher, tensor(Golden.Integers(Golden.LogitsCase(record.Case).GetProperty("target"))));
    }

    private static double TeacherEntropy(GoldenRecord record, double temperature)
    {
        var teacher = Golden.LogitsCase(record.Case).GetProperty("teacher");
        var rows = Golden.Numbers(teacher.GetProperty("data")).Select(z => z / temperature).Chunk((int)teacher.GetProperty("shape")[1].GetInt64());
        return rows.Average(row =>
        {
            var logSum = row.Max() + Math.Log(row.Sum(z => Math.Exp(z - row.Max())));
            return row.Sum(z => Math.Exp(z - logSum) * (logSum - z));
        });
    }

    private static DistillationLoss? LossOf(GoldenRecord record) => record.Name switch
    {
        "kd" => new KdLoss(record.Number("temperature")),
        "cross_entropy" => new CrossEntropyLoss(),
        var name when name.StartsWith("kd_total_", StringComparison.Ordinal) =>
            (record.Number("ce_weight") * new CrossEntropyLoss()) + (record.Number("kd_weight") * new KdLoss(record.Number("temperature"))),
        _ => null,
    };
}
