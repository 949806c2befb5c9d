using MlNetDistill.Core;
using MlNetDistill.Data;
using MlNetDistill.Losses;
using MlNetDistill.Networks;
using MlNetDistill.Training;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

/// <summary>A loss that states its gradient teaches what its graph would, alone or beside others.</summary>
public sealed class StatedGradientTests
{
    private IDisposable _scope = null!;

    [SetUp]
    public void OpenScope() => _scope = NewDisposeScope();

    [TearDown]
    public void CloseScope() => _scope.Dispose();

    [Test]
    public void Terms_that_state_their_gradients_and_terms_that_do_not_add_up()
    {
        var loss = (0.25 * new CrossEntropyLoss()) + (0.5 * new KdLoss(1)) + (0.125 * new KdLoss(4)) + (0.5 * new DistLoss(1));
        Compare(loss, weights: null);
    }

    [Test]
    public void Example_weights_are_left_to_the_graph()
    {
        var weights = tensor(new[] { 1f, 2, 0, 0.5f, 1 });
        var inputs = LossProbe.Inputs(LossProbe.Logits(5, 4, 1).requires_grad_(true), LossProbe.Logits(5, 4, 2), weights);
        Assert.That(new KdLoss(4).EvaluateWithGradient(inputs, 1), Is.Null);
        Compare(0.5 * new KdLoss(4), weights);
    }

    [Test]
    public void A_batch_whose_labels_are_all_there_has_the_same_gradient_whether_labels_may_be_missing_or_not([Values(5, 7, 16)] int rows, [Values(0.1, 0.9, 1)] double weight)
    {
        var student = LossProbe.Logits(rows, 4, 1, type: ScalarType.Float32).requires_grad_(true);
        double[] Gradient(bool mayMiss) => Near.Values(new CrossEntropyLoss().EvaluateWithGradient(
            new LossInputs(NetworkOutput.FromLogits(student), null, LossProbe.CyclicLabels(rows, 4), hasMissingLabels: mayMiss), weight)!.Value.Gradient);
        Assert.That(Gradient(true), Is.EqualTo(Gradient(false)));
    }

    [TestCase(0, 1, 4, 2, 3, 0)]
    [TestCase(0, IRowSource.MissingLabel, 4, IRowSource.MissingLabel, 3, 0)]
    [TestCase(IRowSource.MissingLabel, IRowSource.MissingLabel, IRowSource.MissingLabel, IRowSource.MissingLabel, IRowSource.MissingLabel, IRowSource.MissingLabel)]
    public void Cross_entropy_states_the_gradient_over_labelled_rows(params long[] given)
    {
        var (student, labels) = (LossProbe.Logits(6, 5, 1).requires_grad_(true), LossProbe.Labels(given));
        var inputs = new LossInputs(NetworkOutput.FromLogits(student), null, labels, hasMissingLabels: true);
        var stated = new CrossEntropyLoss().EvaluateWithGradient(inputs, 0.25)!.Value;
        var value = CrossEntropyLoss.Compute(student, labels);
        value.MultiplyBy(0.25).backward();
        Near.Value(stated.Value.item<double>() * stated.Scale, value.item<double>(), 1e-12, 0, "value");
        Near.Array(Near.Values(stated.Gradient), Near.Values(student.grad!), 1e-12, 1e-16, "gradient");
    }

    [TestCase(ScalarType.Float64, 1e-12)]
    [TestCase(ScalarType.Float32, 1e-5)]
    public void Cross_entropy_states_the_gradient_of_its_value(ScalarType type, double tolerance)
    {
        var student = LossProbe.Logits(6, 5, 1, type: type).requires_grad_(true);
        var labels = LossProbe.Labels(0, 1, 4, 2, 3, 0);
        var stated = new CrossEntropyLoss().EvaluateWithGradient(new LossInputs(NetworkOutput.FromLogits(student), null, labels), 0.25)!.Value;
        var value = CrossEntropyLoss.Compute(student, labels);
        value.MultiplyBy(0.25).backward();
        Near.Value(stated.Value.to(float64).item<double>() * stated.Scale, value.to(float64).item<double>(), tolerance, 0, "value");
        Near.Array(Near.Values(stated.Gradient), Near.Values(student.grad!), tolerance, 1e-16, "gradient");
    }

    [Test]
    public void A_weight_that_warms_up_weighs_the_stated_gradient_too()
    {
        var (early, _) = InTraining(new KdLoss(4).WithWarmup(4), null, epoch: 1);
        var (late, _) = InTraining(new KdLoss(4).WithWarmup(4), null, epoch: 4);
        Near.Array([.. early.Select(g => 4 * g)], late, 1e-12, 0, "gradient");
    }

    [Test]
    public void A_student_equal_to_its_teacher_learns_nothing()
    {
        var logits = LossProbe.Logits(6, 7, 5, type: ScalarType.Float32);
        var stated = new KdLoss(4).EvaluateWithGradient(LossProbe.Inputs(logits.clone().requires_grad_(true), logits), 1)!.Value;
        Assert.That(stated.Value.item<float>(), Is.Zero);
        Assert.That(Near.Values(stated.Gradient), Is.All.Zero);
    }

    [Test]
    public void Outputs_that_are_asked_for_in_a_scope_of_a_term_are_there_for_the_next()
    {
        var asked = 0;
        var inputs = new LossInputs(NetworkOutput.FromLogits(LossProbe.Logits(2, 3, 1)), null, LossProbe.Labels(0, 1))
        {
            QueryTeacher = () =>
            {
                asked++;
                return NetworkOutput.FromLogits(LossProbe.Logits(2, 3, 2));
            },
        };
        Assert.That(asked, Is.Zero, "asked before anyone reads");
        using (NewDisposeScope())
            _ = (inputs.TeacherLogProbabilities(2), inputs.StudentLogProbabilities(2), inputs.LabelMask());
        Assert.That(inputs.Teacher.Logits.IsInvalid || inputs.TeacherLogProbabilities(2).IsInvalid, Is.False);
        Assert.That(inputs.StudentLogProbabilities(2).IsInvalid || inputs.LabelMask().IsInvalid, Is.False);
        Assert.That(asked, Is.EqualTo(1));
    }

    private static void Compare(DistillationLoss loss, Tensor? weights)
    {
        var (student, teacher) = (LossProbe.Logits(5, 4, 1), LossProbe.Logits(5, 4, 2));
        var expected = LossProbe.Evaluate(loss, student, teacher, zeros(5, int64), weights);
        var (gradient, value) = InTraining(loss, weights, epoch: 1);
        Near.Value(value, expected.Value, 1e-12, 0, "loss");
        Near.Array(gradient, expected.Gradient, 1e-12, 1e-16, "gradient");
    }

    private static (double[] Gradient, double Value) InTraining(DistillationLoss loss, Tensor? weights, int epoch)
    {
        var student = LossProbe.Logits(5, 4, 1).requires_grad_(true);
        using var state = new StageState { Name = "stage" };
        using var losses = new EpochLosses(loss, [student], CPU, state);
        losses.Backward(LossProbe.Inputs(student, LossProbe.Logits(5, 4, 2), weights), epoch);
        var means = losses.TakeMeans("stage", epoch, terms => new InvalidOperationException(string.Join(", ", terms)));
        return (Near.Values(student.grad!), means.TryGetValue("total", out var total) ? total : means.Values.Single() * loss.Terms[0].WeightIn(epoch));
    }
}
