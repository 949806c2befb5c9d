using MlNetDistill.Data;
using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace MlNetDistill.Training;

/// <summary>Computes steps in 32-bit floats on the device of the rows.</summary>
/// <param name="gradientClipping">The largest norm of the gradient; null for no limit.</param>
internal sealed class Float32Execution(double? gradientClipping) : ITrainingExecution
{
    public void Step(StageRun run, Batch batch)
    {
        // A callback for progress may have turned gradients off.
        using var gradients = enable_grad();
        var needs = run.Stage.Loss.StudentNeeds;
        var pass = run.Stage.Trains == NetworkPart.Whole ? run.Student.TryBeginPass(batch.Features, needs) : null;
        var output = pass?.Output ?? run.Student.Forward(batch.Features, needs, run.Stage.Trains.ThroughTap);
        foreach (var parameter in run.Parameters)
            parameter.grad = null;
        run.Losses.Backward(run.CreateInputs(batch, output), run.State.Epoch);
        pass?.Backward();
        run.Observer.GradientsComputed(run);
        if (gradientClipping is { } norm)
            nn.utils.clip_grad_norm_(run.Parameters, norm);
        run.Observer.GradientsClipped(run);
        run.Stage.Optimizer.Step(run.State.Optimizer!, run.LearningRate, run.Momentum);
    }
}
