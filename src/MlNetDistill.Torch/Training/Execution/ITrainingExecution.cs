using MlNetDistill.Data;

namespace MlNetDistill.Training;

/// <summary>Computes a training step: forward pass, backward pass and update. Precision and devices are up to the implementation.</summary>
internal interface ITrainingExecution
{
    /// <summary>Updates the weights of the student by the gradient of the loss of a batch. Tensors are created in the current dispose scope.</summary>
    /// <param name="run">The stage that is being trained.</param>
    /// <param name="batch">The rows.</param>
    void Step(StageRun run, Batch batch);
}
