using System.Diagnostics;
using MlNetDistill.Data;
using MlNetDistill.Losses;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MlNetDistill.Training;

/// <summary>What the loop is told once for all stages.</summary>
internal sealed record LoopSettings
{
    public double? GradientClipping { get; init; }

    /// <summary>Rows scored at a time when validating: a step's worth fits where training fits.</summary>
    public int ScoringBatchSize { get; init; } = 128;

    public EarlyStopping? EarlyStopping { get; init; }

    public CancellationBehavior OnCancellation { get; init; }

    public CancellationToken CancellationToken { get; init; }

    public Action<TrainingProgress> Report { get; init; } = _ => { };
}

/// <summary>Runs stages one after another on one network; knows no method by name. The next stage starts from the best weights of the last.</summary>
internal sealed class TrainingLoop(Network student, TrainingSet set, DataSplit split, Generator shuffling, LoopSettings settings)
{
    private readonly Parameter[] _parameters = [.. student.parameters()];
    private readonly NativeHeap _heap = new();
    private bool _hasStepped;

    /// <summary>Whether a cancellation ended the run early.</summary>
    public bool Cancelled { get; private set; }

    public void Run(IEnumerable<Stage> stages)
    {
        foreach (var stage in stages)
        {
            Run(stage);
            if (Cancelled)
                return;
        }
    }

    private void Run(Stage stage)
    {
        Check(stage);
        using var optimizer = stage.Optimizer.Create(_parameters);
        using var losses = new EpochLosses(stage.Loss, set.Labels.device);
        using var best = split.Validation is null ? null : new BestEpoch(student);
        var steps = new StepCounter(stage, optimizer, stage.Sampler.BatchesPerEpoch(split.Training.shape[0]));
        var clock = Stopwatch.StartNew();

        var epoch = 1;
        for (; epoch <= stage.Epochs && !Cancelled; epoch++)
        {
            var epochClock = Stopwatch.StartNew();
            var rows = TrainEpoch(stage, optimizer, losses, steps);
            if (Cancelled && rows == 0)
                break;
            // Fetching the losses waits for the device, so only now is the epoch's work done.
            var means = losses.Take(stage.Name, epoch, steps.LearningRate);
            var rowsPerSecond = rows / epochClock.Elapsed.TotalSeconds;
            var quality = split.Validation is { } held
                ? Scoring.Quality(student, split.ValidationSet, held, settings.ScoringBatchSize)
                : ((double Accuracy, double Loss)?)null;
            best?.Offer(epoch, quality!.Value, student, settings.EarlyStopping?.MinimumImprovement ?? 0);
            var timeLeft = clock.Elapsed / epoch * (stage.Epochs - epoch);
            settings.Report(new TrainingProgress(
                stage.Name, epoch, stage.Epochs, means, steps.LearningRate, quality?.Accuracy, quality?.Loss, rowsPerSecond, timeLeft));
            if (settings.EarlyStopping is { } stopping && epoch - best!.LastImprovement >= stopping.Patience)
                break;
        }

        best?.Restore(student);
        CheckLogits(stage, Math.Min(epoch, stage.Epochs), steps.LearningRate);
    }

    private long TrainEpoch(Stage stage, UpdateRule optimizer, EpochLosses losses, StepCounter steps)
    {
        student.train();
        long rows = 0;
        foreach (var positions in stage.Sampler.Epoch(split.Training, shuffling))
        {
            if (settings.CancellationToken.IsCancellationRequested)
            {
                if (settings.OnCancellation == CancellationBehavior.Throw || !_hasStepped)
                    throw new OperationCanceledException("Distillation was cancelled.", settings.CancellationToken);
                Cancelled = true;
                break;
            }

            steps.Next();
            Step(stage, positions, optimizer, losses);
            _heap.AfterStep();
            _hasStepped = true;
            rows += positions.shape[0];
        }

        return rows;
    }

    private void Step(Stage stage, Tensor positions, UpdateRule optimizer, EpochLosses losses)
    {
        using var scope = NewDisposeScope();
        var batch = Batch.Of(set, positions);
        var output = student.Forward(batch.Features, stage.Loss.StudentNeeds);
        foreach (var parameter in _parameters)
            parameter.grad = null;
        losses.Backward(Inputs(stage, batch, output));
        if (settings.GradientClipping is { } norm)
            nn.utils.clip_grad_norm_(_parameters, norm);
        optimizer.Step();
    }

    private void Check(Stage stage)
    {
        if (set.Weights is not null && !stage.Loss.CanUseWeights)
        {
            var pairs = stage.Loss.Terms.Where(t => !t.Loss.CanUseWeights).Select(t => $"'{t.Loss.Name}'");
            throw new InvalidOperationException(
                $"Stage '{stage.Name}' has terms over pairs of rows ({string.Join(", ", pairs)}), which example weights cannot weigh; train without weights.");
        }

        var missing = stage.Loss.TeacherNeeds & ~(stage.Teacher?.Provides ?? OutputKinds.None);
        if (missing != OutputKinds.None)
        {
            throw new InvalidOperationException(
                $"Stage '{stage.Name}' needs {missing} of its teacher, which gives {stage.Teacher?.Provides ?? OutputKinds.None}.");
        }

        if (stage.Teacher is { } teacher && teacher.Classes != student.Classes)
            throw new InvalidOperationException($"The student has {student.Classes} classes, the teacher of stage '{stage.Name}' {teacher.Classes}.");
    }

    // An epoch's losses are those before its steps: what the very last step ruined shows only in the student's outputs.
    private void CheckLogits(Stage stage, int epoch, double learningRate)
    {
        using var scope = NewDisposeScope();
        var some = split.Training.narrow(0, 0, Math.Min(settings.ScoringBatchSize, split.Training.shape[0]));
        if (!Scoring.Logits(student, set, some, settings.ScoringBatchSize).isfinite().all().item<bool>())
            throw new NonFiniteLossException([.. stage.Loss.Terms.Select(t => t.Loss.Name)], stage.Name, epoch, learningRate);
    }

    private LossInputs Inputs(Stage stage, Batch batch, NetworkOutput student)
    {
        if (stage.Teacher is not { } teacher)
            return new LossInputs(student, null, batch.Labels, batch.Weights, set.HasMissingLabels);
        using var noGrad = no_grad();
        var outputs = teacher.Outputs(batch);
        return new LossInputs(student, outputs, batch.Labels, batch.Weights, set.HasMissingLabels)
        {
            TeacherSoftening = temperature =>
            {
                using (no_grad())
                    return teacher.LogProbabilities(batch, outputs, temperature);
            },
        };
    }
}
