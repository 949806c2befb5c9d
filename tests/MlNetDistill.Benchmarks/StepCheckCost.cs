using System.Diagnostics;
using MlNetDistill.Core;
using MlNetDistill.Data;
using MlNetDistill.Losses;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Teachers;
using MlNetDistill.Training;
using static TorchSharp.torch;

namespace MlNetDistill.Benchmarks;

/// <summary>What it costs to check each step for values that are not finite, and to measure gradients and logits: steps of a small perceptron with and without, in turns.</summary>
internal static class StepCheckCost
{
    private const int BatchSize = 128;
    private const int StepsInTurn = 50;

    public static void Run(Arguments arguments)
    {
        set_num_threads(arguments.Threads);
        Measure("cross-entropy", new CrossEntropyLoss(), arguments.Rounds);
        Measure("cross-entropy and KD", (0.1 * new CrossEntropyLoss()) + (0.9 * new KdLoss(4)), arguments.Rounds);
    }

    private static void Measure(string what, DistillationLoss loss, int rounds)
    {
        using var drawing = new Generator(1);
        using var set = new InMemoryRows(
            randn([BatchSize, 16], generator: drawing), arange(BatchSize).remainder(26), RowIds.From(Enumerable.Range(0, BatchSize).Select(i => new RowId((ulong)i, 0))), InputShape.Vector(16));
        var input = new NetworkInput(InputShape.Vector(16), false);
        using var student = NetworkSpec.Mlp(128).Build(input, 26, 1);
        using var teacher = new TrainableTeacher(NetworkSpec.Mlp(8).Build(input, 26, 2), null);
        var stage = new Stage("step", teacher, loss, new ShuffledSampler(BatchSize), int.MaxValue, Optimizer.Sgd(1e-4), LearningRateSchedule.Constant());
        using var run = new StageRun(stage, student, student.GetOutputShapes(), set, set.Count, drawing, new StageState { Name = "step" }, new ObserverList());
        run.BeginEpoch();
        var execution = new TrainingExecution(null, TrainingPrecision.Float32);
        using var scope = NewDisposeScope();
        var batch = Batch.Gather(set, arange(BatchSize));
        using StepGuard stops = new(run, new LoopSettings()), defers = new(run, new LoopSettings { DefersChecks = true }),
            skips = new(run, new LoopSettings { OnNonFinite = NonFiniteHandling.SkipBatch() });
        using var measures = new StepMeasures(true, CPU);
        (string Name, StepGuard? Guard, StepMeasures? Measures)[] kinds =
            [("nothing", null, null), ("losses", stops, null), ("losses of 16 steps together", defers, null), ("losses and gradients", skips, null), ("gradient norms and logits measured", null, measures)];
        var times = kinds.Select(_ => new List<double>()).ToArray();
        for (var round = -3; round < rounds; round++)
        {
            foreach (var kind in Enumerable.Range(0, kinds.Length).Select(i => (i + round + 3) % kinds.Length))
            {
                (run.Guard, run.Measures) = (kinds[kind].Guard, kinds[kind].Measures);
                var clock = Stopwatch.StartNew();
                for (var step = 0; step < StepsInTurn; step++)
                    Step();
                if (round >= 0)
                    times[kind].Add(clock.Elapsed.TotalMicroseconds / StepsInTurn);
            }
        }

        (run.Guard, run.Measures) = (null, null);
        var plain = Median(times[0]);
        foreach (var (kind, taken) in kinds.Zip(times).Skip(1))
        {
            Console.WriteLine(FormattableString.Invariant(
                $"{what}, {kind.Name}: {Median(taken):0.0} µs a step, without {plain:0.0} µs: {100 * Median([.. taken.Zip(times[0], (a, b) => (a / b) - 1)]):0.0} % more (median of {rounds} turns), the fastest of each {taken.Min():0.0} and {times[0].Min():0.0} µs"));
        }

        void Step()
        {
            using var inner = NewDisposeScope();
            run.BeginStep();
            execution.Step(run, batch);
        }
    }

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);
}
