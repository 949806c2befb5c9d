using System.Text.Json;
using MlNetDistill.Losses;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

/// <summary>Every record of embedding.json about a loss; the records of retrieval metrics are compared where the metrics are tested.</summary>
public sealed class GoldenEmbeddingTests
{
    private const string File = "embedding.json";
    private const string Features = "inputs_features.json";

    /// <summary>Beyond π the formula without a guard is one that ours replaces; the guarded record of the same inputs is compared.</summary>
    private static readonly (string Name, string Case)[] LeftOut = [("arcface_exact", ""), ("arcface_insightface", "")];

    public static IEnumerable<TestCaseData> Mimics() => GoldenRecord.Cases(File, IsMimic);

    public static IEnumerable<TestCaseData> Heads() => GoldenRecord.Cases(File, r => IsHead(r) && !IsReleased(r));

    public static IEnumerable<TestCaseData> Released() => GoldenRecord.Cases(File, IsReleased);

    [TestCaseSource(nameof(Mimics))]
    public void Mimic_and_cosine_and_their_gradients_equal_the_reference(JsonElement json)
    {
        using var scope = NewDisposeScope();
        var record = new GoldenRecord(json);
        var (student, teacher) = record.Pair(Features);
        var result = LossProbe.OnEmbeddings(LossOf(record), student, teacher);
        record.CompareLoss(result.Value);
        // Of a row of zeros the reference's gradient is 1e7 and more, ours is 0.
        if (record.Case == "B8D16_zero_student_row" && record.Name != "l2_mimic_raw")
            Assert.That(result.Gradient, Has.All.Matches<double>(g => Math.Abs(g) < 10));
        else
            record.CompareGradient(result.Gradient);
    }

    [TestCaseSource(nameof(Heads))]
    public void A_margin_head_and_its_gradients_equal_the_reference(JsonElement json)
    {
        using var scope = NewDisposeScope();
        var record = new GoldenRecord(json);
        var (embedding, head, labels) = InputsOf(record);
        embedding.requires_grad_(true);
        head.requires_grad_(true);
        var loss = record.Name == "cosface"
            ? CosFaceLoss.Compute(embedding, head, labels, record.Number("scale"), record.Number("margin"))
            : ArcFaceLoss.Compute(embedding, head, labels, record.Number("scale"), record.Number("margin"));
        loss.backward();
        record.CompareLoss(loss.to(float64).item<double>());
        record.CompareGradient(Near.Values(embedding.grad!), "embedding");
        record.CompareGradient(Near.Values(head.grad!), "head");
        var expected = record.Json.GetProperty("expected");
        var cosines = AngularMarginLoss.Cosines(embedding, head);
        var (tolerance, floor) = record.IsDouble ? (1e-12, 1e-14) : (1e-5, 1e-6);
        Near.Array(Near.Values(cosines), Golden.Numbers(expected.GetProperty("cosine").GetProperty("data")), tolerance, floor, "cosines");
        Near.Array(
            Near.Values(HeadOf(record, (int)head.shape[0]).ScaledLogits(cosines, labels)),
            Golden.Numbers(expected.GetProperty("scaled_logits").GetProperty("data")), tolerance, 64 * floor, "scaled cosines");
    }

    /// <summary>The value of the released code is ArcFace's; its gradient is not the derivative of that value.</summary>
    [TestCaseSource(nameof(Released))]
    public void The_released_ArcFace_has_our_value_within_pi_and_another_gradient(JsonElement json)
    {
        using var scope = NewDisposeScope();
        var record = new GoldenRecord(json);
        var (embedding, head, labels) = InputsOf(record);
        embedding.requires_grad_(true);
        var loss = ArcFaceLoss.Compute(embedding, head, labels, record.Number("scale"), record.Number("margin"));
        loss.backward();
        record.CompareLoss(loss.to(float64).item<double>());
        var gradient = Near.Values(embedding.grad!);
        var released = record.Json.GetProperty("grad_summary").GetProperty("embedding").GetProperty("l2").GetDouble();
        Assert.That(Math.Sqrt(gradient.Sum(g => g * g)), Is.Not.EqualTo(released).Within(1).Percent);
    }

    [Test]
    public void All_records_are_accounted_for()
    {
        var all = GoldenRecord.ReadAll(File);
        var left = all.Where(r => !IsMimic(r) && !(IsHead(r) && !IsReleased(r)) && !IsReleased(r)).Select(r => r.Name == "retrieval" ? ("retrieval", "metrics") : (r.Name, r.Case)).ToList();
        Assert.Multiple(() =>
        {
            Assert.That(left.Except([.. LeftOut, ("retrieval", "metrics")]), Is.Empty, "neither compared nor left out by name");
            Assert.That(LeftOut.Except(left), Is.Empty, "left out by name, but not there");
            Assert.That(left, Has.Count.EqualTo(6), "two left out in two precisions, and two of metrics");
            Assert.That(all, Has.Count.EqualTo(56));
        });
    }

    private static bool IsMimic(GoldenRecord record) => record.Name is "l2_mimic_unit" or "l2_mimic_raw" or "cosine_mimic";

    private static bool IsHead(GoldenRecord record) =>
        record.Name is "arcface_exact" or "arcface_exact_guarded" or "arcface_insightface" or "cosface" && !LeftOut.Contains((record.Name, record.Case));

    private static bool IsReleased(GoldenRecord record) => record.Name == "arcface_insightface" && IsHead(record);

    private static DistillationLoss LossOf(GoldenRecord record) => record.Name switch
    {
        "l2_mimic_unit" => new MimicLoss(),
        "l2_mimic_raw" => new MimicLoss(normalize: false),
        _ => new CosineLoss(),
    };

    private static AngularMarginLoss HeadOf(GoldenRecord record, int classes) => record.Name == "cosface"
        ? new CosFaceLoss(classes, record.Number("scale"), record.Number("margin"))
        : new ArcFaceLoss(classes, record.Number("scale"), record.Number("margin"));

    private static (Tensor Embedding, Tensor Head, Tensor Labels) InputsOf(GoldenRecord record)
    {
        var embedding = record.Case.Length > 0 ? record.Pair(Features).Student : record.Own("embedding");
        return (embedding, record.Own("head"), tensor(record.Inputs.GetProperty("target").EnumerateArray().Select(t => t.GetInt64()).ToArray()));
    }
}
