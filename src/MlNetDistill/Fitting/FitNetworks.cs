using MlNetDistill.Core;
using MlNetDistill.Data;
using MlNetDistill.Diagnostics;
using MlNetDistill.Evaluation;
using MlNetDistill.Losses;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Reading;
using MlNetDistill.Teachers;
using MlNetDistill.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace MlNetDistill.Fitting;

/// <summary>Builds and trains the networks of a fit over its rows: a teacher where one is trained on the spot, then the student.</summary>
internal sealed class FitNetworks(
    WarningChannel channel, DistillationOptions options, TrainerColumns columns, IRowSource set, DataSplit split, Seeds seeds, Device device) : INetworkTrainer, IDisposable
{
    /// <summary>The student's name in logs, which also seeds its random draws.</summary>
    public const string StudentRole = "student";

    private readonly Dictionary<string, IReadOnlyList<TrainingProgress>> _histories = [];
    private readonly List<string> _notes = [];
    private readonly GuardedProgress _progress = new(channel, options.Progress);
    private readonly Dictionary<string, TrainingPlan> _plans = [];
    private readonly Dictionary<InputScaling, InputStatistics?> _scalings = [];
    private readonly Dictionary<NetworkSpec, OutputShapes> _shapes = [];
    private readonly Dictionary<string, AugmentedViews> _views = [];
    private readonly Dictionary<string, IReadOnlyList<string>> _warnings = [];
    private readonly Dictionary<string, long> _steps = [];

    /// <summary>The teacher's predictions for some rows; null before it was queried.</summary>
    public TeacherPredictions? TeacherPredictions { get; set; }

    /// <summary>Names of the classes in the order of the networks' outputs, or null if they have no names.</summary>
    public IReadOnlyList<string>? ClassNames => columns.Classes.Names;

    /// <summary>The epochs and steps of the stages that the student was trained in, as planned: without early stopping.</summary>
    public (int Epochs, long Steps) Planned { get; private set; }

    /// <summary>Where the states of the trainings are saved; null for nowhere.</summary>
    public FitCheckpoints? Checkpoints { get; set; }

    /// <summary>The name of the student's checkpoints.</summary>
    public string StudentCheckpoints { get; set; } = StudentRole;

    public KeptRoute? Route => Checkpoints?.Route;

    /// <summary>The time that the networks of the fit may train; without a limit unless the fit gives one.</summary>
    public TrainingBudget Budget { get; init; } = new(limit: null);

    /// <summary>What the networks learn.</summary>
    public StudentTask Task { get; init; } = new MulticlassTask(columns.Classes.Count);

    /// <summary>Whether some row trained on has a label that counts.</summary>
    public bool HasLabels { get; } = set.HasLabelledWeight(split.Training);

    /// <summary>The teacher's logits for held-out rows without labels, to judge the student by; disposed with this.</summary>
    public Tensor? HeldOutTeacherLogits { get; set; }

    /// <summary>The rows trained on, by hashes.</summary>
    public TrainedRows TrainedRows => new(RowSketch.FromHashes(RowHashes.ComputeForSet(set, split.Given)), columns.Layout);

    /// <summary>Notes that are kept with the student.</summary>
    public IReadOnlyList<string> Notes => [.. _notes];

    /// <summary>Progress of the training of one of the networks, epoch by epoch.</summary>
    public IReadOnlyList<TrainingProgress> History(string role) => _histories[role];

    /// <summary>Number of steps of the training of one of the networks.</summary>
    public long StepsOf(string role) => _steps[role];

    /// <summary>The warnings: for the student those of the whole fit, for a teacher those given while it was trained.</summary>
    public IReadOnlyList<string> WarningsOf(string role) => role == StudentRole ? channel.Warnings : _warnings.GetValueOrDefault(role) ?? [];

    /// <summary>The settings that one of the networks was trained with, as text.</summary>
    public IReadOnlyList<ReportedSetting> SettingsOf(string role) =>
        [.. GetOptions(role).DescribeSettings().Select(setting => setting.Name == nameof(options.Device) ? setting with { Value = $"{device}" } : setting)];

    /// <summary>A teacher that is trained in this fit has its own plan, and learns from labels.</summary>
    private DistillationOptions GetOptions(string role) => role == StudentRole || !_plans.TryGetValue(role, out var plan) ? options : options with
    {
        Teacher = null,
        Student = plan.Spec,
        InitialWeights = null,
        Method = plan.Method,
        Epochs = plan.Epochs,
        Optimizer = plan.Optimizer,
        Schedule = plan.Schedule,
        Sampling = GetSampling(role),
    };

    public InputStatistics FeatureStatistics => GetScaling(InputScaling.Standardize)!;

    public NetworkInput GetInput(NetworkSpec spec) => new(columns.Shape, columns.IsByte, GetScaling(spec.InputScaling), columns.Layout.IsInterleaved);

    public OutputShapes GetShapes(NetworkSpec spec)
    {
        if (_shapes.TryGetValue(spec, out var known))
            return known;
        using var network = Build(spec, "rehearsal");
        return _shapes[spec] = network.GetOutputShapes();
    }

    /// <summary>Keeps the shapes of a network that was built for another check, so that it is not built again for them.</summary>
    public void KeepShapes(NetworkSpec spec, Network network) => _shapes[spec] = network.GetOutputShapes();

    /// <summary>A network with initial weights, on the CPU; the caller disposes it.</summary>
    public Network Build(NetworkSpec spec, string purpose, NetworkInput? input = null) =>
        spec.Build(input ?? GetInput(spec), Task.LogitCount, seeds.DeriveInteger($"{purpose} weights"));

    public Network BuildOnDevice(NetworkSpec spec, string purpose, NetworkInput? input = null) => Build(spec, purpose, input).to(device);

    private InputStatistics? GetScaling(InputScaling kind)
    {
        if (!_scalings.TryGetValue(kind, out var scaling))
            _scalings[kind] = scaling = InputStatisticsFactory.Compute(set, split.Given, kind);
        return scaling;
    }

    /// <summary>Creates augmented batches for a network, given positions and the number of the view; null if rows are not augmented.</summary>
    public Func<Tensor, int, Batch>? GetView(string role)
    {
        if (options.Augmentations.Count == 0)
            return null;
        if (!_views.TryGetValue(role, out var views))
            _views[role] = views = new AugmentedViews(options.Augmentations, ViewSeed(role), SplitOf(role).Training, Task.LogitCount);
        // The student's pre-drawn views are used again and again; a teacher that learns from labels has new views in every epoch.
        var drawn = role == StudentRole ? options.TeacherCache.AugmentedViews : 0;
        return (positions, view) => views.GetBatch(set, positions, drawn == 0 ? view : 1 + ((view - 1) % drawn));
    }

    /// <summary>The seed of the augmentation of a network's rows.</summary>
    public int ViewSeed(string role) => seeds.DeriveInteger($"{role} views");

    // Rows without labels are of no use to a teacher that learns from labels.
    private DataSplit SplitOf(string role) => role == StudentRole || split.Added == 0 ? split : split.WithoutAdded();

    public void Dispose()
    {
        foreach (var views in _views.Values)
            views.Dispose();
        HeldOutTeacherLogits?.Dispose();
    }

    /// <summary>The phases of a method; if no row has a label, without loss terms over labels.</summary>
    public IEnumerable<TrainingPhase> GetPhases(DistillationMethod method, MethodContext context) =>
        HasLabels ? method.Phases(context) : method.Phases(context).Select(phase =>
        {
            if (phase is BilevelStage)
            {
                throw new InvalidOperationException(
                    $"The method {method.Name} holds labelled training rows out as a quiz for the teacher, and no row trained on has a label that counts. Give labelled rows, or take a method with a fixed teacher, such as DistillationMethod.Kd(alpha: 1).");
            }

            if (phase is not Stage stage)
                return phase;
            var without = LabelTerms.RemoveFrom(stage);
            if (LabelTerms.Warning(stage) is { } warning)
                channel.Warning($"{warning}");
            return without;
        });

    /// <summary>Checks that enough rows have labels for a quiz, and that the others can be sampled.</summary>
    /// <exception cref="InvalidOperationException">They cannot; the message says why.</exception>
    public void CheckQuiz(BilevelStage stage)
    {
        using var quiz = QuizRows.Divide(stage, set, split.Training, seeds, StudentRole);
        try
        {
            options.Sampling.Check(set, quiz.Training, options.BatchSize);
        }
        catch (InvalidOperationException fault)
        {
            throw new InvalidOperationException($"Stage '{stage.Name}', on the training rows that are not in its quiz: {fault.Message}", fault);
        }
    }

    /// <summary>Writes a note to the log, and keeps it with the student.</summary>
    public void Note(string note)
    {
        _notes.Add(note);
        channel.Info($"{note}");
    }

    /// <summary>Notes that the student is also trained on transfer rows.</summary>
    public void NoteTransferRows() =>
        Note($"The student was also trained on {split.Added} rows without labels, for which the teacher answers ({options.TransferRows}).");

    public Network Train(TrainingPlan plan)
    {
        _plans[plan.Role] = plan;
        var warned = channel.Warnings.Count;
        var network = plan.Role == StudentRole ? BuildStudent() : BuildOnDevice(plan.Spec, plan.Role);
        channel.Info($"Training the {plan.Role}: {plan.Spec.Name}, {network.ParameterCount:N0} parameters, on {device}.");
        using var loop = new TrainingLoop(network, Task, set, SplitOf(plan.Role), seeds, plan.Role, Settings(plan, network));
        _histories[plan.Role] = loop.State.History;
        try
        {
            StepMemory.Check(network, plan.Spec.Name, GetOptions(plan.Role), SplitOf(plan.Role).Training.shape[0]);
            var phases = GetPhases(plan.Method, CreateContext(plan, network, loop));
            loop.Run(plan.Role == StudentRole ? phases.Select(CountSteps) : phases.Select(phase => phase with { Name = plan.Role }));
        }
        catch
        {
            network.Dispose();
            throw;
        }

        _steps[plan.Role] = loop.State.Steps;
        if (loop.StopWarning is { } stopped)
            channel.Warning($"{stopped}");
        if (Task.LabelLoss is not null)
            CheckClasses(network, plan, loop.State.History);
        _warnings[plan.Role] = [.. channel.Warnings.Skip(warned)];
        return network;
    }

    private void CheckClasses(Network network, TrainingPlan plan, IReadOnlyList<TrainingProgress> history)
    {
        var collapse = new CollapseCheck(set, split, columns.Classes, options.BatchSize, plan.Anchors.Count == 0 ? null : TeacherPredictions);
        foreach (var warning in collapse.Warnings(network, plan, history))
            channel.Warning($"{warning}");
    }

    private TrainingPhase CountSteps(TrainingPhase phase)
    {
        if (options.CompareAlone && phase?.StudentStage is { Sampler: { } sampler, Epochs: var epochs })
            Planned = (Planned.Epochs + epochs, Planned.Steps + ((long)epochs * sampler.BatchesPerEpoch(QuizRows.CountTrained(phase, set, split.Training))));
        return phase!;
    }

    /// <summary>A student that was trained before with the same options, on the CPU; the caller disposes it.</summary>
    /// <param name="weights">Its weights.</param>
    /// <param name="history">Its progress, epoch by epoch.</param>
    /// <param name="notes">Its notes.</param>
    public Network Restore(byte[] weights, IReadOnlyList<TrainingProgress> history, IReadOnlyList<string> notes)
    {
        _histories[StudentRole] = history;
        _notes.AddRange(notes);
        var network = Build(options.Student, StudentRole);
        try
        {
            SavedWeights.Load(network, weights);
            return network;
        }
        catch
        {
            network.Dispose();
            throw;
        }
    }

    private Network BuildStudent()
    {
        var network = BuildOnDevice(options.Student, StudentRole);
        options.InitialWeights?.Apply(network, TrainingRows());
        Checkpoints?.Start(network);
        return network;
    }

    private IEnumerable<Tensor> TrainingRows()
    {
        foreach (var positions in Chunks.Split(split.Given, options.BatchSize))
        {
            using var rows = set.Gather(positions, set.Device).DetachFromDisposeScope();
            yield return rows;
        }
    }

    private LoopSettings Settings(TrainingPlan plan, Network network)
    {
        var epoch = 0;
        return new LoopSettings
        {
            GradientClipping = options.GradientClipping,
            OnNonFinite = options.OnNonFinite,
            MeasureTraining = options.MeasureTraining,
            Precision = options.Precision,
            ScoringBatchSize = options.BatchSize,
            EarlyStopping = options.EarlyStopping,
            HeldOutTeacherLogits = HeldOutTeacherLogits,
            // A teacher that was cancelled is of no use; a student may be.
            OnCancellation = plan.Role == StudentRole ? options.OnCancellation : CancellationBehavior.Throw,
            CancellationToken = options.CancellationToken,
            Budget = Budget,
            OnTimeUp = plan.Role == StudentRole ? options.OnTimeUp : CancellationBehavior.Throw,
            TimeUpAdvice = plan.Role == StudentRole
                ? null
                : $"The {plan.Role} trains before the student, in the same time, and one that is only partly trained is not used: raise MaxTrainingTime, or give the {plan.Role} fewer epochs.",
            View = GetView(plan.Role),
            TeacherName = options.Teacher?.Name ?? "none",
            StartsTrained = plan.Role == StudentRole && (options.InitialWeights is not null || Checkpoints is { IsWarmStart: true }),
            Checkpoints = Checkpoints?.Of(plan.Role == StudentRole ? StudentCheckpoints : plan.CheckpointName, options.MayDrawFromTorch, plan.Anchors.Count > 1 ? Checkpoints.CheckAnchors(options.Teacher!.Name, set, options.BatchSize) : null, epochs =>
            {
                epoch = epochs;
                plan.Continues(epochs);
            }),
            Report = _progress.Report,
            Warn = warning => channel.Warning($"{warning}"),
            AfterEpoch = _ => plan.AfterEpoch(++epoch, network),
        };
    }

    // A teacher that learns from labels has no teacher to sample by, and no loss over pairs of rows.
    private BatchSampling GetSampling(string role) => role == StudentRole ? options.Sampling : BatchSampling.Shuffled();

    private MethodContext CreateContext(TrainingPlan plan, Network network, TrainingLoop loop) =>
        new(plan.Anchors, network.GetOutputShapes(), GetSampling(plan.Role).Create(options.BatchSize), plan.Epochs, plan.Optimizer, plan.Schedule)
        {
            HeldOutDivergence = split.Validation is null ? null : loop.HeldOutDivergence,
            LabelLoss = Task.LabelLoss ?? new CrossEntropyLoss(),
            Defaults = options.KdDefaults,
            Note = Note,
            Decisions = new MethodDecisions(loop.State.Decisions),
        };
}
