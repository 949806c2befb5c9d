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

/// <summary>What a round of MetaDistil costs against a step of KD with a teacher that is queried in each step: both in turns, on drawn rows.</summary>
internal static class RoundCost
{
    private const int BatchSize = 128;

    public static void Run(Arguments arguments)
    {
        set_num_threads(arguments.Threads);
        var picture = InputShape.Image(3, 32, 32);
        Measure("perceptrons (128 from 512-512)", NetworkSpec.Mlp(128), NetworkSpec.Mlp(512, 512), InputShape.Vector(16), 26, steps: 20, arguments.Rounds);
        Measure("residual networks (ResNet-8 from ResNet-20)", NetworkSpec.ResNet(8), NetworkSpec.ResNet(20), picture, 10, steps: 1, arguments.Rounds);
    }

    private static void Measure(string what, NetworkSpec studentSpec, NetworkSpec teacherSpec, InputShape shape, int classes, int steps, int rounds)
    {
        using var drawing = new Generator(1);
        using var set = new InMemoryRows(
            randn([BatchSize * 2, .. shape.Dimensions], generator: drawing), arange(BatchSize * 2).remainder(classes), RowIds.From(Enumerable.Range(0, BatchSize * 2).Select(i => new RowId((ulong)i, 0))), shape);
        var input = new NetworkInput(shape, false);
        using var student = studentSpec.Build(input, classes, 1);
        var teacher = new TrainableTeacher(teacherSpec.Build(input, classes, 2), null);
        var stage = new Stage(
            "round", teacher, (0.1 * new CrossEntropyLoss()) + (0.9 * new KdLoss(4)), new ShuffledSampler(BatchSize), int.MaxValue, Optimizer.Sgd(1e-3), LearningRateSchedule.Constant());
        using var run = new StageRun(stage, student, student.GetOutputShapes(), set, set.Count, drawing, new StageState { Name = "round" }, new ObserverList());
        run.Bilevel = new BilevelRun(new BilevelStage(stage, Optimizer.Sgd(1e-3), 1e-3), run, null);
        run.BeginEpoch();
        var execution = new TrainingExecution(null, TrainingPrecision.Float32);
        using var scope = NewDisposeScope();
        var (batch, quiz) = (Batch.Gather(set, arange(BatchSize)), Batch.Gather(set, arange(BatchSize, 2 * BatchSize)));
        List<double>[] times = [[], []];
        for (var round = -3; round < rounds; round++)
        {
            foreach (var kind in round % 2 == 0 ? new[] { 0, 1 } : [1, 0])
            {
                var clock = Stopwatch.StartNew();
                for (var step = 0; step < steps; step++)
                    Step(kind == 1);
                if (round >= 0)
                    times[kind].Add(clock.Elapsed.TotalMilliseconds / steps);
            }
        }

        var ratios = times[1].Zip(times[0], (r, s) => r / s).Order().ToList();
        Console.WriteLine(FormattableString.Invariant(
            $"{what}: a step of KD {Median(times[0]):0.00} ms, a round {Median(times[1]):0.00} ms, ratio {ratios[ratios.Count / 2]:0.00} ({ratios[0]:0.00} to {ratios[^1]:0.00}), {rounds} measurements in turns, {get_num_threads()} thread(s)"));

        void Step(bool isRound)
        {
            using var inner = NewDisposeScope();
            if (isRound)
                run.Bilevel!.UpdateTeacher([batch], [quiz]);
            run.BeginStep();
            execution.Step(run, batch);
        }
    }

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);
}
