using MlNetDistill.Core;
using MlNetDistill.Losses;
using MlNetDistill.Networks;
using TorchSharp;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

/// <summary>A teacher with a part of its knowledge teaches that part, and no more.</summary>
public sealed class TeacherTargetsTests
{
    private static readonly double[,] Similarities = { { 1, 0.5, -0.5, 0 }, { 0.5, 1, 0, 0.25 }, { -0.5, 0, 1, 0.75 }, { 0, 0.25, 0.75, 1 } };
    private IDisposable _scope = null!;

    [SetUp]
    public void OpenScope() => _scope = NewDisposeScope();

    [TearDown]
    public void CloseScope() => _scope.Dispose();

    [Test]
    public void The_true_class_teaches_how_sure_the_teacher_is_and_nothing_about_the_others()
    {
        var teacher = LossProbe.Logits(3, 4, 1);
        var learned = LearnedLogits.Learn(new KdLoss(1).WithTargets(TeacherTargets.TrueClass()), teacher, LossProbe.Labels(0, 2, 3));
        foreach (var (label, row) in new[] { 0, 2, 3 }.Select((label, row) => (label, row)))
        {
            var (student, expected) = (LearnedLogits.Row(learned, row), LearnedLogits.Row(teacher, row)[label]);
            Near.Value(student[label], expected, 1e-3, 0, "true class");
            Near.Array([.. student.Where((_, c) => c != label)], [.. Enumerable.Repeat((1 - expected) / 3, 3)], 1e-3, 0, "others");
        }
    }

    [Test]
    public void The_top_k_teach_their_probabilities_and_the_rest_is_uniform()
    {
        var teacher = LossProbe.Logits(3, 5, 2);
        var learned = LearnedLogits.Learn(new KdLoss(1).WithTargets(TeacherTargets.TopK(2)), teacher, LossProbe.Labels(0, 2, 3));
        for (var row = 0; row < 3; row++)
        {
            var (student, expected) = (LearnedLogits.Row(learned, row), LearnedLogits.Row(teacher, row));
            var top = expected.Index().OrderByDescending(p => p.Item).Take(2).Select(p => p.Index).ToArray();
            foreach (var c in Enumerable.Range(0, 5))
                Near.Value(student[c], top.Contains(c) ? expected[c] : (1 - top.Sum(k => expected[k])) / 3, 2e-3, 0, $"class {c}");
        }
    }

    [Test]
    public void Class_similarity_teaches_all_rows_of_a_class_the_same()
    {
        var learned = LearnedLogits.Learn(
            new KdLoss(1).WithTargets(TeacherTargets.ClassSimilarity(Similarities, 0.5)), LossProbe.Logits(4, 4, 3), LossProbe.Labels(1, 3, 1, 1));
        var expected = LearnedLogits.Row(tensor(Similarities).div(0.5), 1);
        foreach (var row in new[] { 0, 2, 3 })
            Near.Array(LearnedLogits.Row(learned, row), expected, 1e-3, 0, $"row {row}");
        Near.Array(LearnedLogits.Row(learned, 1), LearnedLogits.Row(tensor(Similarities).div(0.5), 3), 1e-3, 0, "another class");
    }

    [Test]
    public void The_similarity_of_classes_is_that_of_the_rows_of_a_networks_last_layer()
    {
        using var network = NetworkSpec.Mlp(6).Build(new NetworkInput(InputShape.Vector(3)), 4, 1);
        var weight = Near.Values(network.Head.Weight).Chunk(6).ToArray();
        var matrix = TeacherTargets.CosineSimilarities(network.Head.Weight);
        double Cosine(double[] a, double[] b) => a.Zip(b, (x, y) => x * y).Sum() / Math.Sqrt(a.Sum(x => x * x) * b.Sum(y => y * y));
        foreach (var (y, c) in from y in Enumerable.Range(0, 4) from c in Enumerable.Range(0, 4) select (y, c))
            Assert.That(matrix[y, c], Is.EqualTo(Cosine(weight[y], weight[c])).Within(1e-12));
        var (teacher, labels) = (LossProbe.Logits(2, 4, 4), LossProbe.Labels(2, 0));
        Assert.That(
            Near.Values(TeacherTargets.ClassSimilarity(network, 0.4).LogProbabilities(teacher, labels)),
            Is.EqualTo(Near.Values(TeacherTargets.ClassSimilarity(matrix, 0.4).LogProbabilities(teacher, labels))));
    }

