using MlNetDistill.Losses;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

/// <summary>What NKD, TTM, WTTM, RLD and logit matching teach.</summary>
public sealed class LogitLossTests
{
    private IDisposable _scope = null!;

    [SetUp]
    public void OpenScope() => _scope = NewDisposeScope();

    [TearDown]
    public void CloseScope() => _scope.Dispose();

    [Test]
    public void NKD_teaches_the_teachers_ratios_of_the_other_classes_and_leaves_the_label_to_grow()
    {
        var teacher = LossProbe.Logits(3, 5, 1);
        var learned = LearnedLogits.Learn(new NkdLoss(gamma: 2), teacher, LossProbe.Labels(0, 3, 4));
        foreach (var (label, row) in new[] { 0, 3, 4 }.Select((label, row) => (label, row)))
        {
            var (student, expected) = (LearnedLogits.Row(learned, row), LearnedLogits.Row(teacher, row));
            Near.Array(SharesOfOthers(student, label), SharesOfOthers(expected, label), 1e-3, 0, "other classes");
            Assert.That(student[label], Is.GreaterThan(0.9).And.GreaterThan(expected[label]), "the target part has no counterweight");
        }
    }

    [Test]
    public void NKD_has_its_two_parts_at_two_temperatures()
    {
        var (student, teacher, labels) = (LossProbe.Logits(2, 4, 2), LossProbe.Logits(2, 4, 3), LossProbe.Labels(1, 2));
        double expected = 0;
        for (var row = 0; row < 2; row++)
        {
            var label = row + 1;
            expected -= LearnedLogits.Row(teacher, row)[label] * Math.Log(LearnedLogits.Row(student, row)[label]) / 2;
            var (soft, softTeacher) = (SharesOfOthers(LearnedLogits.Row(student.div(3), row), label), SharesOfOthers(LearnedLogits.Row(teacher.div(3), row), label));
            expected -= 3.5 * 9 * softTeacher.Zip(soft, (t, s) => t * Math.Log(s)).Sum() / 2;
        }

        Near.Value(NkdLoss.Compute(student, teacher, labels, 3.5, 3).item<double>(), expected, 1e-12, 0, "loss");
    }

    [Test]
    public void TTM_teaches_the_teacher_at_the_temperature_one_over_the_exponent()
    {
        var teacher = LossProbe.Logits(3, 5, 4);
        var learned = LearnedLogits.Learn(new TtmLoss(0.25), teacher, LossProbe.Labels(0, 1, 2));
        Near.Array(Near.Values(learned.softmax(1)), Near.Values(teacher.div(4).softmax(1)), 1e-3, 0, "probabilities");
    }

    [Test]
    public void WTTM_weighs_rows_by_how_unsure_the_teacher_is()
    {
        var teacher = tensor(new double[,] { { 60, -60, -60, -60 }, { 2, 0, 0, -1 }, { 0, 0, 0, 0 } });
        var weights = Near.Values(WttmLoss.RowWeights(teacher, 0.25));
        Assert.That(weights[0], Is.EqualTo(1).Within(1e-6));
        Assert.That(weights[1], Is.GreaterThan(weights[0]).And.LessThan(weights[2]));
        Assert.That(weights[2], Is.EqualTo(Math.Pow(4, 0.75)).Within(1e-12));

        var (student, labels) = (LossProbe.Logits(3, 4, 5), LossProbe.Labels(0, 0, 0));
        var plain = LossProbe.Evaluate(new TtmLoss(0.25), student, teacher, labels).Gradient;
        var weighted = LossProbe.Evaluate(new WttmLoss(0.25), student, teacher, labels).Gradient;
        Near.Array(weighted, [.. plain.Select((g, i) => g * weights[i / 4])], 1e-12, 1e-15, "gradient");
    }

