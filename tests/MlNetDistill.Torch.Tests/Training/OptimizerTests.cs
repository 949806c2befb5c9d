using MlNetDistill.Core;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Training;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

/// <summary>Steps of a linear model on two rows, against the same steps worked out in plain arithmetic.</summary>
public sealed class OptimizerTests
{
    private const double Rate = 0.1;
    private static readonly double[][] X = [[1, -2], [0.5, 3]];
    private static readonly int[] Y = [0, 1];

    [TestCase(0, false, 0)]
    [TestCase(0, false, 0.01)]
    [TestCase(0.9, false, 0)]
    [TestCase(0.9, true, 0.01)]
    public void SGD_takes_the_steps_of_its_equations(double momentum, bool nesterov, double decay)
    {
        var (start, end) = Trained(Optimizer.Sgd(Rate, momentum, nesterov, decay), LearningRateSchedule.Constant(), steps: 3);
        var (w, buffer) = ((double[])start.Clone(), new double[start.Length]);
        for (var step = 0; step < 3; step++)
        {
            var g = Gradient(w).Select((value, i) => value + (decay * w[i])).ToArray();
            for (var i = 0; i < w.Length; i++)
            {
                buffer[i] = (momentum * buffer[i]) + g[i];
                w[i] -= Rate * (nesterov ? g[i] + (momentum * buffer[i]) : buffer[i]);
            }
        }

        Near.Array(end, w, 1e-5, 0, "weights");
    }

    [Test]
    public void AdamW_takes_the_steps_of_its_equations()
    {
        const double Decay = 0.1;
        var (start, end) = Trained(Optimizer.AdamW(Rate, Decay), LearningRateSchedule.Constant(), steps: 3);
        var (w, m, v) = ((double[])start.Clone(), new double[start.Length], new double[start.Length]);
        for (var step = 1; step <= 3; step++)
        {
            var g = Gradient(w);
            for (var i = 0; i < w.Length; i++)
            {
                m[i] = (0.9 * m[i]) + (0.1 * g[i]);
                v[i] = (0.999 * v[i]) + (0.001 * g[i] * g[i]);
                w[i] -= Rate * Decay * w[i];
                w[i] -= Rate * m[i] / (1 - Math.Pow(0.9, step)) / (Math.Sqrt(v[i] / (1 - Math.Pow(0.999, step))) + 1e-8);
            }
        }

        Near.Array(end, w, 1e-5, 0, "weights");
    }

    [Test]
    public void The_schedule_moves_the_rate_and_the_momentum_of_every_step()
    {
        var schedule = LearningRateSchedule.OneCycle(0.5, 10, 100, 0.5, 0.9);
        var (start, end) = Trained(Optimizer.Sgd(Rate, 0.9, nesterov: false, weightDecay: 0), schedule, steps: 4);
        var (w, buffer) = ((double[])start.Clone(), new double[start.Length]);
        for (var step = 0; step < 4; step++)
        {
            var g = Gradient(w);
            for (var i = 0; i < w.Length; i++)
            {
                // PyTorch's first step takes the gradient as its momentum.
                buffer[i] = step == 0 ? g[i] : (schedule.MomentumAt(step, 4)!.Value * buffer[i]) + g[i];
                w[i] -= Rate * schedule.FactorAt(step, 4, 1) * buffer[i];
            }
        }

        Near.Array(end, w, 1e-5, 0, "weights");
    }

    [Test]
    public void One_cycle_moves_the_first_beta_of_AdamW()
    {
        const double Decay = 0.1;
        var schedule = LearningRateSchedule.OneCycle(0.5, 10, 100, 0.5, 0.9);
        var (start, end) = Trained(Optimizer.AdamW(Rate, Decay), schedule, steps: 4);
        var (w, m, v) = ((double[])start.Clone(), new double[start.Length], new double[start.Length]);
        for (var step = 0; step < 4; step++)
        {
            var g = Gradient(w);
            var (rate, beta) = (Rate * schedule.FactorAt(step, 4, 1), schedule.MomentumAt(step, 4)!.Value);
            for (var i = 0; i < w.Length; i++)
            {
                m[i] = (beta * m[i]) + ((1 - beta) * g[i]);
                v[i] = (0.999 * v[i]) + (0.001 * g[i] * g[i]);
                w[i] -= rate * Decay * w[i];
                w[i] -= rate * m[i] / (1 - Math.Pow(beta, step + 1)) / (Math.Sqrt(v[i] / (1 - Math.Pow(0.999, step + 1))) + 1e-8);
            }
        }

        Near.Array(end, w, 1e-5, 0, "weights");
    }

    [TestCase(0.01)]
    [TestCase(0.1)]
    public void Gradient_clipping_bounds_the_step(double norm)
    {
        var (start, end) = Trained(Optimizer.Sgd(1, 0, false, 0), LearningRateSchedule.Constant(), 1, new LoopSettings { GradientClipping = norm });
        var gradient = Gradient(start);
        var length = Math.Sqrt(gradient.Sum(g => g * g));
        Assert.That(length, Is.GreaterThan(norm), "there is something to clip");
        Near.Array([.. start.Zip(end, (a, b) => a - b)], [.. gradient.Select(g => g * norm / length)], 1e-3, 0, "step");
    }

    [Test]
    public void A_gradient_below_the_bound_is_left_alone()
    {
        var free = Trained(Optimizer.Sgd(1, 0, false, 0), LearningRateSchedule.Constant(), 1);
        var bounded = Trained(Optimizer.Sgd(1, 0, false, 0), LearningRateSchedule.Constant(), 1, new LoopSettings { GradientClipping = 1000 });
        Assert.That(bounded.End, Is.EqualTo(free.End));
    }

    private static (double[] Start, double[] End) Trained(
        Optimizer optimizer, LearningRateSchedule schedule, int steps, LoopSettings? settings = null)
    {
        using var set = Toy.Set(
            tensor(X.SelectMany(row => row.Select(v => (float)v)).ToArray()).reshape(2, 2), [.. Y.Select(y => (long)y)], InputShape.Vector(2), 2);
        using var network = Runs.Student(NetworkSpec.Mlp(), set);
        var start = Runs.State(network);
        Runs.Train(network, set, Runs.Stage(steps, batchSize: 2, optimizer: optimizer, schedule: schedule), settings: settings);
        return (start, Runs.State(network));
    }

    /// <summary>Of mean cross-entropy towards weights (2×2, by row) and biases: (p - y) xᵀ / B.</summary>
    private static double[] Gradient(double[] w)
    {
        var gradient = new double[6];
        for (var row = 0; row < 2; row++)
        {
            var z = new[] { (w[0] * X[row][0]) + (w[1] * X[row][1]) + w[4], (w[2] * X[row][0]) + (w[3] * X[row][1]) + w[5] };
            var sum = Math.Exp(z[0]) + Math.Exp(z[1]);
            for (var c = 0; c < 2; c++)
            {
                var error = ((Math.Exp(z[c]) / sum) - (Y[row] == c ? 1 : 0)) / 2;
                gradient[2 * c] += error * X[row][0];
                gradient[(2 * c) + 1] += error * X[row][1];
                gradient[4 + c] += error;
            }
        }

        return gradient;
    }
}
