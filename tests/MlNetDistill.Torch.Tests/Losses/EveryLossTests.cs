using MlNetDistill.Core;
using MlNetDistill.Losses;
using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

/// <summary>What holds for every loss that compares student and teacher.</summary>
[Category("NoCulture")]
public sealed class EveryLossTests
{
    private static readonly IReadOnlyDictionary<string, DistillationLoss> Losses = EveryLoss.All;

    private static readonly string[] OverPairs = ["dist", "correlationCongruence", "adjacentPairs", "rkd", "distTargets", "graphKd"];

    // Cross-entropies, and losses whose targets are not the teacher's probabilities.
    private static readonly string[] NotZeroAtEquality =
        ["nkd", "nkd at 3", "ttm", "wttm", "rld", "rld at 1", "kd, true class", "kd, top 2", "kd, smoothed", "dkd, top 2", "dist, true class"];

    private IDisposable _scope = null!;

    public static IEnumerable<string> All => Losses.Keys;

    public static IEnumerable<string> ZeroAtEquality => Losses.Keys.Except(NotZeroAtEquality);

    // A graph needs three rows; fewer are refused.
    public static IEnumerable<string> OfSingleRows => Losses.Where(l => l.Value is not GraphKdLoss).Select(l => l.Key);

    public static IEnumerable<string> EndingInLogits => Losses.Where(l => l.Value.StudentNeeds == ModelOutputs.Logits).Select(l => l.Key);

    public static IEnumerable<string> MeansOverRows => Losses.Where(l => l.Value.CanUseWeights).Select(l => l.Key);

    [SetUp]
    public void OpenScope() => _scope = NewDisposeScope();

    [TearDown]
    public void CloseScope() => _scope.Dispose();

    [TestCaseSource(nameof(All))]
    public void The_gradient_agrees_with_finite_differences(string name) =>
        FiniteDifferences.Check(Losses[name], Batch(name, 5, 1), Batch(name, 5, 2), LossProbe.CyclicLabels(5, 4));

    [TestCaseSource(nameof(MeansOverRows))]
    public void The_gradient_agrees_with_finite_differences_under_weights(string name) => FiniteDifferences.Check(
        Losses[name], Batch(name, 4, 3), Batch(name, 4, 4), LossProbe.CyclicLabels(4, 4), tensor(new[] { 0.5f, 0, 2, 1 }));

    [TestCaseSource(nameof(ZeroAtEquality))]
    public void A_student_equal_to_its_teacher_has_no_loss_and_no_gradient(string name)
    {
        var (value, gradients) = Evaluate(name, Batch(name, 5, 5), Batch(name, 5, 5));
        // 1e-8 beside the norms keeps DIST's correlation that far from 1.
        var rounding = Losses[name] is DistLoss ? 1e-4 : 1e-12;
        Assert.That(value, Is.Zero.Within(rounding));
        Assert.That(gradients.SelectMany(g => g), Is.All.EqualTo(0).Within(rounding));
    }

    [TestCaseSource(nameof(All))]
    public void Different_networks_have_a_loss_above_zero(string name)
    {
        for (var seed = 0UL; seed < 10; seed++)
            Assert.That(Evaluate(name, Batch(name, 4, seed), Batch(name, 4, seed + 1000)).Value, Is.GreaterThan(0));
    }

    [TestCaseSource(nameof(All))]
    public void No_gradient_reaches_the_teacher(string name) =>
        LossProbe.ExpectNoGradientAtTheTeacher(Losses[name], Batch(name, 4, 6), Batch(name, 4, 7));

