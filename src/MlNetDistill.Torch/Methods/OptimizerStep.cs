using static TorchSharp.torch;

namespace MlNetDistill.Methods;

/// <summary>What an optimizer is given for one step.</summary>
public sealed class OptimizerStep
{
    private readonly OptimizerState _state;

    internal OptimizerStep(OptimizerState state, double learningRate, double? momentum) =>
        (_state, LearningRate, Momentum) = (state, learningRate, momentum);

    /// <summary>The number of the step, from 1.</summary>
    public long Number => _state.Steps;

    /// <summary>The learning rate of the step: the optimizer's, times the schedule's factor.</summary>
    public double LearningRate { get; }

    /// <summary>The momentum that the schedule sets for the step; null for the optimizer's own.</summary>
    public double? Momentum { get; }

    /// <summary>The parameters that have a gradient, each with its gradient, which may be changed in place.</summary>
    public IEnumerable<(ParameterState Parameter, Tensor Gradient)> Gradients()
    {
        foreach (var parameter in _state.Parameters)
        {
            if (parameter.Value.grad is { } gradient)
                yield return (parameter, gradient);
        }
    }
}
