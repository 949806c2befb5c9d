using System.Runtime.InteropServices;
using MlNetDistill.Core;
using MlNetDistill.Data;
using MlNetDistill.Losses;
using MlNetDistill.Networks;
using MlNetDistill.Teachers;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MlNetDistill.Training;

/// <summary>
/// The gradient of the student's quiz loss in the weights of its teacher, through one or more steps of plain gradient descent of the student: for one step θ' = θ - η ∇L(θ, t),
/// with the teacher's logits t and g = ∇q(θ'), it is -η ∂/∂t (∇L(θ, t) · g), which is then passed to the teacher's weights like any gradient of its logits. The student's
/// backward pass is differentiated again; the teacher has one forward and one backward pass.
/// </summary>
/// <param name="student">The student, in training mode. Afterwards its weights, buffers and the generator of the process are as before, and it has no gradients.</param>
/// <param name="teacher">The teacher's copy. Its parameters receive the gradient.</param>
/// <param name="parameters">The parameters of the student that train.</param>
/// <param name="loss">The student's loss.</param>
/// <param name="quizLoss">The loss of the quiz.</param>
internal sealed class BilevelRound(Network student, TrainableTeacher teacher, IReadOnlyList<Parameter> parameters, DistillationLoss loss, DistillationLoss quizLoss) : IDisposable
{
    private readonly NetworkWeights _before = new(student);

    /// <summary>Called after each step of the pilot with the loss before it.</summary>
    public Action<Tensor> PilotStepped { get; init; } = _ => { };

    /// <summary>Computes the gradient of the teacher's parameters, which replaces the one they have.</summary>
    /// <param name="batches">The batches of the pilot's steps.</param>
    /// <param name="quiz">The batches of the quiz; its loss is the mean of theirs, whatever their sizes.</param>
    /// <param name="rate">The step size η.</param>
    /// <param name="epoch">The epoch, from 1, for weights that warm up.</param>
    /// <returns>The loss of the quiz, a scalar in the current dispose scope.</returns>
    public Tensor ComputeTeacherGradient(IReadOnlyList<Batch> batches, IReadOnlyList<Batch> quiz, double rate, int epoch)
    {
        using var scope = NewDisposeScope();
        using var gradients = enable_grad();
        _before.Refresh(student);
        // Those of the last step, which the step leaves.
        ClearGradients();
        var generator = random.get_rng_state();
        try
        {
            Tensor[] answers = [.. batches.Select(teacher.ComputeLogits)];
            Step[] steps = [.. batches.Zip(answers, (batch, answer) => new Step(batch, answer.detach().requires_grad_()))];
            for (var i = 0; i < steps.Length; i++)
            {
                steps[i] = steps[i] with { Start = i == 0 ? null : CopyWeights(), Generator = random.get_rng_state() };
                PilotStepped(Pilot(steps[i], rate, epoch));
            }

            var value = Quiz(quiz);
            var towards = TakeGradients();
            for (var i = steps.Length - 1; i >= 0; i--)
                towards = Return(steps[i], towards, rate, epoch, isFirst: i == 0);
            foreach (var (_, parameter) in teacher.Parameters)
                parameter.grad = null;
            autograd.backward(answers, [.. steps.Select(step => GetAnswerGradient(step, rate))], inputs: [.. teacher.Parameters.Select(p => p.Parameter)]);
            return value.MoveToOuterDisposeScope();
        }
        finally
        {
            ClearGradients();
            _before.Restore(student);
            random.set_rng_state(generator);
        }
    }

    public void Dispose() => _before.Dispose();

    private Tensor Pilot(Step step, double rate, int epoch)
    {
        using var scope = NewDisposeScope();
        var value = Evaluate(step, epoch);
        autograd.backward([value], inputs: [.. parameters]);
        using var noGrad = no_grad();
        using var down = (-rate).ToScalar();
        foreach (var parameter in parameters)
        {
            if (parameter.grad is { } gradient)
                parameter.add_(gradient, down);
            parameter.grad = null;
        }

        return value.detach().MoveToOuterDisposeScope();
    }

    private Tensor Quiz(IReadOnlyList<Batch> quiz)
    {
        using var scope = NewDisposeScope();
        // In training mode, as in the official code: batch normalizations use the statistics of the quiz batch.
        Tensor[] values = [.. quiz.Select(batch => quizLoss.Evaluate(CreateInputs(batch)))];
        var value = stack(values).mean();
        autograd.backward([value], inputs: [.. parameters]);
        return value.detach().MoveToOuterDisposeScope();
    }