    [Test]
    public void RLD_corrects_a_teacher_that_is_wrong_and_KD_does_not()
    {
        var teacher = tensor(new double[,] { { 3, 1, 0, -1 }, { 0, 3, 1, -1 } });
        var labels = LossProbe.Labels(1, 1);
        var (kd, rld) = (LearnedLogits.Learn(new KdLoss(1), teacher, labels), LearnedLogits.Learn(new RldLoss(1, 8, 1), teacher, labels));
        Assert.That(Near.Values(kd.argmax(1).to(float64)), Is.EqualTo(new[] { 0.0, 1 }));
        Assert.That(Near.Values(rld.argmax(1).to(float64)), Is.EqualTo(new[] { 1.0, 1 }));
        // The wrong row: the teacher's confidence goes to the label, and the classes below the label have the teacher's ratio.
        var (learned, expected) = (LearnedLogits.Row(rld, 0), LearnedLogits.Row(teacher, 0));
        Near.Value(learned[1], expected[0], 1e-3, 0, "confidence");
        Near.Value(learned[2] / learned[3], expected[2] / expected[3], 1e-3, 0, "ratio of the classes below the label");
        // The row where the teacher is right: all of its probabilities.
        Near.Array(LearnedLogits.Row(rld, 1), LearnedLogits.Row(teacher, 1), 1e-3, 0, "probabilities");
    }

    [Test]
    public void Where_the_teacher_is_right_RLD_is_DKD_without_its_different_temperatures()
    {
        var teacher = LossProbe.Logits(6, 5, 6);
        var (student, labels) = (LossProbe.Logits(6, 5, 7), teacher.argmax(1));
        var rld = LossProbe.Evaluate(new RldLoss(2, 3, 1), student, teacher, labels);
        var dkd = LossProbe.Evaluate(new DkdLoss(1, 2, 3), student, teacher, labels);
        Near.Value(rld.Value, dkd.Value, 1e-12, 0, "loss");
        Near.Array(rld.Gradient, dkd.Gradient, 1e-12, 1e-15, "gradient");
        var equal = LossProbe.Evaluate(new RldLoss(), teacher, teacher, labels);
        Assert.That(equal.Value, Is.Zero.Within(1e-14));
        Assert.That(equal.Gradient, Is.All.EqualTo(0).Within(1e-14));
    }

    [Test]
    public void If_the_label_is_the_teachers_last_choice_RLD_teaches_its_confidence_alone()
    {
        var teacher = tensor(new[,] { { 80f, 0, -80 } });
        var student = tensor(new[,] { { -80f, 80, 0 } });
        var (value, gradient) = LossProbe.Evaluate(new RldLoss(0, 8, 1), student, teacher, LossProbe.Labels(2));
        Assert.That(value, Is.Zero);
        Assert.That(gradient, Is.All.Zero);
        Assert.That(LossProbe.Evaluate(new RldLoss(1, 8, 1), student, teacher, LossProbe.Labels(2)).Value, Is.GreaterThan(50).And.LessThan(200));
    }

    [TestCase(LogitReduction.Mean)]
    [TestCase(LogitReduction.HalfSumPerRow)]
    public void Logit_matching_teaches_the_logits_themselves(LogitReduction reduction)
    {
        var teacher = LossProbe.Logits(2, 4, 8);
        var learned = LearnedLogits.Learn(new LogitMatchingLoss(reduction), teacher, LossProbe.Labels(0, 0));
        Near.Array(Near.Values(learned), Near.Values(teacher), 1e-3, 0, "logits");
    }

    [Test]
    public void Centred_logit_matching_does_not_see_a_constant_added_to_a_row()
    {
        var (student, teacher) = (LossProbe.Logits(3, 4, 9), LossProbe.Logits(3, 4, 10));
        var shifted = teacher.add(tensor(new double[,] { { 5 }, { -3 }, { 100 } }));
        double Value(bool centered, Tensor by) => LogitMatchingLoss.Compute(student, by, centered: centered).item<double>();
        Near.Value(Value(true, shifted), Value(true, teacher), 1e-10, 0, "centred");
        Assert.That(Value(false, shifted), Is.GreaterThan(100 * Value(false, teacher)));
    }

