using MlNetDistill.Methods;


namespace MlNetDistill.Training;

/// <summary>Counts a stage's steps and gives the optimiser the rate and momentum of each.</summary>
internal sealed class StepCounter(Stage stage, UpdateRule optimizer, int stepsPerEpoch)
{
    private readonly long _steps = (long)stage.Epochs * stepsPerEpoch;
    private long _step;

    public double LearningRate { get; private set; }

    public void Next()
    {
        LearningRate = stage.Optimizer.LearningRate * stage.Schedule.FactorAt(_step, _steps, stepsPerEpoch);
        optimizer.LearningRate = LearningRate;
        // As PyTorch's OneCycleLR: momentum where the optimiser has one, else the first of its betas.
        if (stage.Schedule.MomentumAt(_step, _steps) is { } momentum)
            optimizer.Momentum = momentum;
        _step++;
    }
}
