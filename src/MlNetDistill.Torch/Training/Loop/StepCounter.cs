using MlNetDistill.Methods;

namespace MlNetDistill.Training;

/// <summary>Counts a stage's steps and gives the learning rate and the momentum of each.</summary>
internal sealed class StepCounter(Stage stage, StageState state, int stepsPerEpoch)
{
    private readonly long _steps = (long)stage.Epochs * stepsPerEpoch;

    public double LearningRate { get; private set; }

    /// <summary>The momentum that the schedule sets, as PyTorch's OneCycleLR does: of AdamW the first of its betas. Null for the optimizer's own.</summary>
    public double? Momentum { get; private set; }

    public void Next()
    {
        LearningRate = stage.Optimizer.LearningRate * stage.Schedule.FactorAt(state.Step, _steps, stepsPerEpoch);
        Momentum = stage.Schedule.CheckedMomentumAt(state.Step, _steps);
        state.Step++;
    }
}
