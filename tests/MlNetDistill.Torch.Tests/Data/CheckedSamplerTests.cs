using MlNetDistill.Core;
using MlNetDistill.Data;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

/// <summary>What an application's sampler may do, and what is said of each mistake.</summary>
public sealed class CheckedSamplerTests
{
    private InMemoryRows _set = null!;
    private Tensor _training = null!;

    // Of six rows the second and the fifth are held out.
    [SetUp]
    public void CreateRows() => (_set, _training) = (Toy.Set(zeros(6, 1), [0, 1, 2, 0, 1, 2], InputShape.Vector(1), 3, [1, 1, 1, 1, 1, 1]), tensor(new long[] { 0, 2, 3, 5 }));

    [TearDown]
    public void DisposeRows()
    {
        _training.Dispose();
        _set.Dispose();
    }

    public static IEnumerable<TestCaseData> WrongBatches()
    {
        yield return Case(() => null, "a batch that is null");
        yield return Case(Disposed, "a batch that is disposed");
        yield return Case(() => tensor(new[] { 0, 2 }), "Int32 [2] as a batch");
        yield return Case(() => tensor(new[] { 0.0 }), "Float64 [1] as a batch");
        yield return Case(() => tensor(new long[,] { { 0, 2, 3 }, { 0, 2, 3 } }), "Int64 [2, 3] as a batch");
        yield return Case(() => tensor(0L), "Int64 [] as a batch");
        yield return Case(() => tensor(Array.Empty<long>()), "Int64 [0] as a batch");
        yield return Case(() => tensor(new long[] { 0, -1, 2 }), "the position -1, and there are 6 rows");
        yield return Case(() => tensor(new long[] { 6, 0 }), "the position 6, and there are 6 rows");
        yield return Case(() => tensor(new long[] { 5, 4, 0 }), "the position 4, whose row is held out");

        static TestCaseData Case(Func<Tensor?> batch, string found) => new TestCaseData(batch, found).SetArgDisplayNames(found);

        static Tensor Disposed()
        {
            var batch = tensor(new long[] { 0 });
            batch.Dispose();
            return batch;
        }
    }

    [TestCaseSource(nameof(WrongBatches))]
    public void A_wrong_batch_is_named(Func<Tensor?> batch, string found) => Assert.That(
        () => Draw(Wrap(new Own(_ => [batch()]))),
        Throws.InvalidOperationException.With.Message.StartsWith($"The sampler Own of stage 'first' gave {found} in epoch 1. A batch must be a vector of 64-bit integers"));

    [Test]
    public void Null_instead_of_batches_is_named() => Assert.That(
        () => Draw(Wrap(new Own(_ => null))), Throws.InvalidOperationException.With.Message.StartsWith("The sampler Own of stage 'first' gave null instead of batches in epoch 1."));

    [Test]
    public void Right_batches_pass_as_they_are()
    {
        var sampler = Wrap(new Own(_ => [tensor(new long[] { 5, 0, 5 }), tensor(new long[] { 3 })], batches: 2));
        Assert.That(sampler.BatchesPerEpoch(4), Is.EqualTo(2));
        Assert.That(Draw(sampler), Is.EqualTo(new[] { new long[] { 5, 0, 5 }, [3] }));
    }

    [TestCase(1)]
    [TestCase(3)]
    public void Another_number_of_batches_than_its_BatchesPerEpoch_is_named(int given) => Assert.That(
        () => Draw(Wrap(new Own(_ => Enumerable.Range(0, given).Select(_ => tensor(new long[] { 0 })), batches: 2))),
        Throws.InvalidOperationException.With.Message.StartsWith($"The sampler Own of stage 'first' gave {given} batches in epoch 1, but its BatchesPerEpoch is 2"));

    [Test]
    public void An_epoch_without_a_batch_is_left_to_the_training_which_says_more() =>
        Assert.That(Draw(Wrap(new Own(_ => [], batches: 2))), Is.Empty);

    [Test]
    public void Epochs_are_counted_from_Prepare_on()
    {
        using var generator = new Generator(1);
        var epochs = 0;
        var sampler = Wrap(new Own(_ => [tensor(new[] { ++epochs % 3 == 0 ? 1L : 0L })]));
        _ = Draw(sampler);
        _ = Draw(sampler);
        Assert.That(() => Draw(sampler), Throws.InvalidOperationException.With.Message.Contains("in epoch 3"));
        sampler.Prepare(new SamplerSource(_set, _training, generator));
        _ = Draw(sampler);
        _ = Draw(sampler);
        Assert.That(() => Draw(sampler), Throws.InvalidOperationException.With.Message.Contains("in epoch 3"));
    }

    [Test]
    public void What_it_writes_into_its_positions_changes_no_others()
    {
        using var generator = new Generator(1);
        var sampler = Wrap(new Own(Zeroed, source => source.Training.zero_()));
        sampler.Prepare(new SamplerSource(_set, _training, generator));
        Assert.That(Draw(sampler), Is.EqualTo(new[] { new long[] { 0, 0, 0, 0 } }));
        Assert.That(_training.data<long>(), Is.EqualTo(new long[] { 0, 2, 3, 5 }));

        static IEnumerable<Tensor?> Zeroed(Tensor training)
        {
            training.zero_();
            yield return training.clone();
        }
    }

    [Test]
    public void It_must_not_write_into_labels_when_it_is_prepared()
    {
        using var generator = new Generator(1);
        var sampler = Wrap(new Own(_ => [], source => source.Set.Labels.zero_()));
        Assert.That(
            () => sampler.Prepare(new SamplerSource(_set, _training, generator)),
            Throws.InvalidOperationException.With.Message.StartsWith("The sampler Own of stage 'first' wrote into the labels of the rows"));
    }

    [Test]
    public void It_must_not_write_into_weights_before_its_first_batch()
    {
        Assert.That(
            () => Draw(Wrap(new Own(_ => Written()))),
            Throws.InvalidOperationException.With.Message.StartsWith("The sampler Own of stage 'first' wrote into the weights of the rows"));

        IEnumerable<Tensor> Written()
        {
            _set.Weights!.zero_();
            yield return tensor(new long[] { 0 });
        }
    }

    [Test]
    public void Labels_that_others_write_between_two_batches_are_not_its_fault()
    {
        using var generator = new Generator(1);
        foreach (var _ in Wrap(new Own(_ => [tensor(new long[] { 0 }), tensor(new long[] { 2 })], batches: 2)).Epoch(_training, generator))
            _set.Labels.zero_();
    }

    [Test]
    public void Samplers_of_the_library_are_not_checked()
    {
        var sampler = new ShuffledSampler(2);
        Assert.That(CheckedSampler.Wrap(sampler, "first", _set), Is.SameAs(sampler));
    }

    private Sampler Wrap(Own sampler) => CheckedSampler.Wrap(sampler, "first", _set);

    private long[][] Draw(Sampler sampler)
    {
        using var generator = new Generator(1);
        return [.. sampler.Epoch(_training, generator).Select(batch => batch.data<long>().ToArray())];
    }

    private sealed class Own(Func<Tensor, IEnumerable<Tensor?>?> epoch, Action<SamplerSource>? prepared = null, int batches = 1) : Sampler
    {
        public override void Prepare(SamplerSource source) => prepared?.Invoke(source);

        public override int BatchesPerEpoch(long rows) => batches;

        public override IEnumerable<Tensor> Epoch(Tensor training, Generator generator) => epoch(training)!;
    }
}
