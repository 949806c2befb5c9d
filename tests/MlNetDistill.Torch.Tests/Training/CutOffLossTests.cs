using MlNetDistill.Losses;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Teachers;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

/// <summary>A loss whose value does not depend on the student's parameters teaches nothing, and must not pass for one that does.</summary>
public sealed class CutOffLossTests
{
    private const string CutOff = "The loss term 'own' does not depend on the student's parameters, so nothing would be learnt from it.";

    private static IEnumerable<TestCaseData> Losses()
    {
        yield return new TestCaseData(new Own(i => i.StudentLogProbabilities(1).mean().neg().detach())).SetArgDisplayNames("detached");
        yield return new TestCaseData(new Own(i => tensor(i.Student.Logits.mean().item<float>()))).SetArgDisplayNames("computed outside of torch");
        yield return new TestCaseData(new Own(i => ones([], requires_grad: true).add(i.Student.Logits.detach().mean()))).SetArgDisplayNames("a gradient of its own");
        yield return new TestCaseData(new Own(i =>
        {
            using (no_grad())
                return i.Student.Logits.square().mean();
        })).SetArgDisplayNames("without gradients");
    }

    [TestCaseSource(nameof(Losses))]
    public void It_is_refused(DistillationLoss loss) => Assert.That(() => Train(loss), Throws.InvalidOperationException.With.Message.StartsWith(CutOff));

    [TestCaseSource(nameof(Losses))]
    public void One_term_of_a_sum_is_refused_as_well(DistillationLoss loss) => Assert.That(
        () => Train((0.1 * new CrossEntropyLoss()) + (0.9 * loss)), Throws.InvalidOperationException.With.Message.StartsWith(CutOff));

    [TestCaseSource(nameof(Losses))]
    public void A_term_of_weight_0_is_reported_and_may_be_anything(DistillationLoss loss) => Assert.That(() => Train(new CrossEntropyLoss() + (0 * loss)), Throws.Nothing);

    [Test]
    public void A_term_that_trains_its_projection_alone_is_refused()
    {
        using var set = Toy.Clouds();
        using var teacher = Runs.Student(NetworkSpec.Mlp(12), set, seed: 9);
        using var student = Runs.Student(NetworkSpec.Mlp(5), set);
        Assert.That(
            () => new MethodRun { Epochs = 1 }.Train(student, set, DistillationMethod.FromLoss("own", new CrossEntropyLoss() + new Projected()), MethodRun.Anchor(teacher)),
            Throws.InvalidOperationException.With.Message.StartsWith("The loss term 'projected' does not depend on the student's parameters"));
    }

    [Test]
    public void A_term_over_the_embedding_of_a_linear_student_is_refused()
    {
        using var set = Toy.Clouds();
        using var teacher = Runs.Student(NetworkSpec.Mlp(12), set, seed: 9);
        using var student = Runs.Student(NetworkSpec.Mlp(), set);
        Assert.That(
            () => new MethodRun { Epochs = 1 }.Train(student, set, DistillationMethod.FromLoss("own", new CrossEntropyLoss() + new RkdLoss()), MethodRun.Anchor(teacher)),
            Throws.InvalidOperationException.With.Message.Contains("does not depend on the student's parameters"));
    }

    [Test]
    public void A_term_over_a_frozen_part_is_refused()
    {
        using var set = Toy.Clouds();
        using var teacher = Runs.Student(NetworkSpec.Mlp(5, 5), set, seed: 9);
        using var student = Runs.Student(NetworkSpec.Mlp(5, 5), set);
        using var cached = new NetworkTeacher(teacher, TeacherCaching.InMemory(64));
        var stage = Runs.Stage(1, new CrossEntropyLoss() + new HintLoss((0, 0)), cached) with { Trains = new NetworkPart(0, null) };
        Assert.That(() => Runs.Train(student, set, stage), Throws.InvalidOperationException.With.Message.StartsWith("The loss term 'hint' does not depend on"));
    }

    [Test]
    public void A_batch_without_anything_to_compare_may_be_worth_0()
    {
        var batch = 0;
        Assert.That(
            () => Train(new CrossEntropyLoss() + new Own(i => batch++ % 3 == 1 ? i.Student.Logits.mean() : zeros([], requires_grad: batch % 2 == 0))), Throws.Nothing);
    }

    [Test]
    public void A_loss_that_is_0_throughout_an_epoch_is_refused() => Assert.That(
        () => Train(new Own(_ => zeros([]))), Throws.InvalidOperationException.With.Message.StartsWith("The loss of stage 'stage' was 0 in every step of epoch 1"));

    [Test]
    public void A_loss_may_read_the_parameters_of_a_block_that_it_knows()
    {
        using var set = Toy.Clouds();
        using var network = Runs.Student(NetworkSpec.Mlp(4), set);
        Assert.That(() => Runs.Train(network, set, Runs.Stage(1, new CrossEntropyLoss() + new Own(_ => network.Head.Weight.square().sum()))), Throws.Nothing);
    }

