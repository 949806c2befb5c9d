using System.Diagnostics;
using MlNetDistill.Core;
using MlNetDistill.Data;
using MlNetDistill.Losses;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Teachers;
using static TorchSharp.torch;

namespace MlNetDistill.Training;

/// <summary>What the loop is told once for all stages.</summary>
internal sealed record LoopSettings
{
    public double? GradientClipping { get; init; }

    /// <summary>Rows scored at a time when validating: a step's worth fits where training fits.</summary>
    public int ScoringBatchSize { get; init; } = 128;

    public EarlyStopping? EarlyStopping { get; init; }

    /// <summary>The teacher's logits for the held-out rows where these have no labels to judge the student by; else null.</summary>
    public Tensor? HeldOutAnswers { get; init; }

    public CancellationBehavior OnCancellation { get; init; }

    public CancellationToken CancellationToken { get; init; }

    /// <summary>Shows rows augmented, or null to show them as they are: positions and the number of the view, a new one in every epoch.</summary>
    public Func<Tensor, int, Batch>? View { get; init; }

    public Action<TrainingProgress> Report { get; init; } = _ => { };

    /// <summary>Whether the network has learnt something before the first stage.</summary>
    public bool StartsTrained { get; init; }

    /// <summary>Told what a user should know before a stage, and of an epoch that went wrong.</summary>
    public Action<string> Warn { get; init; } = _ => { };

    /// <summary>Called after every epoch with its number, from 1.</summary>
    public Action<int> AfterEpoch { get; init; } = _ => { };
}

/// <summary>Trains phases one after another on one network; knows no method by name. The next phase starts from the best weights of the last.</summary>
/// <param name="student">The network that learns.</param>
/// <param name="set">The rows.</param>
/// <param name="split">Which of them are trained on and which are held out.</param>
/// <param name="seeds">The run's seeds.</param>
/// <param name="role">What the network is; part of what its draws are seeded with.</param>
/// <param name="settings">Settings.</param>
internal sealed class TrainingLoop(Network student, IRowSource set, DataSplit split, Seeds seeds, string role, LoopSettings settings) : IDisposable
{
    private readonly Generator _shuffling = seeds.Generator($"{role} shuffling");
    private readonly Generator _projecting = seeds.Generator($"{role} projections");
    private readonly OutputShapes _shapes = student.Shapes();
    private readonly HashSet<string> _warned = [];
    private readonly HashSet<Stage> _cautioned = [];
    private readonly BestEpoch? _bestOfAll = settings.OnCancellation == CancellationBehavior.ReturnBest ? new BestEpoch(student) : null;
    private readonly NativeHeap _heap = new();
    private readonly Stopwatch _clock = new();
    private bool _hasStepped;
    private int _view;

    /// <summary>The stage in which a cancellation ended the run early, or null.</summary>
    public string? CancelledIn { get; private set; }

    /// <summary>Whether a cancelled run ended with its best epoch; else with the weights of that moment.</summary>
    public bool RestoredBest => Cancelled && _bestOfAll?.HasOne == true;

    /// <summary>Whether a cancellation ended the run early.</summary>
    public bool Cancelled => CancelledIn is not null;

    public void Run(IEnumerable<TrainingPhase> phases)
    {
        _clock.Start();
        var any = false;
        foreach (var phase in phases)
        {
            any = true;
            switch (phase)
            {
                case Stage stage:
                    DistillationInstruments.Traced("distillation.stage", activity => Run(stage, activity));
                    break;
                default:
                    throw new InvalidOperationException($"The training loop knows no phases of the kind {phase?.GetType().Name ?? "null"}.");
            }

            if (!Cancelled)
                continue;
            // A later stage may stand below an earlier one's best when it is cut off.
            _bestOfAll?.Restore(student);
            return;
        }

        if (!any)
            throw new InvalidOperationException("The method gave no stage, so nothing was trained.");
    }

    /// <summary>The mean over the held-out rows of KL(teacher ‖ student) at temperature 1, as the student stands.</summary>
    public double HeldOutDivergence(StageTeacher teacher)
    {
        var positions = split.Validation ?? throw new InvalidOperationException("No rows are held out to measure a divergence on.");
        if (teacher.AnswersInPasses && ReferenceEquals(split.ValidationSet, set))
            teacher.Begin(set, ModelOutputs.Logits, settings.View);
        return Scoring.Divergence(student, teacher, split.ValidationSet, positions, settings.ScoringBatchSize);
    }

    public void Dispose()
    {
        _shuffling.Dispose();
        _projecting.Dispose();
        _bestOfAll?.Dispose();
    }

    private void Run(Stage stage, Activity? activity)
    {
        activity?.SetTag(DistillationInstruments.NetworkTag, role)
            .SetTag(DistillationInstruments.StageTag, stage.Name).SetTag("distillation.epochs", stage.Epochs);
        StageChecks.Check(stage, student, set, settings.View is not null);
        foreach (var caution in StageChecks.Cautions(stage, student.Classes, settings.EarlyStopping is not null).Where(_warned.Add))
            settings.Warn(caution);
        stage.Teacher?.Begin(set, stage.Loss.TeacherNeeds, settings.View);
        stage.Sampler.Prepare(new SamplerSource(set, split.Training, _shuffling, stage.Teacher is { } teacher ? rows => Vectors(stage, teacher, rows) : null));
        using var run = new StageRun(stage, student, _shapes, set, _projecting, settings.GradientClipping);
        try
        {
            RunEpochs(stage, run);
        }
        finally
        {
            student.TrainOnly(NetworkPart.Whole);
            stage.Teacher?.End();
        }
    }

