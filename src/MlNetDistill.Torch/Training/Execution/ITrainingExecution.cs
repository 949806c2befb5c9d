using MlNetDistill.Data;

namespace MlNetDistill.Training;

/// <summary>How a step is computed: here forward pass, backward pass and update meet, whatever their precision and number of devices.</summary>
internal interface ITrainingExecution
{
    /// <summary>One step, in the current dispose scope: the student's weights follow the gradient of the stage's loss on a batch.</summary>
    /// <param name="run">The stage, whose step has begun.</param>
    /// <param name="batch">The rows.</param>
    void Step(StageRun run, Batch batch);
}
