using MlNetDistill.Data;
using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace MlNetDistill.Training;

/// <summary>Computes steps on the device of the rows. Only the student's passes are in another precision than 32-bit floats; losses and updates never are.</summary>
/// <param name="gradientClipping">The largest norm of the gradient; null for no limit.</param>
/// <param name="precision">The precision of the student's passes.</param>
internal sealed class TrainingExecution(double? gradientClipping, TrainingPrecision precision) : ITrainingExecution
{
    public void Step(StageRun run, Batch batch)
    {
        // A callback for progress may have turned gradients off.
        using var gradients = enable_grad();
        run.Guard?.BeginStep();
        var needs = run.Stage.Loss.StudentNeeds;
        // In layers wide enough for bfloat16 to pay, the calls that such a pass saves cost little, so it is in 32-bit floats alone.
        var pass = precision == TrainingPrecision.Float32 && run.Stage.Trains == NetworkPart.Whole ? run.Student.TryBeginPass(batch.Features, needs) : null;
        var output = pass?.Output ?? run.Student.Forward(batch.Features, needs, precision, run.Stage.Trains.ThroughTap);
        foreach (var parameter in run.Parameters)
            parameter.grad = null;
        if (!run.Losses.Backward(run.CreateInputs(batch, output), run.State.Epoch, run.Guard, batch))
            return;
        pass?.Backward();
        run.Observer.GradientsComputed(run);
        double? norm = gradientClipping is { } largest ? nn.utils.clip_grad_norm_(run.Parameters, largest) : null;
        if (run.Guard?.AcceptsGradients(batch, norm) == false)
            return;
        run.Observer.GradientsClipped(run);
        run.Measures?.AddLogits(needs.HasFlag(ModelOutputs.Logits) ? output.Logits : null);
        run.Measures?.AddGradient(run.Parameters, norm);
        run.Stage.Optimizer.Step(run.State.Optimizer!, run.LearningRate, run.Momentum);
        run.Guard?.StepEnds(batch);
    }
}
