using MlNetDistill.Data;
using MlNetDistill.Losses;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Training;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

/// <summary>DIST and CCKD at work on small tasks: each does its own job, and taking its term away changes the result.</summary>
public sealed class RelationMethodTests
{
    [Test]
    public void DIST_alone_without_labels_reaches_agreement_far_above_chance()
    {
        using var scope = NewDisposeScope();
        using var set = Toy.Clouds(rows: 256, classes: 4, noise: 2, shiftLabels: 1);
        using var teacher = Runs.Student(NetworkSpec.Mlp(), set, seed: 9);
        using var student = Runs.Student(NetworkSpec.Mlp(32), set);

        new MethodRun { Epochs = 60 }.Train(student, set, DistillationMethod.Dist(temperature: 1, labelWeight: 0), MethodRun.Anchor(teacher));

        Assert.That(Agreement(student, teacher, set), Is.GreaterThan(0.9), "chance is 0.25, and the labels say something else");
    }

    [TestCase(true)]
    [TestCase(false)]
    public void CCKD_brings_the_correlation_matrices_together(bool congruence)
    {
        using var scope = NewDisposeScope();
        using var set = Toy.Clouds(rows: 256, classes: 4, length: 8);
        using var teacher = Runs.Student(NetworkSpec.Mlp(24), set, seed: 9);
        using var student = Runs.Student(NetworkSpec.Mlp(16), set);
        var before = Incongruence(student, teacher, set);

        new MethodRun { Epochs = 40 }.Train(
            student, set, DistillationMethod.Cckd(alpha: 0.5, beta: congruence ? 100 : 0), MethodRun.Anchor(teacher));

        var after = Incongruence(student, teacher, set);
        if (congruence)
            Assert.That(after, Is.LessThan(0.1 * before));
        else
            Assert.That(after, Is.GreaterThan(0.1 * before), "labels and KD alone do not do that");
    }

    [TestCase(25)]
    [TestCase(0)]
    public void Graph_KD_brings_the_graphs_of_a_batch_together(double weight)
    {
        using var scope = NewDisposeScope();
        using var set = Toy.Clouds(rows: 256, classes: 4, length: 8);
        using var teacher = Runs.Student(NetworkSpec.Mlp(24), set, seed: 9);
        using var student = Runs.Student(NetworkSpec.Mlp(16), set);
        var before = GraphDistance(student, teacher, set);

        var method = weight > 0 ? DistillationMethod.GraphKd(weight: weight) : DistillationMethod.LabelsOnly();
        new MethodRun { Epochs = 40 }.Train(student, set, method, MethodRun.Anchor(teacher));

        var after = GraphDistance(student, teacher, set);
        TestContext.Out.WriteLine($"graph distance {before} -> {after}");
        if (weight > 0)
            Assert.That(after, Is.LessThan(0.1 * before));
        else
            Assert.That(after, Is.GreaterThan(0.1 * before), "labels alone do not do that");
    }

    [TestCase(1)]
    [TestCase(0)]
    public void Lipschitz_distillation_brings_the_singular_values_of_the_teacher(double weight)
    {
        using var scope = NewDisposeScope();
        using var set = Toy.Clouds(rows: 256, classes: 4, length: 8);
        using var teacher = Runs.Student(NetworkSpec.Mlp(24, 24), set, seed: 9);
        new MethodRun { Epochs = 10 }.Train(teacher, set, DistillationMethod.LabelsOnly());
        // Of the same widths, so that no connector takes the difference away.
        using var student = Runs.Student(NetworkSpec.Mlp(24, 24), set);
        var before = SigmaDistance(student, teacher, set);

        var method = weight > 0 ? DistillationMethod.Lipschitz(weight: weight, marginWeight: 0) : DistillationMethod.LabelsOnly();
        new MethodRun { Epochs = 40 }.Train(student, set, method, MethodRun.Anchor(teacher));

        var after = SigmaDistance(student, teacher, set);
        TestContext.Out.WriteLine($"weight {weight}: mean relative difference of sigma {before} -> {after}");
        if (weight > 0)
            Assert.That(after, Is.LessThan(0.1 * before));
        else
            Assert.That(after, Is.GreaterThan(0.1 * before), "labels alone do not do that");
    }

    [Test]
    public void Lipschitz_distillation_leaves_the_labels_their_say_whatever_the_scale_of_the_features()
    {
        using var set = Toy.Clouds(rows: 256, classes: 4, length: 8, scale: 30);
        using var teacher = Runs.Student(NetworkSpec.Mlp(24, 24), set, seed: 9);
        new MethodRun { Epochs = 10 }.Train(teacher, set, DistillationMethod.LabelsOnly());
        using var student = Runs.Student(NetworkSpec.Mlp(24, 24), set);
        new MethodRun { Epochs = 10 }.Train(student, set, DistillationMethod.Lipschitz(), MethodRun.Anchor(teacher));
        Assert.That(Runs.Accuracy(student, set), Is.GreaterThan(Runs.Accuracy(teacher, set) - 0.05));
    }

