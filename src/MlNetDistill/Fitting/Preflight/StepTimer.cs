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

    // A round against a step of KD, if the teacher is yet to be trained; docs/methods/metadistil.md has the measurement.
    private const double EstimatedRound = 5;
    private readonly OutputShapes _shapes = student.GetOutputShapes();
    private readonly Dictionary<string, TimeSpan> _known = [];

    /// <summary>Time to score a row when validating.</summary>
    public TimeSpan PerScoredRow { get; private set; }

    /// <summary>Whether the outputs of the phase's teacher are computed once, and looked up in training.</summary>
    public bool IsCached(TrainingPhase phase) => phase.ReadsTeacher && options.TeacherCache.Keeps(phase.StudentStage.Loss.TeacherNeeds, view is not null);

    /// <summary>The time of a step, in the mean over the epochs. Phases that differ only in their anchor are measured once.</summary>
    public TimeSpan MeasureStep(TrainingPhase phase)
    {
        if (phase is not BilevelStage bilevel)
            return MeasureStep(phase.StudentStage, null, IsCached(phase));
        var (all, still) = (bilevel.Epochs, Math.Min(bilevel.Epochs, bilevel.FixedTeacherEpochs));
        return ((MeasureStep(phase.StudentStage, null, false) * still) + (MeasureStep(phase.StudentStage, bilevel, false) * (all - still))) / all;
    }

    private TimeSpan MeasureStep(Stage stage, BilevelStage? bilevel, bool isCached)
    {
        var kind = $"{bilevel is null} {isCached} {string.Join('+', stage.Loss.Terms.Select(t => t.Loss.Name))} {stage.Trains} {stage.Teacher?.Shapes.Available} {string.Join(',', stage.Teacher?.Shapes.StageFeatures.Select(f => string.Join('x', f)) ?? [])}";
        if (!_known.TryGetValue(kind, out var time))
            _known[kind] = time = bilevel is not null && !teacherIsReady ? Measure(stage, null, isCached) * EstimatedRound : Measure(stage, bilevel, isCached);
        return time;
    }

    private TimeSpan Measure(Stage stage, BilevelStage? bilevel, bool isCached)
    {
        using var scope = NewDisposeScope();
        using var generator = seeds.CreateGenerator("rehearsal projections");
        var positions = split.Training.index_select(0, SpreadPositions.Create(split.Training.shape[0], options.BatchSize, split.Training.device));
        Batch Rows() => view is null ? Batch.Gather(set, positions) : view(positions, 1);
        if (bilevel is null && stage.Teacher is { } teacher)
            stage = stage with { Teacher = teacherIsReady && !isCached ? teacher : CreateStandIn(teacher.Shapes, Rows()) };
        using var run = StageRun.Begin(
            stage, bilevel, options.GradientClipping, student, _shapes, set, split.Training.shape[0], generator, new StageState { Name = stage.Name }, new ObserverList());
        var execution = new TrainingExecution(options.GradientClipping, options.Precision);
        run.BeginEpoch();
        var times = new List<TimeSpan>();
        for (var step = 0; step <= Steps; step++)
        {
            var clock = Stopwatch.StartNew();
            using (NewDisposeScope())
                UpdateTeacher(run, bilevel, Rows());
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

    /// <summary>A round's update of the teacher, before each step: with several batches in a round the time is at most this.</summary>
    private void UpdateTeacher(StageRun run, BilevelStage? stage, Batch batch)
    {
        if (stage is null)
            return;
        var quiz = split.Training.shape[0] - QuizRows.CountTrained(stage, set, split.Training);
        var batches = QuizRows.CountBatches(quiz, options.BatchSize);
        run.Bilevel!.UpdateTeacher([batch], [.. Enumerable.Repeat(batch, (int)Math.Min(stage.QuizBatches ?? batches, batches))]);
    }

    /// <summary>Random outputs, which cost as much as outputs from the cache.</summary>
    private StandInTeacher CreateStandIn(OutputShapes shapes, Batch batch)
    {
        using var generator = seeds.CreateGenerator("rehearsal answers");
        var rows = batch.Positions.shape[0];
        Tensor CreateRandom(params long[] shape) => randn([rows, .. shape], float32, CPU, generator: generator).to(batch.Features.device);
        return new StandInTeacher(shapes, new NetworkOutput(
            CreateRandom(shapes.LogitCount),
            // Not negative, as after a rectifier: a loss may not accept signed features.
            shapes.EmbeddingLength is { } length ? CreateRandom(length).abs() : null,
            shapes.StageFeatures.Count == 0 ? null : [.. shapes.StageFeatures.Select(shape => CreateRandom(shape).abs())]));
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
