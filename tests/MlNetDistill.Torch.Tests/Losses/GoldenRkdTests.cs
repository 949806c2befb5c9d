using System.Text.Json;
using MlNetDistill.Losses;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

/// <summary>Every record of rkd.json, by mdistiller's code: value and gradient.</summary>
public sealed class GoldenRkdTests
{
    private const string File = "rkd.json";
    private const string Features = "inputs_features.json";

    public static IEnumerable<TestCaseData> Covered() => GoldenRecord.Cases(File, r => IsCovered(r) && !IsSingle(r) && !IsGuarded(r));

    public static IEnumerable<TestCaseData> Single() => GoldenRecord.Cases(File, r => IsCovered(r) && IsSingle(r));

    public static IEnumerable<TestCaseData> Guarded() => GoldenRecord.Cases(File, IsGuarded);

    public static IEnumerable<TestCaseData> Contrasting() => GoldenRecord.Cases(File, r => !IsCovered(r));

    [TestCaseSource(nameof(Covered))]
    public void RKD_and_its_gradient_equal_the_reference(JsonElement json)
    {
        using var scope = NewDisposeScope();
        var record = new GoldenRecord(json);
        record.Compare(Evaluate(LossOf(record), record));
    }

    [TestCaseSource(nameof(Single))]
    public void A_single_row_is_NaN_in_the_reference_and_zero_here(JsonElement json)
    {
        using var scope = NewDisposeScope();
        var record = new GoldenRecord(json);
        Assert.That(record.Loss, Is.NaN);
        var (value, gradient) = Evaluate(LossOf(record), record);
        Assert.That(value, Is.Zero);
        Assert.That(gradient, Is.All.Zero);
    }

    /// <summary>
    /// Two equal rows. The value equals the reference's in double precision; in single precision its inner products cancel and make equal rows
    /// up to 1e-3 apart, ours do not. The reference divides the gradient of their angles by 1e-12; ours has no such part.
    /// </summary>
    [TestCaseSource(nameof(Guarded))]
    public void Equal_rows_have_the_value_of_the_reference_and_a_bounded_gradient(JsonElement json)
    {
        using var scope = NewDisposeScope();
        var record = new GoldenRecord(json);
        var (value, gradient) = Evaluate(LossOf(record), record);
        if (record.IsDouble)
            record.CompareLoss(value);
        else
            Near.Value(value, record.Loss, 2e-4, 0, "loss");
        Near.Value(value, Evaluate(LossOf(record), record, ScalarType.Float64).Value, 1e-5, 0, "loss against double precision");
        Assert.That(gradient, Has.All.Matches<double>(g => Math.Abs(g) < 10));
        if (record.Number("angle_weight") == 0 && record.IsDouble)
            record.CompareGradient(gradient);
    }

    /// <summary>mmrazor scales rows to unit length first unless told not to, and is the same loss then.</summary>
    [TestCaseSource(nameof(Contrasting))]
    public void RKD_does_not_normalise_as_mmrazor_does(JsonElement json)
    {
        using var scope = NewDisposeScope();
        var record = new GoldenRecord(json);
        var (value, _) = Evaluate(new RkdLoss(), record);
        if (record.Flag("with_l2_norm"))
            Assert.That(value, Is.Not.EqualTo(record.Loss).Within(1).Percent);
        else
            record.CompareLoss(value);
    }

    [Test]
    public void All_records_are_accounted_for() => Assert.Multiple(() =>
    {
        Assert.That(GoldenRecord.ReadAll(File).Count(r => r.Name == "rkd"), Is.EqualTo(61));
        Assert.That(Covered().Count() + Single().Count() + Guarded().Count(), Is.EqualTo(61));
        Assert.That(Single().Count(), Is.EqualTo(5));
        Assert.That(Guarded().Count(), Is.EqualTo(8));
        Assert.That(Contrasting().Count(), Is.EqualTo(5));
        Assert.That(GoldenRecord.ReadAll(File), Has.Count.EqualTo(66));
    });

    private static bool IsCovered(GoldenRecord record) => record.Name == "rkd";

    private static bool IsSingle(GoldenRecord record) => record.Case == "B1D16";

    private static bool IsGuarded(GoldenRecord record) => IsCovered(record) && record.Case == "B8D16_dup_rows";

    private static (double Value, double[] Gradient) Evaluate(DistillationLoss loss, GoldenRecord record, ScalarType? type = null)
    {
        var (student, teacher) = record.Pair(Features);
        return LossProbe.OnEmbeddings(loss, student.to(type ?? record.Type), teacher.to(type ?? record.Type));
    }

    private static RkdLoss LossOf(GoldenRecord record) =>
        new(record.Number("distance_weight"), record.Number("angle_weight"), squared: record.Flag("squared"));
}