    /// <summary>
    /// Differentiates ∇L(θ, t) · g at the start of a pilot step: by t, into the gradient of the step's answer, and for an earlier step also by θ, which gives the g of that
    /// step, g - η H g.
    /// </summary>
    private Tensor?[] Return(Step step, Tensor?[] towards, double rate, int epoch, bool isFirst)
    {
        if (step.Start is null)
            _before.Restore(student);
        else
            LoadWeights(step.Start);
        // The same dropout masks as in the pilot.
        random.set_rng_state(step.Generator!);
        var descent = ComputeDescent(step, epoch);
        var known = descent.Zip(towards).Where(pair => pair.First is { requires_grad: true } && pair.Second is not null).ToList();
        if (known.Count > 0)
            RunBackward(() => autograd.backward([.. known.Select(k => k.First!)], [.. known.Select(k => k.Second!)], inputs: [step.Answer, .. isFirst ? [] : parameters]));
        if (isFirst)
            return towards;
        using var noGrad = no_grad();
        return [.. TakeGradients().Zip(towards, (curvature, g) => curvature is null ? g : (g is null ? curvature.MultiplyBy(-rate) : g.sub(curvature.MultiplyBy(rate))))];
    }

    /// <summary>The gradient of the loss in the student's parameters, as part of a graph that can be differentiated.</summary>
    private Tensor?[] ComputeDescent(Step step, int epoch)
    {
        // TorchSharp does not catch native exceptions of autograd.grad, but the pilot ran the same pass before. autograd.backward with create_graph writes a warning to the console.
        var gradients = autograd.grad([Evaluate(step, epoch)], [.. parameters], create_graph: true, retain_graph: true, allow_unused: true);
        return [.. gradients.Select(gradient => gradient is null || gradient.IsInvalid ? null : gradient)];
    }

    private static void RunBackward(Action backward)
    {
        try
        {
            backward();
        }
        catch (ExternalException e)
        {
            throw new InvalidOperationException(
                "The student's backward pass cannot be differentiated again, which training its teacher needs: " + NativeErrorMessage.Summarize(e.Message) +
                " Take a student whose blocks consist of operations that can (linear layers, convolutions, normalizations, ReLU, pooling), or a method with a fixed teacher.", e);
        }
    }

    private static Tensor GetAnswerGradient(Step step, double rate)
    {
        using var noGrad = no_grad();
        return step.Answer.grad is { } gradient ? gradient.MultiplyBy(-rate) : zeros_like(step.Answer);
    }

    private Tensor Evaluate(Step step, int epoch)
    {
        var inputs = CreateInputs(step.Batch);
        return loss.Terms.Where(term => term.Weight != 0)
            .Select(term => (term.Loss.ReachesTeacher ? term.Loss.EvaluateTowardsTeacher(inputs, step.Answer)! : term.Loss.Evaluate(inputs)).MultiplyBy(term.WeightIn(epoch)))
            .Aggregate((a, b) => a.Add(b));
    }

    private LossInputs CreateInputs(Batch batch) =>
        new(NetworkOutput.FromLogits(student.forward(batch.Features).Logits), null, batch.Labels, batch.Weights, batch.Set.HasMissingLabels) { SoftLabels = batch.SoftLabels };

    private void ClearGradients()
    {
        foreach (var parameter in parameters)
            parameter.grad = null;
    }

    private Tensor?[] TakeGradients() => [.. parameters.Select(parameter =>
    {
        var gradient = parameter.grad;
        parameter.grad = null;
        return gradient;
    })];

    private Tensor[] CopyWeights()
    {
        using var noGrad = no_grad();
        return [.. parameters.Select(parameter => parameter.clone())];
    }

    private void LoadWeights(IReadOnlyList<Tensor> weights)
    {
        using var noGrad = no_grad();
        foreach (var (parameter, value) in parameters.Zip(weights))
            parameter.copy_(value);
    }

    /// <summary>A step of the pilot.</summary>
    /// <param name="Batch">Its rows.</param>
    /// <param name="Answer">The teacher's logits for them, as a constant whose gradient is computed.</param>
    private sealed record Step(Batch Batch, Tensor Answer)
    {
        /// <summary>The student's weights before it; null for those before the round.</summary>
        public IReadOnlyList<Tensor>? Start { get; init; }

        /// <summary>The state of the process-wide generator before it.</summary>
        public Tensor? Generator { get; init; }
    }
}
