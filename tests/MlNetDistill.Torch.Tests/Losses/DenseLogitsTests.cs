using MlNetDistill.Losses;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

public sealed class DenseLogitsTests
{
    private static readonly DistillationLoss[] Losses =
    [
        new KdLoss(4), new DistLoss(1), new TtmLoss(), new WttmLoss(), new LogitMatchingLoss(), new CrossEntropyLoss(), new DkdLoss(4), new NkdLoss(), new RldLoss(),
    ];

    private IDisposable _scope = null!;

    [SetUp]
    public void OpenScope() => _scope = NewDisposeScope();

    [TearDown]
    public void CloseScope() => _scope.Dispose();

    [Test]
    public void A_loss_of_pixels_is_the_loss_of_the_rows_that_one_writes_by_hand()
    {
        var (student, teacher) = (LossProbe.Maps(2, 3, 2, 4, 1), LossProbe.Maps(2, 3, 2, 4, 2));
        var labels = tensor(Enumerable.Range(0, 16).Select(i => i % 5 == 4 ? 255L : i % 3).ToArray()).reshape(2, 2, 4);
        var byHand = tensor(Near.Values(labels.to(float64)).Select(label => label == 255 ? -100L : (long)label).ToArray());
        foreach (var loss in Losses)
        {
            var leaf = student.clone().requires_grad_(true);
            var value = loss.Evaluate(DenseLogits.ToRows(leaf, teacher, labels, ignoreLabel: 255));
            value.backward();
            var expected = LossProbe.Evaluate(loss, Rows(student), Rows(teacher), byHand, null, mayMissLabels: true);
            Near.Value(value.item<double>(), expected.Value, 1e-12, 0, loss.Name);
            Near.Array(Near.Values(Rows(leaf.grad!)), expected.Gradient, 1e-12, 1e-16, loss.Name);
        }
    }

    [Test]
    public void Ignored_pixels_are_taught_by_the_teacher_and_not_by_a_label()
    {
        var (student, teacher, ignored) = (LossProbe.Maps(1, 3, 2, 2, 3), LossProbe.Maps(1, 3, 2, 2, 4), full(1, 2, 2, 255L));
        Assert.That(new CrossEntropyLoss().Evaluate(DenseLogits.ToRows(student, teacher, ignored, 255)).item<double>(), Is.Zero);
        Near.Value(
            new DistLoss(1).Evaluate(DenseLogits.ToRows(student, teacher, ignored, 255)).item<double>(),
            new DistLoss(1).Evaluate(DenseLogits.ToRows(student, teacher)).item<double>(), 1e-12, 0, "DIST");
    }

    [Test]
    public void Without_labels_a_term_that_reads_them_says_so()
    {
        var inputs = DenseLogits.ToRows(LossProbe.Maps(1, 3, 2, 2, 5), LossProbe.Maps(1, 3, 2, 2, 6));
        Assert.That(new KdLoss(1).Evaluate(inputs).item<double>(), Is.GreaterThan(0));
        Assert.That(() => new CrossEntropyLoss().Evaluate(inputs), Throws.InvalidOperationException.With.Message.Contains("no training row has a label"));
    }

    [Test]
    public void Shapes_and_labels_that_do_not_fit_are_refused()
    {
        var logits = LossProbe.Maps(1, 3, 2, 2, 7);
        Assert.Multiple(() =>
        {
            Assert.That(() => DenseLogits.ToRows(zeros(2, 3), null), Throws.ArgumentException.With.Message.StartsWith("The shape must be images×classes×height×width; it is 2×3."));
            Assert.That(() => DenseLogits.ToRows(logits, LossProbe.Maps(1, 3, 4, 4, 8)), Throws.ArgumentException.With.Message.Contains("interpolate the smaller map"));
            Assert.That(() => DenseLogits.ToRows(logits, null, zeros(1, 2, int64)), Throws.ArgumentException.With.Message.Contains("of the shape 1×2×2"));
            Assert.That(() => DenseLogits.ToRows(logits, null, full(1, 2, 2, 7L)), Throws.ArgumentException.With.Message.Contains("one is 7"));
            Assert.That(() => DenseLogits.ToRows(logits, null, full(1, 2, 2, 7L), checkLabels: false), Throws.Nothing);
        });
    }

    // Channels last, by indexing alone.
    private static Tensor Rows(Tensor maps)
    {
        var (images, classes, height, width) = (maps.shape[0], maps.shape[1], maps.shape[2], maps.shape[3]);
        return stack(
            from b in Enumerable.Range(0, (int)images)
            from y in Enumerable.Range(0, (int)height)
            from x in Enumerable.Range(0, (int)width)
            select stack(Enumerable.Range(0, (int)classes).Select(c => maps[b, c, y, x])));
    }
}
