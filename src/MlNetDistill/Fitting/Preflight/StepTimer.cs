using System.Diagnostics;
using MlNetDistill.Core;
using MlNetDistill.Data;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Teachers;
using MlNetDistill.Training;
using static TorchSharp.torch;

namespace MlNetDistill.Fitting;

/// <summary>Measures the time of training steps. The student's weights change. If the teacher is not ready, random outputs of the right shapes are used.</summary>
internal sealed class StepTimer(
    DistillationOptions options, IRowSource set, DataSplit split, Seeds seeds, Network student, Func<Tensor, int, Batch>? view, bool teacherIsReady)
{
    private const int Steps = 3;
    private readonly OutputShapes _shapes = student.GetOutputShapes();
    private readonly Dictionary<string, TimeSpan> _known = [];

    /// <summary>Time to score a row when validating.</summary>
    public TimeSpan PerScoredRow { get; private set; }

    /// <summary>Whether the outputs of the stage's teacher are computed once, and looked up in training.</summary>
    public bool IsCached(Stage stage) =>
        stage.Teacher is not null && options.TeacherCache.Keeps(stage.Loss.TeacherNeeds, view is not null);

    /// <summary>The time of a step. Stages that differ only in their anchor are measured once.</summary>
    public TimeSpan MeasureStep(Stage stage)
    {
        var kind = $"{string.Join('+', stage.Loss.Terms.Select(t => t.Loss.Name))} {stage.Trains} {stage.Teacher?.Shapes.Available} {string.Join(',', stage.Teacher?.Shapes.StageFeatures.Select(f => string.Join('x', f)) ?? [])}";
        if (!_known.TryGetValue(kind, out var time))
            _known[kind] = time = Measure(stage);
        return time;
    }

    private TimeSpan Measure(Stage stage)
    {
        using var scope = NewDisposeScope();
        using var generator = seeds.CreateGenerator("rehearsal projections");
        var positions = split.Training.index_select(0, SpreadPositions.Create(split.Training.shape[0], options.BatchSize, split.Training.device));
        Batch Rows() => view is null ? Batch.Gather(set, positions) : view(positions, 1);
        using var run = new StageRun(
            stage.Teacher is null ? stage : stage with { Teacher = CreateStandIn(stage, Rows()) }, student, _shapes, set, split.Training.shape[0], generator,
            new StageState { Name = stage.Name }, new ObserverList());
        var execution = new Float32Execution(options.GradientClipping);
        run.BeginEpoch();
        var times = new List<TimeSpan>();
        for (var step = 0; step <= Steps; step++)
        {
            var clock = Stopwatch.StartNew();
            run.BeginStep();
            using (NewDisposeScope())
                execution.Step(run, Rows());
            Wait();
            // The first step is a warm-up.
            if (step > 0)
                times.Add(clock.Elapsed);
        }

        student.TrainOnly(NetworkPart.Whole);
        TimeScoring(positions);
        return times.Order().ElementAt(Steps / 2);
    }

    /// <summary>Random outputs, which cost as much as outputs from the cache; the teacher itself if it computes outputs in every step.</summary>
    private StageTeacher CreateStandIn(Stage stage, Batch batch)
    {
        var teacher = stage.Teacher!;
        if (teacherIsReady && !IsCached(stage))
            return teacher;
        using var generator = seeds.CreateGenerator("rehearsal answers");
        var rows = batch.Positions.shape[0];
        Tensor CreateRandom(params long[] shape) => randn([rows, .. shape], float32, CPU, generator: generator).to(batch.Features.device);
        return new StandInTeacher(teacher.Shapes, new NetworkOutput(
            CreateRandom(teacher.Shapes.LogitCount),
            // Not negative, as after a rectifier: a loss may not accept signed features.
            teacher.Shapes.EmbeddingLength is { } length ? CreateRandom(length).abs() : null,
            teacher.Shapes.StageFeatures.Count == 0 ? null : [.. teacher.Shapes.StageFeatures.Select(shape => CreateRandom(shape).abs())]));
    }

    private void TimeScoring(Tensor positions)
    {
        using var scope = NewDisposeScope();
        var clock = Stopwatch.StartNew();
        Scoring.Logits(student, set, positions, options.BatchSize).sum().item<float>();
        PerScoredRow = clock.Elapsed / positions.shape[0];
        student.TrainOnly(NetworkPart.Whole);
    }

    // Calls return before a GPU has finished its work.
    private void Wait()
    {
        using var scope = NewDisposeScope();
        student.Head.Weight.sum().item<float>();
    }

    private sealed class StandInTeacher(OutputShapes shapes, NetworkOutput output) : StageTeacher
    {
        public override OutputShapes Shapes => shapes;

        public override bool SupportsAugmentation => true;

        public override NetworkOutput Outputs(Batch batch, ModelOutputs wanted) => output;
    }
}
