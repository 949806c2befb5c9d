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

    public static IEnumerable<TestCaseData> Covered() => Golden.Records(File).Select((record, i) => (record, i))
        .Where(r => LossOf(r.record) is not null)
        .Select(r => new TestCaseData(r.record).SetArgDisplayNames($"{r.i} {Name(r.record)} {Type(r.record)} {Case(r.record)}"));

    public static IEnumerable<TestCaseData> Contrasting() => Golden.Records(File).Select((record, i) => (record, i))
        .Where(r => Contrasts.Contains(Name(r.record)))
        .Select(r => new TestCaseData(r.record).SetArgDisplayNames($"{r.i} {Name(r.record)} {Type(r.record)} {Case(r.record)}"));

    [TestCaseSource(nameof(Covered))]
    public void A_loss_and_its_gradient_equal_the_reference(JsonElement record)
    {
        using var scope = NewDisposeScope();
        var (value, gradient) = Evaluate(LossOf(record)!, record);
        var isDouble = Type(record) == ScalarType.Float64;

        // The absolute part is the rounding of sums of probabilities, for records whose true value is 0.
        Near.Value(value, Golden.Number(record.GetProperty("loss")), isDouble ? 1e-10 : 1e-5, isDouble ? 1e-14 : 1e-6, "loss");
        if (record.TryGetProperty("grad_well_conditioned", out var well) && !well.GetBoolean())
            return;
        var tolerance = isDouble ? 1e-10 : 1e-3;
        var floor = isDouble ? 1e-15 : 1e-7;
        CompareSummary(gradient, record.GetProperty("grad_summary").GetProperty("student"), tolerance, floor);
        if (record.TryGetProperty("grad", out var full))
            Near.Array(gradient, Golden.Numbers(full.GetProperty("student").GetProperty("data")), tolerance, floor, "gradient");
    }

    [Test]
    public void All_records_are_accounted_for()
    {
        var names = Golden.Records(File).Select(Name).ToArray();
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
    public void KD_is_none_of_its_look_alikes(JsonElement record)
    {
        using var scope = NewDisposeScope();
        var (value, gradient) = Evaluate(new KdLoss(4), record);
        var student = Golden.LogitsCase(Case(record)).GetProperty("student").GetProperty("shape");
        var (rows, classes) = (student[0].GetInt64(), student[1].GetInt64());
        var (factor, entropy) = Name(record) switch
        {
            "kd_reduction_mean" => (1.0 / classes, 0.0),
            "kd_reduction_none_sum" => (rows, 0.0),
            _ => (1.0, TeacherEntropy(record, temperature: 4)),
        };
        var isDouble = Type(record) == ScalarType.Float64;
        var tolerance = isDouble ? 1e-10 : 1e-5;

        Near.Value((value * factor) + (16 * entropy), Golden.Number(record.GetProperty("loss")), tolerance, 0, "loss after the correction");
        CompareSummary(
            [.. gradient.Select(g => g * factor)], record.GetProperty("grad_summary").GetProperty("student"), isDouble ? 1e-10 : 1e-3, 1e-15);
        if (rows > 1 || Name(record) != "kd_reduction_none_sum")
            Assert.That(value, Is.Not.EqualTo(Golden.Number(record.GetProperty("loss"))).Within(1e-3).Percent);
    }

    private static (double Value, double[] Gradient) Evaluate(DistillationLoss loss, JsonElement record)
    {
        var inputs = Golden.LogitsCase(Case(record));
        return LossProbe.Evaluate(
            loss,
            Golden.Tensor(inputs.GetProperty("student"), Type(record)),
            Golden.Tensor(inputs.GetProperty("teacher"), Type(record)),
            tensor(Golden.Integers(inputs.GetProperty("target"))));
    }

    private static void CompareSummary(double[] gradient, JsonElement summary, double tolerance, double floor)
    {
        var l2 = Golden.Number(summary.GetProperty("l2"));
        var absolute = floor * gradient.Length;
        Near.Value(Math.Sqrt(gradient.Sum(g => g * g)), l2, tolerance, absolute, "gradient l2");
        Near.Value(gradient.Max(Math.Abs), Golden.Number(summary.GetProperty("absmax")), tolerance, absolute, "largest gradient");
        // Sums over signed elements cancel, so they are as exact as the gradient's length, not as their own.
        Near.Value(gradient.Sum(), Golden.Number(summary.GetProperty("sum")), 0, (tolerance * l2) + absolute, "gradient sum");
        var probe = gradient.Select((g, k) => g * Math.Cos(k)).Sum();
        Near.Value(probe, Golden.Number(summary.GetProperty("probe")), 0, (tolerance * l2) + absolute, "gradient probe");
    }

    private static double TeacherEntropy(JsonElement record, double temperature)
    {
        var teacher = Golden.LogitsCase(Case(record)).GetProperty("teacher");
        var rows = Golden.Numbers(teacher.GetProperty("data")).Select(z => z / temperature).Chunk((int)teacher.GetProperty("shape")[1].GetInt64());
        return rows.Average(row =>
        {
            var logSum = row.Max() + Math.Log(row.Sum(z => Math.Exp(z - row.Max())));
            return row.Sum(z => Math.Exp(z - logSum) * (logSum - z));
        });
    }

    private static DistillationLoss? LossOf(JsonElement record)
    {
        double Parameter(string name) => record.GetProperty("params").GetProperty(name).GetDouble();
        return Name(record) switch
        {
            "kd" => new KdLoss(Parameter("temperature")),
            "cross_entropy" => new CrossEntropyLoss(),
            var name when name.StartsWith("kd_total_", StringComparison.Ordinal) =>
                (Parameter("ce_weight") * new CrossEntropyLoss()) + (Parameter("kd_weight") * new KdLoss(Parameter("temperature"))),
            _ => null,
        };
    }

    private static string Name(JsonElement record) => record.GetProperty("name").GetString()!;

    private static string Case(JsonElement record) => record.GetProperty("inputs").GetProperty("case").GetString()!;

    private static ScalarType Type(JsonElement record) => record.GetProperty("dtype").GetString() switch
    {
        "float64" => ScalarType.Float64,
        "float32" => ScalarType.Float32,
        var other => throw new FormatException($"The dtype '{other}' is none that is known here."),
    };
}