    private void RunEpochs(Stage stage, StageRun run)
    {
        var isFresh = !_hasStepped && !settings.StartsTrained;
        // Only what gives logits can be judged by the classes it names: a stage that learns features keeps its last epoch.
        var judged = split.Validation is not null && stage.Loss.StudentNeeds.HasFlag(ModelOutputs.Logits);
        using var best = judged ? new BestEpoch(student) : null;
        var steps = new StepCounter(stage, stage.Sampler.BatchesPerEpoch(split.Training.shape[0]));
        var clock = Stopwatch.StartNew();

        var epoch = 1;
        for (; epoch <= stage.Epochs && !Cancelled; epoch++)
        {
            var epochClock = Stopwatch.StartNew();
            run.BeginEpoch(epoch);
            var rows = TrainEpoch(stage, run, steps);
            if (Cancelled && rows == 0)
                break;
            if (rows == 0)
            {
                throw new InvalidOperationException(FormattableString.Invariant(
                    $"The sampler of stage '{stage.Name}' gave no batch in epoch {epoch} from {split.Training.shape[0]} rows, so nothing was learnt."));
            }

            // Fetching the losses waits for the device, so only now is the epoch's work done.
            var means = run.Losses.Take(stage.Name, epoch, ruined => Ruined(ruined, stage, epoch, steps.LearningRate));
            foreach (var caution in run.Cautions(steps.LearningRate, isFresh).Take(1))
            {
                // Once a stage: what diverges does so in every epoch.
                if (_cautioned.Add(stage))
                    settings.Warn(caution);
            }

            var rowsPerSecond = rows / epochClock.Elapsed.TotalSeconds;
            var quality = judged ? HeldOutQuality() : null;
            var byTeacher = settings.HeldOutAnswers is not null;
            if (epoch >= stage.JudgedFrom)
                best?.Offer(epoch, quality!.Value, student, settings.EarlyStopping?.MinimumImprovement ?? 0);
            if (judged)
                _bestOfAll?.Offer(epoch, quality!.Value, student, 0);
            var timeLeft = clock.Elapsed / epoch * (stage.Epochs - epoch);
            var progress = new TrainingProgress(
                stage.Name, epoch, stage.Epochs, means, steps.LearningRate, byTeacher ? null : quality?.Share, quality?.Loss, rowsPerSecond, timeLeft, _clock.Elapsed)
            {
                ValidationAgreement = byTeacher ? quality?.Share : null,
            };
            EpochInstruments.Record(role, progress, rows, epochClock.Elapsed);
            settings.Report(progress);
            settings.AfterEpoch(epoch);
            if (settings.EarlyStopping is { } stopping && best is not null && epoch >= stage.JudgedFrom && epoch - best.LastImprovement >= stopping.Patience)
                break;
        }

        best?.Restore(student);
        CheckLogits(stage, Math.Min(epoch, stage.Epochs), steps.LearningRate);
    }

    /// <summary>Accuracy and loss by the labels of the held-out rows, or by the teacher's answers where they have none.</summary>
    private (double Share, double Loss)? HeldOutQuality() => settings.HeldOutAnswers is { } answers
        ? Scoring.Fidelity(student, split.ValidationSet, split.Validation!, answers, settings.ScoringBatchSize)
        : Scoring.Quality(student, split.ValidationSet, split.Validation!, settings.ScoringBatchSize);

    private long TrainEpoch(Stage stage, StageRun run, StepCounter steps)
    {
        _view++;
        long rows = 0;
        foreach (var positions in stage.Sampler.Epoch(split.Training, _shuffling))
        {
            if (settings.CancellationToken.IsCancellationRequested)
            {
                if (settings.OnCancellation == CancellationBehavior.Throw || !_hasStepped)
                    throw new OperationCanceledException("Distillation was cancelled.", settings.CancellationToken);
                CancelledIn = stage.Name;
                break;
            }

            steps.Next();
            using (NewDisposeScope())
                run.Step(settings.View is { } view ? view(positions, _view) : Batch.Of(set, positions), steps.LearningRate, steps.Momentum);
            _heap.AfterStep();
            _hasStepped = true;
            rows += positions.shape[0];
        }

        return rows;
    }

    private Tensor Vectors(Stage stage, StageTeacher teacher, Tensor positions)
    {
        var kind = teacher.Provides.HasFlag(ModelOutputs.Embedding) ? ModelOutputs.Embedding : ModelOutputs.Logits;
        // The loss may not read what the sampler does; a teacher that reads a data view must be asked for both in one pass.
        if (settings.View is null)
            teacher.Begin(set, stage.Loss.TeacherNeeds | kind, null);
        return RowFeatures.Of(Scoring.Answers(teacher, kind, set, positions, settings.ScoringBatchSize), kind).Unit();
    }

    // An epoch's losses are those before its steps: what the very last step ruined shows only in the student's outputs.
    private void CheckLogits(Stage stage, int epoch, double learningRate)
    {
        using var scope = NewDisposeScope();
        var some = split.Training.narrow(0, 0, Math.Min(settings.ScoringBatchSize, split.Training.shape[0]));
        if (!Scoring.Logits(student, set, some, settings.ScoringBatchSize).isfinite().all().item<bool>())
            throw Ruined([.. stage.Loss.Terms.Select(t => t.Loss.Name)], stage, epoch, learningRate);
    }

    private NonFiniteLossException Ruined(IReadOnlyList<string> terms, Stage stage, int epoch, double learningRate) =>
        new(terms, stage.Name, epoch, learningRate, [.. NonFiniteCauses.Of(stage, set)]);
}
