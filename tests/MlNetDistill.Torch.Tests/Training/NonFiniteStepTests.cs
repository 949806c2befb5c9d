using MlNetDistill.Networks;
using MlNetDistill.Training;

namespace MlNetDistill.Tests;

/// <summary>Steps whose loss or gradient is not finite are found at once, and attributed.</summary>
public sealed class NonFiniteStepTests
{
    // Batch 3 of epoch 2.
    private const int Bad = FaultyRun.BatchesPerEpoch + 3;

    [Test]
    public void A_loss_is_found_in_its_step_with_its_rows_and_the_student_is_as_before()
    {
        using var run = new FaultyRun { FaultAt = (step, _) => step == Bad ? Fault.Loss : null };
        var thrown = Assert.Throws<NonFiniteLossException>(() => run.Train())!;
        Check(thrown, run, "faulty");
        Assert.That(run.Rows, Has.Count.EqualTo(Bad), "no further step");
        Assert.That(Runs.State(run.Network), Is.EqualTo(run.Before[Bad - 1]));
        Assert.That(thrown.Message, Does.StartWith(
            "The loss term 'faulty' became NaN or infinite in epoch 2 of stage 'stage' (learning rate 0.05). " +
            $"It was batch 3 of the epoch, 8 rows with the ids {string.Join(", ", run.IdsOf(Bad))}. Usual causes are a learning rate"));
    }

    [Test]
    public void A_gradient_that_is_clipped_is_found_in_its_step()
    {
        using var run = new FaultyRun { FaultAt = (step, _) => step == Bad ? Fault.Gradient : null };
        Check(Assert.Throws<NonFiniteLossException>(() => run.Train(clipping: 1))!, run, "gradient");
        Assert.That(run.Rows, Has.Count.EqualTo(Bad), "no further step");
        Assert.That(Runs.State(run.Network), Is.EqualTo(run.Before[Bad - 1]));
    }

    [Test]
    public void A_gradient_that_is_too_large_for_its_norm_is_found_in_its_step()
    {
        using var run = new FaultyRun { FaultAt = (step, _) => step == Bad ? Fault.HugeGradient : null };
        Check(Assert.Throws<NonFiniteLossException>(() => run.Train(clipping: 1))!, run, "gradient");
        Assert.That(run.Rows, Has.Count.EqualTo(Bad), "no further step");
    }

    [Test]
    public void A_gradient_that_is_not_clipped_is_found_in_the_next_step_by_the_weights()
    {
        using var run = new FaultyRun { FaultAt = (step, _) => step == Bad ? Fault.Gradient : null };
        Check(Assert.Throws<NonFiniteLossException>(() => run.Train())!, run, "weights");
        Assert.That(run.Rows, Has.Count.EqualTo(Bad + 1));
    }

    [TestCase(false)]
    [TestCase(true)]
    public void A_gradient_of_the_last_batch_is_found_at_the_end_of_its_epoch(bool defers)
    {
        using var run = new FaultyRun { FaultAt = (step, _) => step == FaultyRun.BatchesPerEpoch ? Fault.Gradient : null };
        var thrown = Assert.Throws<NonFiniteLossException>(() => run.Train(defers: defers))!;
        Assert.That((thrown.Term, thrown.Epoch, thrown.Batch), Is.EqualTo(("weights", 1, FaultyRun.BatchesPerEpoch)));
        Assert.That(thrown.Rows, Is.EqualTo(run.IdsOf(FaultyRun.BatchesPerEpoch)));
        Assert.That(run.Rows, Has.Count.EqualTo(FaultyRun.BatchesPerEpoch), "no step of the next epoch");
        Assert.That(run.Reports, Is.Empty);
    }

    [Test]
    public void A_row_whose_gradient_explodes_is_among_the_rows_that_are_named()
    {
        using var run = new FaultyRun { FaultAt = (_, rows) => rows.Contains(17) ? Fault.Gradient : null };
        var thrown = Assert.Throws<NonFiniteLossException>(() => run.Train(clipping: 5))!;
        Assert.That(thrown.Rows, Does.Contain(run.Set.RowIds[17]));
        Assert.That((thrown.Term, thrown.Epoch, thrown.Batch), Is.EqualTo(("gradient", 1, run.Rows.FindIndex(rows => rows.Contains(17)) + 1)));
    }

    /// <summary>As on a GPU, where reading a loss in each step would make it wait.</summary>
    [TestCase(Bad)]
    [TestCase(1)]
    [TestCase(FaultyRun.BatchesPerEpoch)]
    public void A_loss_that_is_read_later_is_attributed_to_its_own_step(int bad)
    {
        using var run = new FaultyRun { FaultAt = (step, _) => step == bad ? Fault.Loss : null };
        var thrown = Assert.Throws<NonFiniteLossException>(() => run.Train(20, defers: true))!;
        Assert.That((thrown.Term, thrown.Epoch, thrown.Batch), Is.EqualTo(("faulty", ((bad - 1) / FaultyRun.BatchesPerEpoch) + 1, ((bad - 1) % FaultyRun.BatchesPerEpoch) + 1)));
        Assert.That(thrown.Rows, Is.EqualTo(run.IdsOf(bad)));
        Assert.That(run.Rows, Has.Count.LessThanOrEqualTo(bad + StepGuard.StepsRead));
    }

    [Test]
    public void Of_many_rows_ten_are_named_and_all_are_counted()
    {
        using var set = Toy.Clouds(rows: 96);
        using var network = Runs.Student(NetworkSpec.Mlp(4), set);
        using var cached = new GivenTeacher(TorchSharp.torch.full(96, 3, 3e38f).DetachFromDisposeScope());
        var thrown = Assert.Throws<NonFiniteLossException>(() => Runs.Train(network, set, Runs.Stage(2, new Losses.KdLoss(1e-3), cached, batchSize: 48)))!;
        Assert.That((thrown.Term, thrown.Batch, thrown.RowCount), Is.EqualTo(("kd", 1, 48)));
        Assert.That(thrown.Rows, Has.Count.EqualTo(10).And.Unique);
        Assert.That(thrown.Message, Does.Contain($"48 rows with the ids {string.Join(", ", thrown.Rows)} and 38 more. "));
    }

    private static void Check(NonFiniteLossException thrown, FaultyRun run, string term)
    {
        Assert.That((thrown.Term, thrown.Stage, thrown.Epoch, thrown.Batch, thrown.RowCount), Is.EqualTo((term, "stage", 2, 3, 8)));
        Assert.That(thrown.Rows, Is.EqualTo(run.IdsOf(Bad)));
    }
}
