using System.Text.Json;
using MlNetDistill.Losses;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

/// <summary>
/// Every record of graph_kd.json, by cadurosar/graph_kd. Records named gkd_edge say what the released code gives where a batch is degenerate; three of these cases have
/// the same value here, four have another on purpose.
/// </summary>
public sealed class GoldenGraphTests
{
    private const string File = "graph_kd.json";
    private const string Features = "inputs_features.json";
    private const string AsGiven = "as given";

    /// <summary>Degenerate batches that are the same here as in the released code.</summary>
    private static readonly string[] SameAtTheEdge = ["B3D4", "B8D16_dup_rows", "B8D16_equal"];

    /// <summary>Degenerate batches that are refused, each with the reason.</summary>
    private static readonly Dictionary<string, string> Refused = new()
    {
        ["B1D16"] = "one row has no edges: NaN in the released code",
        ["B2D16"] = "the graph of two rows is the same whatever the features: 0 in the released code",
        ["B8D16 " + AsGiven] = "signed features: NaN in the released code",
    };

    /// <summary>A row of zeros: NaN in the released code, an isolated row here.</summary>
    private static readonly string[] Isolated = ["B8D16_zero_student_row"];

    public static IEnumerable<TestCaseData> Covered() => GoldenRecord.Cases(File, IsCovered);

    public static IEnumerable<TestCaseData> NotAccepted() => GoldenRecord.Cases(File, r => IsEdge(r) && Refused.ContainsKey(EdgeOf(r)));

    public static IEnumerable<TestCaseData> WithIsolatedRow() => GoldenRecord.Cases(File, r => IsEdge(r) && Isolated.Contains(EdgeOf(r)));

    [TestCaseSource(nameof(Covered))]
    public void The_loss_and_its_gradient_equal_the_reference(JsonElement json)
    {
        using var scope = NewDisposeScope();
        var record = new GoldenRecord(json);
        record.Compare(Evaluate(record));
    }

    [TestCaseSource(nameof(NotAccepted))]
    public void A_batch_whose_graph_says_nothing_or_does_not_exist_is_refused(JsonElement json)
    {
        using var scope = NewDisposeScope();
        var record = new GoldenRecord(json);
        Assert.That(record.Loss, Is.NaN.Or.EqualTo(0).Within(1e-10));
        if (EdgeOf(record).EndsWith(AsGiven, StringComparison.Ordinal))
            Assert.That(() => Evaluate(record), Throws.InvalidOperationException.With.Message.Contains("needs features of at least 0"));
        else
            Assert.That(() => Evaluate(record), Throws.ArgumentException.With.Message.Contains("needs batches of at least 3 rows"));
    }

    [TestCaseSource(nameof(WithIsolatedRow))]
    public void A_row_of_zeros_is_isolated(JsonElement json)
    {
        using var scope = NewDisposeScope();
        var record = new GoldenRecord(json);
        Assert.That(record.Loss, Is.NaN);
        var (value, gradient) = Evaluate(record);
        Assert.That(value, Is.Positive.And.LessThan(1000));
        Assert.That(gradient, Has.All.Matches<double>(g => Math.Abs(g) < 1000));
    }

    [Test]
    public void All_records_are_accounted_for() => Assert.Multiple(() =>
    {
        var all = GoldenRecord.ReadAll(File);
        Assert.That(all.Where(r => !IsCovered(r) && !Refused.ContainsKey(EdgeOf(r)) && !Isolated.Contains(EdgeOf(r))).Select(EdgeOf), Is.Empty, "neither checked nor named");
        Assert.That(SameAtTheEdge.Concat(Refused.Keys).Concat(Isolated), Is.EquivalentTo(all.Where(IsEdge).Select(EdgeOf).Distinct()), "named and not there");
        Assert.That(Covered().Count() + NotAccepted().Count() + WithIsolatedRow().Count(), Is.EqualTo(all.Count));
        Assert.That(all, Has.Count.EqualTo(2 * (22 + 7)));
    });

    private static bool IsEdge(GoldenRecord record) => record.Name == "gkd_edge";

    private static bool IsCovered(GoldenRecord record) => record.Name == "gkd" || (IsEdge(record) && SameAtTheEdge.Contains(EdgeOf(record)));

    private static string EdgeOf(GoldenRecord record) => record.Text("input") == AsGiven ? $"{record.Case} {AsGiven}" : record.Case;

    private static (double Value, double[] Gradient) Evaluate(GoldenRecord record)
    {
        var parameters = record.Json.GetProperty("params");
        var (student, teacher) = record.Pair(Features);
        var rows = record.Inputs.TryGetProperty("rows", out var picked) ? tensor(Golden.Integers(picked)) : arange(student.shape[0]);
        Tensor Prepare(Tensor features) => (record.Text("input") == AsGiven ? features : features.abs()).index_select(0, rows);
        var edges = parameters.TryGetProperty("mask", out var mask) ? (mask.GetString() == "intra" ? GraphEdges.SameClass : GraphEdges.DifferentClass) : GraphEdges.All;
        var labels = edges == GraphEdges.All ? zeros(rows.shape[0], int64) : tensor(Golden.Integers(parameters.GetProperty("labels")));
        int? neighbours = parameters.GetProperty("k") is { ValueKind: JsonValueKind.Number } k ? k.GetInt32() : null;
        var loss = new GraphKdLoss([(0, 0)], parameters.GetProperty("power").GetInt32(), neighbours, edges);
        var (value, gradients) = LossProbe.Evaluate(record.Number("lambda") * loss, Outputs.OfStages(Prepare(student)), Outputs.OfStages(Prepare(teacher)), labels);
        // The record's gradient is towards the features as they are in the file: through the absolute values, and 0 for rows that were not picked.
        using var noGrad = no_grad();
        var gradient = tensor(gradients[0]).reshape(rows.shape[0], -1);
        var picked64 = student.to(ScalarType.Float64).index_select(0, rows);
        var towards = record.Text("input") == AsGiven ? gradient : gradient.mul(picked64.sign());
        return (value, Near.Values(zeros(student.shape, ScalarType.Float64).index_copy(0, rows, towards)));
    }
}