    [Test]
    public void Looking_for_the_gradient_does_not_change_the_student()
    {
        double[] Trained(DistillationLoss loss)
        {
            using var set = Toy.Clouds();
            using var network = Runs.Student(NetworkSpec.Mlp(4), set);
            Runs.Train(network, set, Runs.Stage(2, loss));
            return Runs.State(network);
        }

        // Cross-entropy itself has its gradient in closed form, which rounds otherwise.
        Near.Array(Trained(new Own(i => nn.functional.nll_loss(i.StudentLogProbabilities(1), i.Labels))), Trained(new CrossEntropyLoss()), 1e-5, 1e-6, "weights");
    }

    [Test]
    public void A_loss_that_gives_null_is_named() => Assert.That(
        () => Train(new Own(_ => null!)), Throws.InvalidOperationException.With.Message.StartsWith("The loss term 'own' must give a scalar; it gave null."));

    [Test]
    public void A_loss_that_gives_a_disposed_tensor_is_named() => Assert.That(
        () => Train(new Own(i =>
        {
            using var scope = NewDisposeScope();
            return i.Student.Logits.mean();
        })),
        Throws.InvalidOperationException.With.Message.StartsWith("The loss term 'own' gave a tensor that is disposed."));

    [Test]
    public void A_loss_that_disposes_of_what_it_read_is_named()
    {
        static Tensor Disposing(LossInputs inputs, Func<LossInputs, Tensor> read)
        {
            var value = inputs.Student.Logits.square().mean();
            read(inputs).Dispose();
            return value;
        }

        Assert.Multiple(() =>
        {
            foreach (var (read, said) in new (Func<LossInputs, Tensor>, string)[]
            {
                (i => i.Student.Logits, "outputs of the student"),
                (i => i.Labels, "labels or weights"),
                (i => i.StudentLogProbabilities(2), "log-probabilities"),
            })
            {
                Assert.That(() => Train(new Own(i => Disposing(i, read))), Throws.InvalidOperationException.With.Message.EqualTo(
                    $"The loss term 'own' disposed of {said}, which other terms and the training read too. Let Evaluate dispose only of tensors that it made itself."));
            }
        });
    }

    [TestCase(null)]
    [TestCase(" ")]
    public void A_loss_without_a_name_is_refused_by_its_type(string? name) => Assert.That(
        () => Train(new CrossEntropyLoss() + new Own(i => i.Student.Logits.mean(), name!)),
        Throws.InvalidOperationException.With.Message.EqualTo(
            "Stage 'stage': Its loss Own has no Name, under which progress and errors speak of it: let its Name give one."));

    [Test]
    public void What_libtorch_says_of_a_loss_comes_without_its_stack() => Assert.That(
        () => Train(new Own(i => i.Student.Logits.add(ones(7)).mean())),
        Throws.InvalidOperationException.With.Message.StartsWith("The loss term 'own' failed: The size of tensor a").And.Message.Not.Contains("frame #"));

    [TestCase(1e300, "infinity")]
    [TestCase(1e-300, "0")]
    public void A_weight_that_32_bit_floats_cannot_hold_is_named(double weight, string taken) => Assert.That(
        () => Train(new CrossEntropyLoss() + (weight * new Own(i => i.Student.Logits.mean()))),
        Throws.InvalidOperationException.With.Message.EqualTo(FormattableString.Invariant(
            $"The loss term 'own' has the weight {weight:G3}, which as a 32-bit float is {taken}. Weights of about 1 are usual.")));

    private static void Train(DistillationLoss loss)
    {
        using var set = Toy.Clouds();
        using var network = Runs.Student(NetworkSpec.Mlp(4), set);
        Runs.Train(network, set, Runs.Stage(1, loss));
    }

    private sealed class Own(Func<LossInputs, Tensor> evaluate, string name = "own") : DistillationLoss
    {
        public override string Name => name;

        public override ModelOutputs TeacherNeeds => ModelOutputs.None;

        public override Tensor Evaluate(LossInputs inputs) => evaluate(inputs);
    }

    private sealed class Projected : DistillationLoss
    {
        public override string Name => "projected";

        public override ModelOutputs TeacherNeeds => ModelOutputs.StageFeatures;

        public override ModelOutputs StudentNeeds => ModelOutputs.StageFeatures;

        public override IReadOnlyList<nn.Module<Tensor, Tensor>> CreateProjections(OutputShapes student, OutputShapes teacher, Generator generator) =>
            [new Linear((int)student.StageFeatures[0][0], (int)teacher.StageFeatures[0][0], generator)];

        public override Tensor Evaluate(LossInputs inputs) =>
            nn.functional.mse_loss(inputs.ProjectionsFor(this)[0].call(inputs.Student.StageFeatures[0].detach()), inputs.Teacher.StageFeatures[0]);
    }
}
