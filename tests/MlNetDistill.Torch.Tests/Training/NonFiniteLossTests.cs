using MlNetDistill.Losses;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Training;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

public sealed class NonFiniteLossTests
{
    [Test]
    public void A_loss_that_is_no_number_names_its_term_stage_and_epoch()
    {
        using var set = Toy.Clouds(rows: 32);
        using var network = Runs.Student(NetworkSpec.Mlp(8), set);
        // One step an epoch: the first has a loss yet and ruins the weights, the second has none.
        var stage = Runs.Stage(5, batchSize: 32, optimizer: Optimizer.Sgd(1e30), name: "labels only");
        var thrown = Assert.Throws<NonFiniteLossException>(() => Runs.Train(network, set, stage))!;
        Assert.That((thrown.Term, thrown.Stage, thrown.Epoch), Is.EqualTo(("crossEntropy", "labels only", 2)));
        Assert.That(thrown.Message, Does.StartWith(
            "The loss term 'crossEntropy' became NaN or infinite in epoch 2 of stage 'labels only' (learning rate 1"));
        Assert.That(thrown.Message, Does.Contain("lower Optimizer.LearningRate").And.Contain("GradientClipping"));
    }

    [Test]
    public void The_term_that_is_named_is_the_one_that_failed()
    {
        using var set = Toy.Clouds(rows: 32);
        using var network = Runs.Student(NetworkSpec.Mlp(8), set);
        using var cached = new GivenTeacher(full(32, 3, 3e38f).DetachFromDisposeScope());
        var loss = (0.5 * new CrossEntropyLoss()) + (0.5 * new KdLoss(1e-3));
        var thrown = Assert.Throws<NonFiniteLossException>(() => Runs.Train(network, set, Runs.Stage(5, loss, cached, batchSize: 32)))!;
        Assert.That((thrown.Term, thrown.Epoch), Is.EqualTo(("kd", 1)));
    }

    [Test]
    public void A_loss_whose_terms_all_weigh_nothing_is_refused()
    {
        using var set = Toy.Clouds();
        using var network = Runs.Student(NetworkSpec.Mlp(4), set);
        Assert.That(
            () => Runs.Train(network, set, Runs.Stage(1, 0 * new CrossEntropyLoss())),
            Throws.InvalidOperationException.With.Message.EqualTo("Every term of the loss has weight 0, so nothing would be learnt. Give a term a weight above 0."));
    }
}
