using MlNetDistill.Data;

namespace MlNetDistill.Training;

/// <summary>How a step is computed: here forward pass, backward pass and update meet, whatever their precision and number of devices.</summary>
internal interface ITrainingExecution
{
    /// <summary>One step, in the current dispose scope: the student's weights follow the gradient of the stage's loss on a batch.</summary>
    /// <param name="run">The stage at work.</param>
    /// <param name="batch">The rows.</param>
    /// <param name="learningRate">The learning rate of the step.</param>
    /// <param name="momentum">The momentum that the schedule sets; null for the optimizer's own.</param>
    void Step(StageRun run, Batch batch, double learningRate, double? momentum);
}