    [TestCaseSource(nameof(All))]
    public void Permuting_the_rows_of_both_alike_changes_nothing(string name)
    {
        var order = tensor(new long[] { 3, 0, 4, 1, 2 });
        Outputs Permuted(Outputs outputs) => outputs with { Tensors = [.. outputs.Tensors.Select(t => t.index_select(0, order))] };
        var (student, teacher, labels) = (Batch(name, 5, 8), Batch(name, 5, 9), LossProbe.CyclicLabels(5, 4));
        var plain = LossProbe.Evaluate(Losses[name], student, teacher, labels).Value;
        var permuted = LossProbe.Evaluate(Losses[name], Permuted(student), Permuted(teacher), labels.index_select(0, order)).Value;
        if (Losses[name] is AdjacentPairsLoss)
            Assert.That(permuted, Is.Not.EqualTo(plain).Within(0.01).Percent, "this one depends on the order of the rows");
        else
            Near.Value(permuted, plain, 1e-12, 0, "permuted");
    }

    [TestCaseSource(nameof(All))]
    public void Rows_without_a_label_learn_from_the_teacher_where_the_loss_reads_no_label(string name)
    {
        var (student, teacher) = (Batch(name, 4, 10), Batch(name, 4, 11));
        var (all, _) = LossProbe.Evaluate(Losses[name], student, teacher, LossProbe.Labels(0, 1, 2, 3));
        var (masked, gradients) = LossProbe.Evaluate(Losses[name], student, teacher, LossProbe.Labels(0, -100, 2, -100), null, mayMissLabels: true);
        if (!Losses[name].NeedsHardLabels)
        {
            Assert.That(masked, Is.EqualTo(all));
            return;
        }

        var kept = tensor(new long[] { 0, 2 });
        Outputs Kept(Outputs outputs) => outputs with { Tensors = [.. outputs.Tensors.Select(t => t.index_select(0, kept))] };
        Near.Value(masked, LossProbe.Evaluate(Losses[name], Kept(student), Kept(teacher), LossProbe.Labels(0, 2)).Value, 1e-12, 0, "masked");
        Assert.That(gradients[0].Chunk(4).Select(row => row.All(g => g == 0)), Is.EqualTo(new[] { false, true, false, true }));
    }

    [TestCaseSource(nameof(All))]
    public void Terms_over_pairs_of_rows_cannot_be_weighed_and_means_over_rows_can(string name) =>
        Assert.That(Losses[name].CanUseWeights, Is.EqualTo(!OverPairs.Contains(Losses[name].Name)));

    [TestCaseSource(nameof(MeansOverRows))]
    public void A_row_of_weight_two_counts_as_two_equal_rows(string name)
    {
        var (student, teacher) = (Batch(name, 3, 12), Batch(name, 3, 13));
        var twice = tensor(new long[] { 0, 1, 1, 2 });
        Outputs Repeated(Outputs outputs) => outputs with { Tensors = [.. outputs.Tensors.Select(t => t.index_select(0, twice))] };
        var weighted = LossProbe.Evaluate(Losses[name], student, teacher, LossProbe.Labels(0, 1, 2), tensor(new[] { 1f, 2f, 1f }));
        var repeated = LossProbe.Evaluate(Losses[name], Repeated(student), Repeated(teacher), LossProbe.Labels(0, 1, 1, 2));
        Near.Value(weighted.Value, repeated.Value, 1e-12, 0, "loss");
        var plain = LossProbe.Evaluate(Losses[name], student, teacher, LossProbe.Labels(0, 1, 2));
        var even = LossProbe.Evaluate(Losses[name], student, teacher, LossProbe.Labels(0, 1, 2), ones(3));
        Near.Value(even.Value, plain.Value, 1e-12, 0, "weights of one");
        Near.Array(even.Gradients[0], plain.Gradients[0], 1e-12, 0, "gradient under weights of one");
    }

    [TestCaseSource(nameof(OfSingleRows))]
    public void A_batch_of_one_row_is_finite(string name) => ExpectFinite(Evaluate(name, Batch(name, 1, 14), Batch(name, 1, 15)));

    [TestCaseSource(nameof(All))]
    public void Equal_rows_are_finite_in_single_precision(string name)
    {
        static Outputs Equal(Outputs outputs) => outputs with
        {
            Tensors = [.. outputs.Tensors.Select(t => t[TensorIndex.Slice(0, 1)].expand([4, .. t.shape[1..]]).to(float32))],
        };
        ExpectFinite(Evaluate(name, Equal(Batch(name, 4, 16)), Single(Batch(name, 4, 17))));
        ExpectFinite(Evaluate(name, Single(Batch(name, 4, 16)), Equal(Batch(name, 4, 17))));
        ExpectFinite(Evaluate(name, Equal(Batch(name, 4, 16)), Equal(Batch(name, 4, 17))));
    }