    [Test]
    public void All_targets_are_the_loss_itself()
    {
        var (student, teacher) = (LossProbe.Logits(5, 4, 5), LossProbe.Logits(5, 4, 6));
        foreach (var loss in new DistillationLoss[] { new KdLoss(4), new DistLoss(2), new DkdLoss(4), new NkdLoss(3.5, 3), new TtmLoss(), new WttmLoss(), new RldLoss() })
        {
            var plain = LossProbe.Evaluate(loss, student, teacher, LossProbe.CyclicLabels(5, 4));
            var full = LossProbe.Evaluate(loss.WithTargets(TeacherTargets.Full()), student, teacher, LossProbe.CyclicLabels(5, 4));
            Near.Value(full.Value, plain.Value, 1e-13, 0, loss.Name);
            Near.Array(full.Gradient, plain.Gradient, 1e-13, 1e-16, loss.Name);
        }
    }

    [Test]
    public void The_gradient_of_targets_agrees_with_finite_differences_under_weights_and_missing_labels()
    {
        foreach (var targets in new[] { TeacherTargets.TrueClass(), TeacherTargets.ClassSimilarity(Similarities), TeacherTargets.Smoothed(), TeacherTargets.TopK(2) })
        {
            FiniteDifferences.Check(
                new KdLoss(2).WithTargets(targets), LossProbe.Logits(4, 4, 7), LossProbe.Logits(4, 4, 8), LossProbe.Labels(1, -100, 3, 0),
                tensor(new[] { 0.5f, 1, 2, 0 }), mayMissLabels: true);
        }
    }

    [Test]
    public void A_stated_gradient_of_targets_is_that_of_the_graph()
    {
        var loss = new KdLoss(2).WithTargets(TeacherTargets.TrueClass());
        var (student, teacher) = (LossProbe.Logits(5, 4, 9), LossProbe.Logits(5, 4, 10));
        var stated = loss.EvaluateWithGradient(LossProbe.Inputs(student.clone().requires_grad_(true), teacher), 0.5)!.Value;
        var (value, gradient) = LossProbe.Evaluate(loss, student, teacher, zeros(5, int64));
        Near.Value(stated.Value.item<double>() * stated.Scale, value, 1e-12, 0, "loss");
        Near.Array([.. Near.Values(stated.Gradient).Select(g => 2 * g)], gradient, 1e-12, 1e-16, "gradient");
    }

    [Test]
    public void Label_smoothing_and_class_similarity_ask_no_teacher()
    {
        foreach (var targets in new[] { TeacherTargets.Smoothed(0.2), TeacherTargets.ClassSimilarity(Similarities) })
        {
            var loss = new KdLoss(1).WithTargets(targets);
            Assert.That((loss.TeacherNeeds, loss.NeedsLabels, loss.NeedsHardLabels), Is.EqualTo((ModelOutputs.None, true, true)));
            Assert.That(LossProbe.Evaluate(loss, LossProbe.Logits(3, 4, 11), null, LossProbe.Labels(0, 1, 2)).Value, Is.GreaterThan(0));
        }

        var top = new KdLoss(1).WithTargets(TeacherTargets.TopK(3));
        Assert.That((top.TeacherNeeds, top.NeedsLabels, top.NeedsHardLabels), Is.EqualTo((ModelOutputs.Logits, false, false)));
    }

    [Test]
    public void A_teacher_whose_logits_are_not_known_can_be_given_targets()
    {
        var (student, teacher) = (LossProbe.Logits(3, 4, 12), LossProbe.Logits(3, 4, 13));
        var inputs = new LossInputs(NetworkOutput.FromLogits(student), null, LossProbe.Labels(0, 1, 2))
        {
            // As a cache of a few probabilities answers.
            TeacherSoftening = (_, temperature) => teacher.LogSoftmax(temperature),
        };
        Near.Value(
            new KdLoss(4).WithTargets(TeacherTargets.TrueClass()).Evaluate(inputs).item<double>(),
            LossProbe.Evaluate(new KdLoss(4).WithTargets(TeacherTargets.TrueClass()), student, teacher, LossProbe.Labels(0, 1, 2)).Value, 1e-12, 0, "loss");
    }

