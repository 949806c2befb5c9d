using System.Text.Json;
using MlNetDistill.Core;
using MlNetDistill.Losses;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

/// <summary>
/// partial_kd.json, an independent implementation of the formulas: the targets, the loss of KD with them, its gradient, and the rescaling of each row's gradient.
/// The records have the cross-entropy of the targets where KD has their divergence; the two differ by the entropy of the targets, and have the same gradient.
/// </summary>
public sealed class GoldenPartialKdTests
{
    private const string File = "partial_kd.json";

    private static readonly Dictionary<string, string> LeftOut = [];

    public static IEnumerable<TestCaseData> All() => GoldenRecord.Cases(File, IsChecked);

    [TestCaseSource(nameof(All))]
    public void A_loss_with_targets_and_its_gradient_equal_the_reference(JsonElement json)
    {
        using var scope = NewDisposeScope();
        var record = new GoldenRecord(json);
        var (student, teacher) = record.Pair("inputs_logits.json");
        var (alpha, temperature, labels) = (record.Number("lambda"), record.Number("temperature"), Labels(record));
        var kd = new KdLoss(temperature).WithTargets(TargetsOf(record));
        var (value, gradient) = LossProbe.Evaluate(((1 - alpha) * new CrossEntropyLoss()) + (alpha * kd), student, teacher, labels);
        var logTargets = TargetsOf(record).LogProbabilities(teacher.LogSoftmax(temperature), labels).to(float64);
        var entropy = -logTargets.exp().mul(logTargets).sum(1).mean().item<double>();
        record.Compare((value + (alpha * temperature * temperature * entropy), gradient));
    }

    [TestCaseSource(nameof(All))]
    public void The_targets_and_the_rescaling_of_each_row_equal_the_reference(JsonElement json)
    {
        using var scope = NewDisposeScope();
        var record = new GoldenRecord(json);
        var (student, teacher) = record.Pair("inputs_logits.json");
        var (temperature, labels, expected) = (record.Number("temperature"), Labels(record), json.GetProperty("expected"));
        var targets = TargetsOf(record).LogProbabilities(teacher.LogSoftmax(temperature), labels);
        var (tolerance, floor) = record.IsDouble ? (1e-10, 1e-14) : (1e-3, 1e-6);
        if (expected.TryGetProperty("teacher_distribution", out var distribution))
            Near.Array(Near.Values(targets.exp()), Golden.Numbers(distribution.GetProperty("data")), tolerance, floor, "targets");
        var rescaling = Near.Values(GradientRescaling.Compute(student, targets, labels, temperature, record.Number("lambda")));
        foreach (var name in new[] { "rescaling_true_class", "rescaling_other_classes_together" })
            Near.Array(rescaling, Golden.Numbers(expected.GetProperty(name).GetProperty("data")), tolerance, floor, name);
    }

    [Test]
    public void All_records_are_accounted_for() => GoldenAccount.Check(File, IsChecked, LeftOut);

    private static bool IsChecked(GoldenRecord record) => record.Name == "partial_kd";

    private static Tensor Labels(GoldenRecord record) => tensor(Golden.Integers(Golden.LogitsCase(record.Case).GetProperty("target")));

    private static TeacherTargets TargetsOf(GoldenRecord record) => record.Text("variant") switch
    {
        "full" => TeacherTargets.Full(),
        "pt" => TeacherTargets.TrueClass(),
        "topk" => TeacherTargets.TopK((int)record.Number("k")),
        "sim" => TeacherTargets.ClassSimilarity(TeacherTargets.CosineSimilarities(record.Own("teacher_head_weight")), record.Number("tau")),
        "label_smoothing" => TeacherTargets.Smoothed(record.Number("eps")),
        var other => throw new NotSupportedException(other),
    };
}
