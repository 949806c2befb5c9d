using System.Text.Json;
using MlNetDistill.Losses;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

/// <summary>tabular.json: logit matching, and binary KD as KD of two classes with the logits (0, z).</summary>
public sealed class GoldenTabularTests
{
    private const string File = "tabular.json";

    private static readonly Dictionary<string, string> LeftOut = new()
    {
        ["regression_kd"] = "a student that predicts a number learns from relabelled rows; there is no such loss",
        ["pinball_kd"] = "a loss of quantiles, and there is no student that predicts one",
        ["teacher_bounded_regression"] = "a loss of numbers, and there is no such loss",
        ["munge"] = "checked elsewhere: rows that are made up, in the tests of the ML.NET side",
        ["autogluon_binary_label"] = "a rule for labels of another library, which is not offered",
    };

    public static IEnumerable<TestCaseData> Matching() => GoldenRecord.Cases(File, r => r.Name == "logit_mse");

    public static IEnumerable<TestCaseData> Binary() => GoldenRecord.Cases(File, r => r.Name == "binary_kd");

    [TestCaseSource(nameof(Matching))]
    public void Logit_matching_and_its_gradient_equal_the_reference(JsonElement json)
    {
        using var scope = NewDisposeScope();
        var record = new GoldenRecord(json);
        var (student, teacher) = record.Pair("inputs_logits.json");
        var loss = LossOf(record);
        record.Compare(LossProbe.Evaluate(loss, student, teacher, zeros(student.shape[0], int64)));
        record.CompareLoss(LogitMatchingLoss.Compute(student, teacher, loss.Reduction, loss.Centered).to(float64).item<double>());
    }

    [TestCaseSource(nameof(Binary))]
    public void KD_of_two_classes_is_binary_KD(JsonElement json)
    {
        using var scope = NewDisposeScope();
        var record = new GoldenRecord(json);
        var (student, teacher) = (TwoClasses(record.Own("student")), TwoClasses(record.Own("teacher")));
        var labels = tensor(Golden.Numbers(record.Inputs.GetProperty("target")).Select(target => (long)target).ToArray());
        var (alpha, soft) = (record.Number("alpha"), new KdLoss(record.Number("temperature")));
        var (value, gradient) = LossProbe.Evaluate((alpha * soft) + ((1 - alpha) * new CrossEntropyLoss()), student, teacher, labels);
        record.Compare((value, [.. gradient.Chunk(2).Select(row => row[1])]));
        var tolerance = record.IsDouble ? 1e-10 : 1e-5;
        var expected = json.GetProperty("expected");
        Near.Value(LossProbe.Evaluate(soft, student, teacher, labels).Value, expected.GetProperty("soft_term").GetDouble(), tolerance, 0, "soft term");
        Near.Value(LossProbe.Evaluate(new CrossEntropyLoss(), student, teacher, labels).Value, expected.GetProperty("hard_term").GetDouble(), tolerance, 0, "hard term");
    }

    [Test]
    public void All_records_are_accounted_for() => GoldenAccount.Check(File, r => r.Name is "logit_mse" or "binary_kd", LeftOut);

    private static Tensor TwoClasses(Tensor logits) => stack([zeros_like(logits), logits], 1);

    private static LogitMatchingLoss LossOf(GoldenRecord record) => record.Text("reduction") switch
    {
        "half of the sum over classes, mean over rows (Ba and Caruana)" => new LogitMatchingLoss(LogitReduction.HalfSumPerRow),
        "mean over all elements" => new LogitMatchingLoss(),
        "rows centred first, mean over all elements" => new LogitMatchingLoss(centered: true),
        var other => throw new NotSupportedException(other),
    };
}