    [Test]
    public void NKD_and_RLD_need_two_classes_and_warn_of_two()
    {
        Assert.That(() => NkdLoss.Compute(zeros(3, 1), zeros(3, 1), LossProbe.Labels(0, 0, 0)),
            Throws.InvalidOperationException.With.Message.EqualTo("NKD needs at least two classes: it compares the labelled class with the others."));
        Assert.That(() => RldLoss.Compute(zeros(3, 1), zeros(3, 1), LossProbe.Labels(0, 0, 0)),
            Throws.InvalidOperationException.With.Message.StartsWith("RLD needs at least two classes"));
        foreach (var loss in new DistillationLoss[] { new NkdLoss(), new RldLoss() })
        {
            Assert.That(loss.Warnings(2), Has.One.Contains("two classes"));
            Assert.That(loss.Warnings(3), Is.Empty);
        }
    }

    [Test]
    public void A_batch_without_any_label_teaches_nothing()
    {
        foreach (var loss in new DistillationLoss[] { new NkdLoss(), new RldLoss(), new KdLoss(4).WithTargets(TeacherTargets.TrueClass()) })
        {
            var (value, gradient) = LossProbe.Evaluate(loss, LossProbe.Logits(2, 3, 11), LossProbe.Logits(2, 3, 12), LossProbe.Labels(-100, -100), null, mayMissLabels: true);
            Assert.That(value, Is.Zero, loss.Name);
            Assert.That(gradient, Is.All.Zero, loss.Name);
        }
    }

    [Test]
    public void Certainty_has_the_value_of_double_precision_in_single_precision()
    {
        var teacher = tensor(new[,] { { 80f, -80f, -80f }, { -80f, 80f, 79f } });
        var student = tensor(new[,] { { -80f, 80f, -80f }, { 80f, -80f, -79f } });
        foreach (var loss in new DistillationLoss[]
        {
            new NkdLoss(3.5, 1), new TtmLoss(), new WttmLoss(), new RldLoss(1, 8, 1), new LogitMatchingLoss(centered: true),
            new KdLoss(1).WithTargets(TeacherTargets.TrueClass()), new KdLoss(1).WithTargets(TeacherTargets.TopK(1)),
        })
        {
            var (value, gradient) = LossProbe.Evaluate(loss, student, teacher, LossProbe.Labels(0, 0));
            var inDouble = LossProbe.Evaluate(loss, student.to(float64), teacher.to(float64), LossProbe.Labels(0, 0));
            Near.Value(value, inDouble.Value, 1e-5, 0, loss.Name);
            Near.Array(gradient, inDouble.Gradient, 1e-4, 1e-7, loss.Name);
        }
    }

    [Test]
    public void Settings_out_of_range_are_refused() => Assert.Multiple(() =>
    {
        Assert.That(() => new NkdLoss(-1), Throws.InstanceOf<ArgumentOutOfRangeException>().With.Message.StartsWith("The weight must be at least 0. It was -1."));
        Assert.That(() => new NkdLoss(1, 0), Throws.InstanceOf<ArgumentOutOfRangeException>().With.Message.StartsWith("The temperature must be above 0."));
        Assert.That(() => new TtmLoss(0), Throws.InstanceOf<ArgumentOutOfRangeException>().With.Message.StartsWith("The exponent must be above 0. It was 0."));
        Assert.That(() => new WttmLoss(double.NaN), Throws.InstanceOf<ArgumentOutOfRangeException>().With.Message.StartsWith("The exponent must be above 0."));
        Assert.That(() => new RldLoss(0, 0), Throws.InstanceOf<ArgumentOutOfRangeException>().With.Message.StartsWith("One of the two weights must be above 0."));
        Assert.That(() => new LogitMatchingLoss((LogitReduction)7), Throws.InstanceOf<ArgumentOutOfRangeException>().With.Message.StartsWith("The reduction must be Mean or HalfSumPerRow."));
    });

    private static double[] SharesOfOthers(double[] row, int label) => [.. row.Where((_, c) => c != label).Select(p => p / (1 - row[label]))];
}
