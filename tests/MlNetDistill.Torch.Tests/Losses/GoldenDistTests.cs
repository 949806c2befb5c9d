using System.Text.Json;
using MlNetDistill.Losses;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

/// <summary>
/// Every record of dist.json, by the official code: value and gradient. dist_segmentation_4d (2 records) is the loss on maps of logits, which no
/// network here gives. Where rows are constant our gradient is guarded and the official one reaches 1e6, see <see cref="Guarded"/>.
/// </summary>
public sealed class GoldenDistTests
{
    private const string File = "dist.json";
    private static readonly string[] ConstantStudents = ["B8C10_const_student_rows", "B8C10_student_rows_identical", "B8C10_student_all_zero"];

    public static IEnumerable<TestCaseData> Covered() => GoldenRecord.Cases(File, r => LossOf(r) is not null && !IsGuarded(r));

    public static IEnumerable<TestCaseData> Stating() => GoldenRecord.Cases(File, r => r.Name == "dist" && !IsGuarded(r));

    public static IEnumerable<TestCaseData> Guarded() => GoldenRecord.Cases(File, IsGuarded);

    public static IEnumerable<TestCaseData> Contrasting() => GoldenRecord.Cases(File, r => r.Name == "dist_variant_torchdistill");

    [TestCaseSource(nameof(Covered))]
    public void DIST_and_its_gradient_equal_the_official_code(JsonElement json)
    {
        using var scope = NewDisposeScope();
        var record = new GoldenRecord(json);
        record.Compare(Evaluate(LossOf(record)!, record), Roundings(record));
    }

    // What training takes, instead of a graph.
    [TestCaseSource(nameof(Stating))]
    public void A_stated_gradient_equals_the_official_code(JsonElement json)
    {
        using var scope = NewDisposeScope();
        var record = new GoldenRecord(json);
        record.Compare(record.Stated(LossOf(record)!), Roundings(record));
    }

    /// <summary>Both leave out the rows and the columns that hardly vary.</summary>
    [TestCaseSource(nameof(Guarded))]
    public void A_stated_gradient_is_that_of_the_graph_where_the_student_is_constant(JsonElement json)
    {
        using var scope = NewDisposeScope();
        var record = new GoldenRecord(json);
        var (expected, found) = (Evaluate(LossOf(record)!, record), record.Stated(LossOf(record)!));
        var tolerance = record.IsDouble ? 1e-10 : 1e-4;
        Near.Value(found.Value, expected.Value, tolerance, tolerance, "loss");
        Near.Array(found.Gradient, expected.Gradient, tolerance, record.IsDouble ? 1e-15 : 1e-6, "gradient");
    }

    /// <summary>The value is the official one. The gradient is bounded, and where rows of the student vary it is the official one as well.</summary>
    [TestCaseSource(nameof(Guarded))]
    public void Where_the_student_is_constant_the_value_is_the_official_one_and_the_gradient_bounded(JsonElement json)
    {
        using var scope = NewDisposeScope();
        var record = new GoldenRecord(json);
        var (value, gradient) = Evaluate(LossOf(record)!, record);
        record.CompareLoss(value, Roundings(record));
        Assert.That(gradient, Has.All.Matches<double>(g => Math.Abs(g) < record.Number("tau") * record.Number("tau")));
        Assert.That(Golden.Number(json.GetProperty("grad_summary").GetProperty("student").GetProperty("absmax")), Is.GreaterThan(1e5));
        if (!record.IsDouble || record.Case != "B8C10_const_student_rows")
            return;
        var classes = 10;
        var rows = Near.Values(record.Pair("inputs_logits.json").Student).Chunk(classes).ToArray();
        var official = Golden.Numbers(json.GetProperty("grad").GetProperty("student").GetProperty("data")).Chunk(classes).ToArray();
        var varying = Enumerable.Range(0, rows.Length).Where(i => rows[i].Distinct().Count() > 1).ToArray();
        Assert.That(varying, Is.Not.Empty.And.Length.LessThan(rows.Length));
        foreach (var i in varying)
            Near.Array(gradient[(i * classes)..((i + 1) * classes)], official[i], 1e-10, 1e-15, $"row {i}");
    }

    /// <summary>torchdistill has a cosine similarity, which clamps norms instead of adding 1e-8: the same value up to about 1e-8.</summary>
    [TestCaseSource(nameof(Contrasting))]
    public void The_form_of_torchdistill_differs_by_its_epsilon_alone(JsonElement json)
    {
        using var scope = NewDisposeScope();
        var record = new GoldenRecord(json);
        var value = Evaluate(new DistLoss(1), record).Value;
        Near.Value(value, record.Loss, 1e-6, 0, "loss");
        if (record.IsDouble && record.Case == "B8C10")
            Assert.That(Math.Abs(value - record.Loss), Is.GreaterThan(1e-9), "the two forms differ");
    }

    [Test]
    public void All_records_are_accounted_for()
    {
        var names = GoldenRecord.ReadAll(File).Select(r => r.Name).ToArray();
        Assert.Multiple(() =>
        {
            Assert.That(names.Count(n => n == "dist"), Is.EqualTo(55));
            Assert.That(names.Count(n => n.StartsWith("dist_total_", StringComparison.Ordinal)), Is.EqualTo(6));
            Assert.That(Covered().Count() + Guarded().Count(), Is.EqualTo(55 + 6));
            Assert.That(Guarded().Count(), Is.EqualTo(9));
            Assert.That(Contrasting().Count(), Is.EqualTo(5));
            Assert.That(names.Count(n => n == "dist_segmentation_4d"), Is.EqualTo(2));
            Assert.That(names, Has.Length.EqualTo(55 + 6 + 5 + 2));
        });
    }

    private static bool IsGuarded(GoldenRecord record) => record.Name == "dist" && ConstantStudents.Contains(record.Case);

    // τ² times two correlations, each rounded near 1: what remains where they cancel, as with two classes or equal networks.
    private static double Roundings(GoldenRecord record) => 2 * record.Number("tau") * record.Number("tau");

    private static (double Value, double[] Gradient) Evaluate(DistillationLoss loss, GoldenRecord record)
    {
        var (student, teacher) = record.Pair("inputs_logits.json");
        return LossProbe.Evaluate(loss, student, teacher, tensor(Golden.Integers(Golden.LogitsCase(record.Case).GetProperty("target"))));
    }

    private static DistillationLoss? LossOf(GoldenRecord record) => record.Name switch
    {
        "dist" => Dist(record),
        "dist_total_cifar" or "dist_total_imagenet" =>
            (record.Number("ce_weight") * new CrossEntropyLoss()) + (record.Number("kd_loss_weight") * Dist(record)),
        _ => null,
    };

    private static DistLoss Dist(GoldenRecord record) => new(record.Number("tau"), record.Number("beta"), record.Number("gamma"));
}
