using MlNetDistill.Methods;
using static TorchSharp.torch;

namespace MlNetDistill.Training;

/// <summary>Counts a stage's steps and gives the optimiser the rate and momentum of each.</summary>
internal sealed class StepCounter(Stage stage, optim.Optimizer optimizer, int stepsPerEpoch)
{
    private readonly long _steps = (long)stage.Epochs * stepsPerEpoch;
    private readonly optim.ILearningRateController[] _groups = [.. optimizer.ParamGroups];
    private long _step;

    public double LearningRate { get; private set; }

    public void Next()
    {
        LearningRate = stage.Optimizer.LearningRate * stage.Schedule.FactorAt(_step, _steps, stepsPerEpoch);
        var momentum = stage.Schedule.MomentumAt(_step, _steps);
        foreach (var group in _groups)
        {
            group.LearningRate = LearningRate;
            if (momentum is { } value)
                SetMomentum(group, value);
        }

        _step++;
    }

    // As PyTorch's OneCycleLR: momentum where the optimiser has one, else the first of its betas.
    private static void SetMomentum(optim.ILearningRateController group, double value)
    {
        if (group is optim.IMomentum withMomentum)
            withMomentum.Momentum = value;
        else if (group is optim.IBetas withBetas)
            withBetas.Betas = (value, withBetas.Betas.Item2);
    }
}
