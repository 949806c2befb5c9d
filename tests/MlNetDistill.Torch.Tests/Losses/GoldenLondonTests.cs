using System.Text.Json;
using MlNetDistill.Losses;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

/// <summary>
/// The records of london.json, by the code that 42Shawn/LONDON once published. Its term has no gradient, so that of the records is not in the released code: the one through
/// the last product is ours; the one through every iteration is another, of the same value.
/// </summary>
public sealed class GoldenLondonTests
{
    private const string File = "london.json";
    private const string Maps = "inputs_maps.json";

    // Enough for the iteration to reach the exact value in double precision.
    private const int UntilExact = 2000;

    /// <summary>Records that are left out, by the way their power iteration starts.</summary>
    private static readonly Dictionary<string, string> LeftOut = new()
    {
        ["given positive vectors (the CIFAR file draws uniform [0,1))"] = "here the iteration starts from ones in every step, so that the loss of a batch is always the same",
    };

    public static IEnumerable<TestCaseData> WithGradient() => GoldenRecord.Cases(File, r => r.Name == "london_power_last" && !IsLeftOut(r));

    public static IEnumerable<TestCaseData> OfTheSameValue() => GoldenRecord.Cases(File, r => r.Name is "london_code" or "london_power_through" && !IsLeftOut(r));

    public static IEnumerable<TestCaseData> Exact() => GoldenRecord.Cases(File, r => r.Name == "london_svd");

    public static IEnumerable<TestCaseData> OfAZeroMatrix() => GoldenRecord.Cases(File, r => r.Name == "london_code_edge");

    public static IEnumerable<TestCaseData> Margins() => GoldenRecord.Cases(File, r => r.Name == "ofd_margin_loss");

    [TestCaseSource(nameof(WithGradient))]
    public void The_loss_its_gradients_and_the_singular_values_equal_the_reference(JsonElement json)
    {
        using var scope = NewDisposeScope();
        var record = new GoldenRecord(json);
        var iterations = (int)record.Number("iterations");
        Compare(record, iterations);
        CompareSigmas(record, iterations, [0, 1, 2]);
    }

    [TestCaseSource(nameof(OfTheSameValue))]
    public void The_value_is_that_of_the_released_code_and_of_a_gradient_through_every_iteration(JsonElement json)
    {
        using var scope = NewDisposeScope();
        var record = new GoldenRecord(json);
        record.CompareLoss(Evaluate(record, (int)record.Number("iterations")).Value);
        // The released term trains nothing.
        Assert.That(record.Json.TryGetProperty("grad", out _), Is.EqualTo(record.Name == "london_power_through" && record.IsDouble));
    }

    [TestCaseSource(nameof(Exact))]
    public void After_enough_iterations_value_and_gradient_are_those_of_the_exact_singular_value(JsonElement json)
    {
        using var scope = NewDisposeScope();
        var record = new GoldenRecord(json);
        Compare(record, UntilExact);
        CompareSigmas(record, UntilExact, [0, 1, 2]);
    }

    [TestCaseSource(nameof(OfAZeroMatrix))]
    public void A_zero_matrix_has_the_singular_value_zero_and_no_gradient(JsonElement json)
    {
        using var scope = NewDisposeScope();
        var record = new GoldenRecord(json);
        Assert.That(record.Loss, Is.NaN);
        var (value, gradients) = Evaluate(record, 10);
        Assert.That(value, Is.Positive.And.LessThan(1000));
        Assert.That(gradients.SelectMany(g => g), Has.All.Matches<double>(double.IsFinite));
        CompareSigmas(record, 10, [1, 2]);
        var (student, _) = Taps(record);
        Assert.That(Near.Values(LipschitzLoss.LargestSingularValue(LipschitzLoss.TransmittingMatrix(student[0], student[1]), 10))[0], Is.Zero);
        // Neither tap of the first row gets a gradient.
        Assert.That(gradients.SelectMany(g => g.Take(g.Length / 3)), Is.All.Zero);
    }

