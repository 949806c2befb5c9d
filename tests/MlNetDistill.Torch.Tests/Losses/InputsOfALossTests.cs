using MlNetDistill.Losses;
using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

/// <summary>What a loss is given in a step: what is shared between terms, what is asked for, and what is missing.</summary>
public sealed class InputsOfALossTests
{
    private IDisposable _scope = null!;

    [SetUp]
    public void OpenScope() => _scope = NewDisposeScope();

    [TearDown]
    public void CloseScope() => _scope.Dispose();

    [Test]
    public void An_input_that_was_disposed_is_named() => Assert.Multiple(() =>
    {
        var soft = full(2, 3, 0.25);
        foreach (var (name, choose) in new (string, Func<LossInputs, Tensor>)[]
        {
            ("outputs of the student", inputs => inputs.Student.Logits),
            ("outputs of the teacher", inputs => inputs.Teacher.Logits),
            ("labels or weights", inputs => inputs.Labels),
            ("labels or weights", inputs => inputs.Weights!),
            ("labels or weights", inputs => inputs.SoftLabels!),
            ("labels or weights", inputs => inputs.LabelMask()),
            ("log-probabilities", inputs => inputs.StudentLogProbabilities(2)),
            ("log-probabilities", inputs => inputs.TeacherLogProbabilities(2)),
        })
        {
            var inputs = new LossInputs(Logits(1), Logits(2), LossProbe.Labels(0, 1), ones(2)) { SoftLabels = soft.clone() };
            var chosen = choose(inputs);
            Assert.That(inputs.DisposedInputs, Is.Null);
            chosen.Dispose();
            Assert.That(inputs.DisposedInputs, Is.EqualTo(name));
        }
    });

    [Test]
    public void Inputs_without_a_teacher_are_as_whole_as_any()
    {
        var inputs = new LossInputs(Logits(1), null, LossProbe.Labels(0, 1));
        Assert.That(inputs.DisposedInputs, Is.Null);
        Assert.That(inputs.Copies(withTeacher: false).Select(copy => copy.What), Is.EqualTo(new[] { "outputs of the student", "labels or weights" }));
        Assert.That(() => inputs.Copies(withTeacher: true), Throws.InvalidOperationException.With.Message.Contains("needs a teacher"));
    }

    [Test]
    public void Copies_ask_the_teacher_only_where_it_is_wanted()
    {
        var asked = 0;
        LossInputs Ask() => new(Logits(1), null, LossProbe.Labels(0, 1))
        {
            QueryTeacher = () =>
            {
                asked++;
                return Logits(2);
            },
        };
        Assert.That(Ask().Copies(withTeacher: false), Has.Count.EqualTo(2));
        Assert.That(asked, Is.Zero);
        var copies = Ask().Copies(withTeacher: true);
        Assert.That(asked, Is.EqualTo(1));
        Assert.That(copies.Select(copy => copy.What), Is.EqualTo(new[] { "outputs of the student", "outputs of the teacher", "labels or weights" }));
        copies[0].Given.zero_();
        Assert.That(Near.Values(copies[0].Copy), Is.EqualTo(Near.Values(LossProbe.Logits(2, 3, 1))), "what is written later is not in a copy");
    }

    [Test]
    public void What_a_term_computes_outlives_its_scope_and_is_computed_once()
    {
        var asked = 0;
        var inputs = new LossInputs(Logits(1), null, LossProbe.Labels(0, -100), hasMissingLabels: true)
        {
            QueryTeacher = () =>
            {
                asked++;
                return Logits(2);
            },
        };
        Tensor[] Read() => [inputs.Teacher.Logits, inputs.StudentLogProbabilities(2), inputs.TeacherLogProbabilities(2), inputs.LabelMask()];
        Tensor[] first;
        using (NewDisposeScope())
            first = Read();
        Assert.That(first.Select(tensor => tensor.IsInvalid), Is.All.False);
        foreach (var (again, before) in Read().Zip(first))
            Assert.That(again, Is.SameAs(before));
        Assert.That(asked, Is.EqualTo(1));
        Assert.That(Near.Values(inputs.LabelMask()), Is.EqualTo(new double[] { 1, 0 }));
    }

    [Test]
    public void The_mean_over_labelled_rows_leaves_out_the_others_and_weighs_the_rest()
    {
        var perRow = tensor(new[] { 1.0, 2, 4 });
        double Mean(Tensor labels, Tensor? weights, bool mayMiss) => new LossInputs(
            NetworkOutput.FromLogits(LossProbe.Logits(3, 3, 1)), null, labels, weights, mayMiss).MeanOverLabelled(perRow).item<double>();
        var (labelled, partly, weights) = (LossProbe.Labels(0, 2, 1), LossProbe.Labels(0, -100, 1), tensor(new[] { 1.0, 5, 3 }));
        Assert.That(Mean(labelled, null, false), Is.EqualTo(7.0 / 3).Within(1e-12));
        Assert.That(Mean(labelled, weights, false), Is.EqualTo(23.0 / 9).Within(1e-12));
        Assert.That(Mean(partly, null, true), Is.EqualTo(2.5).Within(1e-12));
        Assert.That(Mean(partly, weights, true), Is.EqualTo(13.0 / 4).Within(1e-12));
        Assert.That(Mean(LossProbe.Labels(-100, -100, -100), weights, true), Is.Zero);
    }

    [Test]
    public void A_loss_without_projections_is_named_and_told_where_to_create_them()
    {
        var (owner, stranger) = (new MimicLoss(), new CosineLoss());
        var projections = new List<nn.Module<Tensor, Tensor>>();
        LossInputs Inputs(Dictionary<DistillationLoss, IReadOnlyList<nn.Module<Tensor, Tensor>>>? given) =>
            new(Logits(1), null, LossProbe.Labels(0, 1)) { Projections = given };
        Assert.That(Inputs(new() { [owner] = projections }).ProjectionsFor(owner), Is.SameAs(projections));
        foreach (var inputs in new[] { Inputs(null), Inputs(new() { [owner] = projections }) })
        {
            Assert.That(
                () => inputs.ProjectionsFor(stranger),
                Throws.InvalidOperationException.With.Message.StartsWith($"The stage has no projections for the loss '{stranger.Name}'.").And.Message.Contains("CreateProjections"));
        }
    }

    [Test]
    public void Nothing_given_is_refused_by_name() => Assert.Multiple(() =>
    {
        var inputs = new LossInputs(Logits(1), null, LossProbe.Labels(0, 1));
        Assert.That(() => new LossInputs(null!, null, LossProbe.Labels(0)), Throws.ArgumentNullException.With.Property("ParamName").EqualTo("student"));
        Assert.That(() => new LossInputs(Logits(1), null, null!), Throws.ArgumentNullException.With.Property("ParamName").EqualTo("labels"));
        Assert.That(() => inputs.ProjectionsFor(null!), Throws.ArgumentNullException.With.Property("ParamName").EqualTo("loss"));
        Assert.That(() => inputs.Mean(null!), Throws.ArgumentNullException.With.Property("ParamName").EqualTo("perRow"));
        Assert.That(() => inputs.MeanOverLabelled(null!), Throws.ArgumentNullException.With.Property("ParamName").EqualTo("perRow"));
        Assert.That(() => new LossInputs(Logits(1), null, LossProbe.Labels(0, -100), hasMissingLabels: true).MeanOverLabelled(null!), Throws.ArgumentNullException);
    });

    private static NetworkOutput Logits(ulong seed) => NetworkOutput.FromLogits(LossProbe.Logits(2, 3, seed));
}