    [TestCaseSource(nameof(WithAndWithout))]
    public void Taking_a_methods_term_away_changes_the_student(DistillationMethod with, DistillationMethod without)
    {
        using var set = Toy.Clouds(rows: 96, noise: 1);
        using var teacher = Runs.Student(NetworkSpec.Mlp(12), set, seed: 9);
        double[] Trained(DistillationMethod method)
        {
            using var student = Runs.Student(NetworkSpec.Mlp(6), set);
            new MethodRun { Epochs = 4 }.Train(student, set, method, MethodRun.Anchor(teacher));
            return Runs.State(student);
        }

        Assert.That(Trained(with), Is.EqualTo(Trained(with)), "the same run gives the same student");
        Assert.That(Trained(with), Is.Not.EqualTo(Trained(without)));
    }

    [Test]
    public void DIST_on_two_classes_warns_once_that_the_inter_class_relation_teaches_nothing()
    {
        using var set = Toy.Clouds(rows: 48, classes: 2);
        using var teacher = Runs.Student(NetworkSpec.Mlp(4), set, seed: 9);
        using var student = Runs.Student(NetworkSpec.Mlp(4), set);
        var run = new MethodRun { Epochs = 2 };
        run.Train(student, set, DistillationMethod.Dist(), MethodRun.Anchor(teacher));
        Assert.That(run.Warnings, Has.Count.EqualTo(1).And.All.Contains("With two classes the inter-class relation of DIST has no gradient"));
    }

    private static IEnumerable<TestCaseData> WithAndWithout()
    {
        yield return new TestCaseData(DistillationMethod.Dist(), DistillationMethod.Dist(interWeight: 0)).SetArgDisplayNames("DIST inter-class");
        yield return new TestCaseData(DistillationMethod.Dist(), DistillationMethod.Dist(intraWeight: 0)).SetArgDisplayNames("DIST intra-class");
        yield return new TestCaseData(DistillationMethod.Dist(), DistillationMethod.Dist(labelWeight: 0)).SetArgDisplayNames("DIST labels");
        yield return new TestCaseData(DistillationMethod.Cckd(), DistillationMethod.Cckd(beta: 0)).SetArgDisplayNames("CCKD congruence");
        yield return new TestCaseData(DistillationMethod.Cckd(), DistillationMethod.Cckd(CorrelationKernel.Bilinear)).SetArgDisplayNames("CCKD kernel");
        yield return new TestCaseData(Lipschitz(), Lipschitz(weight: 0)).SetArgDisplayNames("Lipschitz constants");
        yield return new TestCaseData(Lipschitz(), Lipschitz(marginWeight: 0)).SetArgDisplayNames("margin features");
        yield return new TestCaseData(DistillationMethod.GraphKd(), DistillationMethod.LabelsOnly()).SetArgDisplayNames("graphs");
        yield return new TestCaseData(DistillationMethod.GraphKd(), DistillationMethod.GraphKd(power: 2)).SetArgDisplayNames("power of the graph");
        yield return new TestCaseData(DistillationMethod.GraphKd(), DistillationMethod.GraphKd(neighbours: 3)).SetArgDisplayNames("neighbours in the graph");
        yield return new TestCaseData(DistillationMethod.GraphKd(), DistillationMethod.GraphKd(edges: GraphEdges.SameClass)).SetArgDisplayNames("edges of the graph");
        yield return new TestCaseData(
            DistillationMethod.FromLoss("hint", new CrossEntropyLoss() + new HintLoss((0, 0))), DistillationMethod.LabelsOnly()).SetArgDisplayNames("hint");
    }

    private static double Incongruence(Network student, Network teacher, InMemoryRows set)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        Tensor Embedding(Network network)
        {
            network.eval();
            return network.Forward(set.AllFeatures(), ModelOutputs.Embedding).Embedding;
        }

        return CorrelationCongruenceLoss.Compute(Embedding(student), Embedding(teacher), CorrelationKernel.GaussianTaylor()).item<float>();
    }

    // The networks have one tap, so it is paired with itself.
    private static DistillationMethod Lipschitz(double weight = 1, double marginWeight = 0.001) =>
        DistillationMethod.Lipschitz([new StagePair(0, 0), new StagePair(0, 0)], weight, marginWeight);

    private static double SigmaDistance(Network student, Network teacher, InMemoryRows set)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        Tensor Sigma(Network network)
        {
            network.eval();
            var taps = network.Forward(set.AllFeatures(), ModelOutputs.StageFeatures).StageFeatures;
            return LipschitzLoss.LargestSingularValue(LipschitzLoss.TransmittingMatrix(taps[0], taps[1]));
        }

        var theirs = Sigma(teacher);
        return Sigma(student).sub(theirs).abs().mean().div(theirs.mean()).item<float>();
    }

    private static double GraphDistance(Network student, Network teacher, InMemoryRows set)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        Tensor Embedding(Network network)
        {
            network.eval();
            return network.Forward(set.AllFeatures(), ModelOutputs.Embedding).Embedding;
        }

        return GraphKdLoss.Compute(Embedding(student), Embedding(teacher)).item<float>();
    }

    private static double Agreement(Network student, Network teacher, InMemoryRows set)
    {
        var rows = arange(set.Count, int64);
        Tensor Classes(Network network) => Scoring.Logits(network, set, rows, 64).argmax(1);
        return Classes(student).eq(Classes(teacher)).to(float32).mean().item<float>();
    }
}
