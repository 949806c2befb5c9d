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

    /// <summary>Runs <paramref name="training"/>, which throws an <see cref="InterruptedException"/> in place of the step after <paramref name="last"/>, and returns the number of its steps.</summary>
    public static int Run(int? last, Action training)
    {
        (_steps, _last) = (0, last);
        try
        {
            training();
        }
        finally
        {
            _last = null;
        }

        return _steps;
    }

    protected override void Update(OptimizerStep step)
    {
        if (_steps == _last)
            throw new InterruptedException();
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
