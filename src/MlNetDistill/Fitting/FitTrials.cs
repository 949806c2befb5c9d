using System.Diagnostics;
using Microsoft.ML;
using MlNetDistill.Data;
using MlNetDistill.Diagnostics;
using MlNetDistill.Evaluation;
using MlNetDistill.Export;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Teachers;
using MlNetDistill.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace MlNetDistill.Fitting;

/// <summary>Trains candidates of a search over the same rows, with the same teacher and the same seed: each training depends on its options alone.</summary>
/// <param name="fit">What they share.</param>
/// <param name="anchors">The teacher.</param>
/// <param name="splits">The rows that each candidate is trained on.</param>
/// <param name="teacherModel">The teacher as an ML.NET model, or null.</param>
/// <param name="predictions">The teacher's predictions for some rows.</param>
/// <param name="rows">The held-out rows.</param>
/// <param name="answers">The teacher's logits for them, in the order of <see cref="JudgedRows.All"/>.</param>
/// <param name="parameters">Number of parameters of each student.</param>
/// <param name="phases">The phases of each method.</param>
internal sealed class FitTrials(
    FitContext fit, IReadOnlyList<Anchor> anchors, TrialSplits splits, ITransformer? teacherModel, TeacherPredictions? predictions, JudgedRows rows, Tensor answers,
    IReadOnlyDictionary<NetworkSpec, long> parameters, IReadOnlyDictionary<DistillationMethod, IReadOnlyList<TrainingPhase>> phases) : IDisposable
{
    private const int TimedRows = 1024;
    private readonly MulticlassTask _task = new(fit.Columns.Classes.Count);
    private readonly Tensor _choosingAnswers = answers.narrow(0, 0, rows.Choosing.shape[0]).DetachFromDisposeScope();

    /// <summary>The trainer's options, with the number of epochs of a full training.</summary>
    public DistillationOptions Options => fit.Options;

    /// <summary>Number of classes.</summary>
    public int Classes => fit.Columns.Classes.Count;

    /// <summary>Number of rows by which candidates are chosen.</summary>
    public long ChoosingRows => rows.Choosing.shape[0];

    /// <summary>The teacher's accuracy on the rows by which candidates are chosen.</summary>
    public double TeacherAccuracy => Scoring.Evaluate(_task, _choosingAnswers, fit.Set, rows.Choosing).Quality;

    /// <summary>Whether the teacher most likely was trained on the held-out rows.</summary>
    public bool TeacherKnowsRows => SeenRowsText.IsKnownByHeart(
        fit.Options.Teacher!.Seen, heldOut: true, Scoring.Evaluate(_task, answers, fit.Set, rows.All).Quality, rows.All.shape[0]);

    /// <summary>Steps of an epoch, for every candidate: one pass over the rows that the trainer itself would train on.</summary>
    public int StepsPerEpoch { get; } = CountBatches(fit.Options, splits.Find(fit.Options.TransferRows));

    /// <summary>In how many epochs a fit with a candidate's options takes as many steps.</summary>
    public int EpochsOfFit(DistillationOptions options, int epochs) =>
        (int)Math.Max(1, Math.Round((double)epochs * StepsPerEpoch / CountSteps(options.WithoutUnusedTeacher()).Average()));

    /// <summary>Number of parameters of a student.</summary>
    public long ParametersOf(NetworkSpec student) => parameters[student];

    /// <summary>A hash of the rows, their division and the teacher's answers on those that are held out.</summary>
    public string Hash() => RowsHash.Compute(fit.Set, fit.Split, fit.Columns.Classes.Names ?? [], rows.Choosing, rows.Judging, answers);

    /// <summary>Writes a warning to the log.</summary>
    public void Warn(string warning) => fit.Channel.Warning($"{warning}");

    /// <summary>Trains a candidate, and measures it on the rows by which candidates are chosen.</summary>
    /// <param name="options">Its options.</param>
    /// <param name="setting">These as text.</param>
    public TrialResult Train(DistillationOptions options, string setting)
    {
        var channel = new WarningChannel(fit.Channel);
        var epochs = options.Epochs;
        options = WithSteps(options);
        using var networks = CreateNetworks(options, channel);
        if (options.TransferRows is not null)
            networks.NoteTransferRows();
        var clock = Stopwatch.StartNew();
        try
        {
            using var network = networks.Train(new TrainingPlan(
                FitNetworks.StudentRole, options.Student, options.Method, AnchorsFor(options), options.Epochs, options.Optimizer, options.Schedule));
            var result = new TrialResult { Setting = setting, Rung = Measure(network, epochs, networks.StepsOf(FitNetworks.StudentRole), clock) };
            return result with
            {
                History = networks.History(FitNetworks.StudentRole),
                Notes = networks.Notes,
                Warnings = channel.Warnings,
                Weights = DistilledStudent.WeightsOf(network.to(CPU)),
            };
        }
        catch (NonFiniteLossException e)
        {
            return new TrialResult { Setting = setting, Failure = e.Message };
        }
    }

    /// <summary>The student that a training kept, as a model.</summary>
    public DistillationTransformer Export(DistillationOptions options, TrialResult trained)
    {
        var channel = new WarningChannel(fit.Channel);
        options = WithSteps(options);
        using var networks = CreateNetworks(options, channel);
        using var network = networks.Restore(trained.Weights!, trained.History, trained.Notes);
        foreach (var warning in trained.Warnings)
            channel.Warning($"{warning}");
        return fit.CreateExport(channel, options, networks).CreateModel(network, options.Student, options.Method.Name, FitNetworks.StudentRole, options.UsesTeacher ? teacherModel : null);
    }

    /// <summary>Compares a student with its teacher on the rows that judge the result.</summary>
    public DistillationMetrics Judge(DistillationTransformer model)
    {
        using var scope = NewDisposeScope();
        using var network = model.Model.ToNetwork().to(fit.Device);
        var (held, classes) = (rows.Judging.shape[0], Classes);
        var student = Probabilities(Scoring.Logits(network, fit.Set, rows.Judging, Options.BatchSize));
        var teacher = Probabilities(answers.narrow(0, ChoosingRows, held));
        var labels = fit.Set.Labels.index_select(0, rows.Judging).cpu().data<long>().ToArray();
        var positions = rows.Judging.cpu().data<long>().ToArray();
        var evaluator = new DistillationEvaluator(ClassNames(), new DistillationEvaluationOptions { BootstrapReplicates = 1000 });
        for (var row = 0; row < held; row++)
        {
            var id = fit.Set.RowIds[positions[row]];
            evaluator.Add(teacher.AsSpan(row * classes, classes), student.AsSpan(row * classes, classes), (int)labels[row], new UInt128(id.High, id.Low));
        }

        return evaluator.Metrics();
    }

    /// <summary>Bytes of a saved model, and the median time of a row.</summary>
    public (long ZipBytes, double MicrosecondsPerRow) MeasureCost(DistillationTransformer model)
    {
        using var scope = NewDisposeScope();
        var rows = RowsView.Create(fit.Context, fit.Set, SpreadPositions.Create(fit.Set.Count, TimedRows, fit.Device), fit.Columns, fit.Columns.Layout.IsInterleaved);
        var time = ScoringTime.Measure(model.Transform(rows), model.ScoreColumnName);
        // A student can be saved.
        return (ModelSize.TryMeasure(fit.Context, model, rows.Schema)!.Value, time.TotalMicroseconds);
    }

    public void Dispose() => _choosingAnswers.Dispose();

    private FitNetworks CreateNetworks(DistillationOptions options, WarningChannel channel)
    {
        var networks = fit.CreateNetworks(channel, options, splits.Find(options));
        networks.TeacherPredictions = predictions;
        return networks;
    }

    /// <summary>The same epochs with as many steps as those of all other candidates, whatever the number of its rows.</summary>
    private DistillationOptions WithSteps(DistillationOptions options)
    {
        options = options.WithoutUnusedTeacher();
        return CountSteps(options).All(steps => steps == StepsPerEpoch) ? options : options with { Sampling = new FixedStepsSampling(options.Sampling, StepsPerEpoch) };
    }

    /// <summary>The steps of each epoch of a fit. They differ where a loss needs batches of exactly one size, or a phase holds a quiz out.</summary>
    private IEnumerable<int> CountSteps(DistillationOptions options)
    {
        var split = splits.Find(options);
        return phases.TryGetValue(options.Method, out var known)
            ? known.SelectMany(phase => Enumerable.Repeat(phase.StudentStage.Sampler.BatchesPerEpoch(QuizRows.CountTrained(phase, fit.Set, split.Training)), phase.Epochs))
            : [CountBatches(options, split)];
    }

    private static int CountBatches(DistillationOptions options, DataSplit split) => options.Sampling.Create(options.BatchSize).BatchesPerEpoch(split.Training.shape[0]);

    private IReadOnlyList<Anchor> AnchorsFor(DistillationOptions options) => options.UsesTeacher ? anchors : [];

    private SearchRung Measure(Network network, int epochs, long steps, Stopwatch clock)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var logits = Scoring.Logits(network, fit.Set, rows.Choosing, Options.BatchSize);
        var byLabels = Scoring.Evaluate(_task, logits, fit.Set, rows.Choosing);
        var byTeacher = _task.EvaluateAgainstTeacher(logits, _choosingAnswers, fit.Set.Weights?.index_select(0, rows.Choosing));
        return new(epochs, steps, byLabels.Quality, byTeacher.Quality, byLabels.Loss, byTeacher.Loss, clock.Elapsed);
    }

    private static float[] Probabilities(Tensor logits) => logits.softmax(1).to(float32).cpu().contiguous().data<float>().ToArray();

    private IReadOnlyList<string> ClassNames() =>
        fit.Columns.Classes.Names is { } names && !names.Any(string.IsNullOrWhiteSpace) ? names : [.. Enumerable.Range(0, Classes).Select(c => FormattableString.Invariant($"{c}"))];
}