    [TestCaseSource(nameof(All))]
    public void Zeros_are_finite_in_single_precision(string name)
    {
        static Outputs Zeros(Outputs outputs) => outputs with { Tensors = [.. outputs.Tensors.Select(t => zeros_like(t).to(float32))] };
        var zero = Evaluate(name, Zeros(Batch(name, 4, 18)), Single(Batch(name, 4, 19)));
        ExpectFinite(zero);
        Assert.That(zero.Gradients.SelectMany(g => g), Has.All.Matches<double>(g => Math.Abs(g) < 100), "bounded");
        ExpectFinite(Evaluate(name, Single(Batch(name, 4, 18)), Zeros(Batch(name, 4, 19))));
        ExpectFinite(Evaluate(name, Zeros(Batch(name, 4, 18)), Zeros(Batch(name, 4, 19))));
    }

    [TestCaseSource(nameof(EndingInLogits))]
    public void Extreme_logits_stay_finite_in_single_precision(string name)
    {
        foreach (var (rows, classes) in new[] { (1, 4), (8, 2), (8, 10) })
        {
            var extreme = LossProbe.Logits(rows, classes, 20, type: ScalarType.Float32).sign().mul(80);
            var other = LossProbe.Logits(rows, classes, 21, type: ScalarType.Float32).sign().mul(80);
            ExpectFinite(Evaluate(name, Outputs.EndingInLogits(extreme), Outputs.EndingInLogits(other)));
            ExpectFinite(Evaluate(name, Outputs.EndingInLogits(extreme), Outputs.EndingInLogits(extreme.neg())));
        }
    }

    [TestCaseSource(nameof(EndingInLogits))]
    public void Two_classes_are_finite(string name) => ExpectFinite(
        Evaluate(name, Outputs.EndingInLogits(LossProbe.Logits(6, 2, 22)), Outputs.EndingInLogits(LossProbe.Logits(6, 2, 23)), classes: 2));

    private static void ExpectFinite((double Value, double[][] Gradients) result)
    {
        Assert.That(result.Value, Is.GreaterThanOrEqualTo(-1e-3).And.LessThan(double.PositiveInfinity));
        Assert.That(result.Gradients.SelectMany(g => g), Has.All.Matches<double>(double.IsFinite));
    }

    private static (double Value, double[][] Gradients) Evaluate(string name, Outputs student, Outputs teacher, int? classes = null)
    {
        var rows = (int)student.Tensors[0].shape[0];
        return LossProbe.Evaluate(Losses[name], student, teacher, LossProbe.CyclicLabels(rows, classes ?? 2));
    }

    private static Outputs Single(Outputs outputs) => outputs with { Tensors = [.. outputs.Tensors.Select(t => t.to(float32))] };

    // What the loss reads, of networks that agree in every shape.
    private static Outputs Batch(string name, int rows, ulong seed) => (Losses[name] is { TeacherNeeds: not ModelOutputs.None } taught ? taught.TeacherNeeds : Losses[name].StudentNeeds) switch
    {
        ModelOutputs.Logits => Outputs.EndingInLogits(LossProbe.Logits(rows, 4, seed)),
        ModelOutputs.Embedding => Outputs.OfEmbedding(LossProbe.Logits(rows, 6, seed)),
        // After a rectifier.
        _ when Losses[name] is GraphKdLoss => Outputs.OfStages(LossProbe.Maps(rows, 2, 3, 3, seed).abs(), LossProbe.Maps(rows, 3, 2, 2, seed + 500).abs()),
        _ => Outputs.OfStages(LossProbe.Maps(rows, 2, 3, 3, seed), LossProbe.Maps(rows, 3, 2, 2, seed + 500)),
    };
}
