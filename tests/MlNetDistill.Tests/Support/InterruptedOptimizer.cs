using MlNetDistill.Methods;
using TorchSharp;

namespace MlNetDistill.Tests.Support;

/// <summary>SGD with momentum that throws in a step of a training, as a process that is killed there would stop.</summary>
internal sealed record InterruptedOptimizer(double LearningRate) : Optimizer(LearningRate)
{
    [ThreadStatic]
    private static int _steps;

    [ThreadStatic]
    private static int? _last;

    [ThreadStatic]
    private static (int Step, Action Do)? _event;

    /// <summary>Runs a training, and returns the number of its steps.</summary>
    /// <param name="last">The step after which it throws an <see cref="InterruptedException"/> in place of the next; null to train to the end.</param>
    /// <param name="training">The training.</param>
    /// <param name="during">What is done in a step, counted from 0; null for nothing.</param>
    public static int Run(int? last, Action training, (int Step, Action Do)? during = null)
    {
        (_steps, _last, _event) = (0, last, during);
        try
        {
            training();
        }
        finally
        {
            (_last, _event) = (null, null);
        }

        return _steps;
    }

    protected override void Update(OptimizerStep step)
    {
        if (_steps == _last)
            throw new InterruptedException();
        if (_steps == _event?.Step)
            _event.Value.Do();
        _steps++;
        using var momentum = 0.9f.ToScalar();
        using var down = ((float)-step.LearningRate).ToScalar();
        foreach (var (parameter, gradient) in step.Gradients())
        {
            var velocity = parameter.Tensor("velocity");
            parameter.Value.add_(velocity.mul_(momentum).add_(gradient), down);
        }
    }
}

/// <summary>Stops a training at a step.</summary>
internal sealed class InterruptedException : Exception;