    [Test]
    public void Of_labels_that_were_checked_none_is_read_from_the_device()
    {
        // A tensor without data: what reads a value from it fails.
        var nowhere = new Device(DeviceType.META);
        var (maps, rows) = (LossProbe.Maps(1, 4, 2, 2, 16).to(nowhere), LossProbe.Logits(3, 4, 14).to(nowhere));
        Assert.That(() => LossProbe.Labels(0).to(nowhere).item<long>(), Throws.Exception, "such a reading fails");
        Assert.That(() => DenseLogits.ToRows(maps, maps, zeros(1, 2, 2, int64).to(nowhere), checkLabels: false), Throws.Nothing);
        Assert.That(() => TeacherTargets.Smoothed().LogProbabilitiesOfChecked(rows, LossProbe.Labels(0, 1, 2).to(nowhere)), Throws.Nothing);
        Assert.That(() => TeacherTargets.Smoothed().LogProbabilities(rows, LossProbe.Labels(0, 1, 2).to(nowhere)), Throws.Exception);
    }

    [Test]
    public void A_matrix_on_the_device_serves_every_batch_and_type()
    {
        var targets = TeacherTargets.ClassSimilarity(Similarities, 0.5);
        var expected = Near.Values(targets.LogProbabilities(zeros(2, 4, float64), LossProbe.Labels(3, 1)));
        Near.Array(Near.Values(targets.LogProbabilities(zeros(2, 4, float32), LossProbe.Labels(3, 1))), expected, 1e-6, 0, "32 bits");
        var before = Tensor.TotalCount;
        using (NewDisposeScope())
            Assert.That(Near.Values(targets.LogProbabilities(zeros(2, 4, float64), LossProbe.Labels(3, 1))), Is.EqualTo(expected));
        Assert.That(Tensor.TotalCount, Is.EqualTo(before));
    }

    [Test]
    public void Losses_that_read_more_than_probabilities_are_refused() => Assert.Multiple(() =>
    {
        Assert.That(() => (new KdLoss(1) + new CrossEntropyLoss()).WithTargets(TeacherTargets.TopK(2)), Throws.InvalidOperationException.With.Message.Contains("Give them to its term that reads the teacher"));
        Assert.That(() => new KdLoss(1).WithWarmup(3).WithTargets(TeacherTargets.TopK(2)), Throws.InvalidOperationException.With.Message.Contains("a loss with a warm-up"));
        foreach (var loss in new DistillationLoss[] { new LogitMatchingLoss(), new StandardizedLogitsLoss(new KdLoss(2)), new RkdLoss(), new CrossEntropyLoss(), new HintLoss((0, 0)) })
            Assert.That(() => loss.WithTargets(TeacherTargets.Full()), Throws.InvalidOperationException.With.Message.StartsWith($"The loss '{loss.Name}' cannot be given targets"));
    });

    [Test]
    public void Settings_out_of_range_are_refused() => Assert.Multiple(() =>
    {
        Assert.That(() => TeacherTargets.TopK(0), Throws.InstanceOf<ArgumentOutOfRangeException>());
        Assert.That(() => TeacherTargets.Smoothed(1), Throws.InstanceOf<ArgumentOutOfRangeException>().With.Message.StartsWith("The share must be above 0 and below 1. It was 1."));
        Assert.That(() => TeacherTargets.ClassSimilarity(Similarities, 0), Throws.InstanceOf<ArgumentOutOfRangeException>().With.Message.StartsWith("The temperature must be above 0."));
        Assert.That(() => TeacherTargets.ClassSimilarity(new double[2, 3]), Throws.ArgumentException.With.Message.Contains("found 2×3"));
        Assert.That(() => TeacherTargets.ClassSimilarity(new[,] { { double.NaN } }), Throws.ArgumentException.With.Message.Contains("A similarity is NaN or infinite"));
        Assert.That(() => TeacherTargets.ClassSimilarity(new[,] { { 1e308, 0 }, { 0, 1 } }, 0.1), Throws.ArgumentException.With.Message.StartsWith("Similarities divided by the temperature 0.1 overflow: they are 0 to 1E+308."));
        Assert.That(() => TeacherTargets.ClassSimilarity(new[,] { { 1.0, 0 }, { 0, 1 } }, 1e-40), Throws.ArgumentException.With.Message.Contains("overflow"));
        Assert.That(() => TeacherTargets.ClassSimilarity(new[,] { { 1.0, 0 }, { 0, 1 } }, 1, ["a", "a"]), Throws.ArgumentException.With.Message.StartsWith("The class names must be 2 different ones"));
        Assert.That(() => TeacherTargets.ClassSimilarity(Similarities).LogProbabilities(zeros(2, 3), LossProbe.Labels(0, 1)), Throws.InvalidOperationException.With.Message.StartsWith("The similarities are of 4 classes, and there are 3."));
        Assert.That(() => TeacherTargets.TrueClass().LogProbabilities(zeros(2, 3), LossProbe.Labels(0, -100)), Throws.ArgumentException.With.Message.StartsWith("A row has no label"));
    });
}