    [TestCaseSource(nameof(Margins))]
    public void The_margins_and_the_margin_loss_equal_the_reference(JsonElement json)
    {
        using var scope = NewDisposeScope();
        var record = new GoldenRecord(json);
        var normalization = record.Inputs.GetProperty("batch_norm");
        var margins = MarginFeatureLoss.MarginsOf(
            Golden.Tensor(normalization.GetProperty("weight"), ScalarType.Float64), Golden.Tensor(normalization.GetProperty("bias"), ScalarType.Float64));
        var expected = Golden.Numbers(record.Json.GetProperty("expected").GetProperty("margin").GetProperty("data"));
        Near.Array([.. margins.Select(m => (double)m)], expected, 2e-7, 0, "margins");
        // With the record's own margins, whose last digits in single precision may differ.
        var rows = record.Own("student").shape[0];
        var (value, gradients) = LossProbe.OnStages(
            rows * new MarginFeatureLoss([(0, 0)], [[.. expected.Select(m => (float)m)]]), [record.Own("student")], [record.Own("teacher")]);
        record.CompareLoss(value);
        record.CompareGradient(gradients[0]);
    }

    [Test]
    public void All_records_are_accounted_for() => Assert.Multiple(() =>
    {
        var all = GoldenRecord.ReadAll(File);
        var left = all.Where(IsLeftOut).ToArray();
        Assert.That(left.Select(r => r.Name).Distinct(), Is.SubsetOf(new[] { "london_code", "london_power_last", "london_power_through" }));
        Assert.That(left.Select(r => r.Text("start")).Distinct(), Is.EquivalentTo(LeftOut.Keys), "named and not there");
        var checkedRecords = WithGradient().Count() + OfTheSameValue().Count() + Exact().Count() + OfAZeroMatrix().Count() + Margins().Count();
        Assert.That(checkedRecords + left.Length, Is.EqualTo(all.Count), "neither checked nor named");
        Assert.That(left, Has.Length.EqualTo(2 * 9));
        Assert.That(all, Has.Count.EqualTo(2 * (27 + 3 + 2 + 1)));
    });

    private static bool IsLeftOut(GoldenRecord record) =>
        record.Json.GetProperty("params").TryGetProperty("start", out var start) && LeftOut.ContainsKey(start.GetString()!);

    private static void Compare(GoldenRecord record, int iterations)
    {
        var (value, gradients) = Evaluate(record, iterations);
        record.CompareLoss(value);
        for (var i = 0; i < gradients.Length; i++)
            record.CompareGradient(gradients[i], $"student[{i}]");
    }

    private static void CompareSigmas(GoldenRecord record, int iterations, int[] rows)
    {
        var (student, teacher) = Taps(record);
        foreach (var (whose, taps) in new[] { ("student", student), ("teacher", teacher) })
        {
            for (var pair = 0; pair < taps.Length - 1; pair++)
            {
                var expected = Golden.Numbers(record.Json.GetProperty("expected").GetProperty($"sigma_{whose}_pair{pair}").GetProperty("data"));
                var actual = Near.Values(LipschitzLoss.LargestSingularValue(LipschitzLoss.TransmittingMatrix(taps[pair], taps[pair + 1]), iterations));
                foreach (var row in rows.Where(row => row < expected.Length))
                    Near.Value(actual[row], expected[row], record.IsDouble ? 1e-10 : 1e-5, 0, $"sigma of the {whose}");
            }
        }
    }

    private static (double Value, double[][] Gradients) Evaluate(GoldenRecord record, int iterations)
    {
        var (student, teacher) = Taps(record);
        using var scope = NewDisposeScope();
        Tensor[] leaves = [.. student.Select(t => t.detach().clone().requires_grad_(true))];
        // The records' taps are given after the connectors.
        var loss = LipschitzLoss.Compute(leaves, teacher, iterations);
        loss.backward();
        return (loss.to(ScalarType.Float64).item<double>(), [.. leaves.Select(l => Near.Values(l.grad!))]);
    }

    private static (Tensor[] Student, Tensor[] Teacher) Taps(GoldenRecord record)
    {
        var inputs = record.Case.Length > 0 ? Golden.Case(Maps, record.Case) : record.Inputs;
        Tensor[] Read(string name) => [.. inputs.GetProperty(name).EnumerateArray().Select(map => Golden.Tensor(map, record.Type))];
        return (Read("student"), Read("teacher"));
    }
}
