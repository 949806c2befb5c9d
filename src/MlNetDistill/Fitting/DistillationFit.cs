using System.Diagnostics;
using Microsoft.ML;
using Microsoft.ML.Runtime;
using MlNetDistill.Alignment;
using MlNetDistill.Core;
using MlNetDistill.Data;
using MlNetDistill.Diagnostics;
using MlNetDistill.Evaluation;
using MlNetDistill.Export;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Reading;
using MlNetDistill.Teachers;
using MlNetDistill.Training;
using TorchSharp;
using static System.FormattableString;
using static TorchSharp.torch;

namespace MlNetDistill.Fitting;

/// <summary>One run of <see cref="DistillationTrainer.Fit"/>, from data view to model.</summary>
internal sealed partial class DistillationFit : IDisposable
{
    private readonly WarningChannel _channel;
    private DistillationOptions _options;
    private readonly TrainerColumns _columns;
    private readonly MLContext _context;
    private readonly Seeds _seeds;
    private readonly Device _device;
    private readonly DataViewSchema _inputSchema;
    private readonly FitRows _rows;
    private FitNetworks _networks = null!;
    private FitExport _export = null!;
    private long[]? _heldOutTeacher;
    private TimeSpan? _timeOfPass;
    private FitCheckpoints? _checkpoints;
    private readonly TrainingBudget _budget;

    public DistillationFit(IHostEnvironment environment, WarningChannel channel, DistillationOptions options, IDataView input)
    {
        _channel = channel;
        _budget = options.CreateBudget();
        _columns = TrainerColumns.Find(input.Schema, options);
        _inputSchema = input.Schema;
        if (options.TeacherCache.TopK is { } k && k >= _columns.Classes.Count)
        {
            throw new ArgumentOutOfRangeException(
                "options", $"TeacherCache.TopK must be less than the number of classes, {_columns.Classes.Count}; was {k}. Leave it out to keep all logits.");
        }

        _seeds = new Seeds(options.Seed!.Value);
        // Never on a GPU: a student scores single rows, and an application with a GPU for torch need not have ONNX Runtime's GPU package.
        _context = new MLContext(_seeds.DeriveInteger("mlContext")) { TempFilePath = InBox.TempFilePathOf(environment) };
        _device = DeviceChoice.Select(options.Device, environment, channel);
        _options = options with { Precision = PrecisionChoice.Select(options.Precision, _device, channel) };
        _rows = new FitRows(_context, channel, _options, _columns, _seeds, input);
    }

    private IRowSource Set => _rows.Set;

    private DataSplit Split => _rows.Split;

    /// <summary>The outputs of the teacher that are cached for all rows: none if a copy of it trains, as a fixed stage of the method asks for its own.</summary>
    private ModelOutputs CachedOutputs => _options.Method.TrainsTeacher ? ModelOutputs.None : _options.Method.TeacherNeeds;

    private FitContext Context => new(_context, _channel, _options, _columns, Set, Split, _seeds, _device, _inputSchema) { Budget = _budget, Checkpoints = _checkpoints };

    public DistillationTransformer Run()
    {
        Read();
        CheckRows();
        OpenCheckpoints();
        using var untrained = CheckExports();
        using var ready = _options.UsesTeacher && _options.Teacher!.IsReady ? PrepareTeacher() : null;
        var rehearsal = Rehearse(untrained, ready);
        // If every query costs a pass over the data, the preflight reads the outputs for all rows instead.
        var hasPreview = ready is { Teacher.NeedsPassPerQuery: false };
        if (hasPreview)
        {
            DecideScores(ready!);
            ready!.Teacher.BeginPreview(Set, CachedOutputs, _networks.GetView(FitNetworks.StudentRole));
            RunPreflight(rehearsal, ready).Log(_channel);
        }

        _checkpoints?.Begin();
        using var fitted = _options.UsesTeacher && ready is null ? PrepareTeacher() : null;
        var teacher = ready ?? fitted;
        if (teacher is not null)
            BeginTeacher(teacher, CachedOutputs);
        if (!hasPreview)
            RunPreflight(rehearsal, teacher).Log(_channel);
        // Its memory is needed for the student that is trained.
        untrained.Dispose();
        var teacherModel = teacher?.Network is { } network ? ExportTeacher(network, teacher.NetworkSpec!) : teacher?.Model;
        using var trained = _networks.Train(new TrainingPlan(
            FitNetworks.StudentRole, _options.Student, _options.Method, teacher?.Anchors ?? [], _options.Epochs, _options.Optimizer, _options.Schedule));
        var alone = _options.CompareAlone ? new AloneTraining(Context).Run(trained, _networks, _heldOutTeacher) : null;
        return Export(trained, _options.Student, _options.Method.Name, FitNetworks.StudentRole, teacherModel, alone);
    }

    /// <summary>Checks everything that can be checked before anything is trained.</summary>
    public PreflightReport Preflight()
    {
        Read();
        CheckRows();
        using var untrained = CheckExports();
        using var teacher = _options.UsesTeacher && _options.Teacher!.IsReady ? _options.Teacher.PrepareForFit(CreateRequest()) : null;
        var rehearsal = Rehearse(untrained, teacher);
        if (teacher is not null)
            DecideScores(teacher);
        untrained.to(_device);
        var report = RunPreflight(rehearsal, teacher, _columns.Classes, measureTime: true);
        report.Log(_channel);
        return report;
    }

    /// <summary>
    /// The rows with one more column, the teacher's class probabilities. The options are those of <see cref="DistillationOptions.ForScoring"/>.
    /// </summary>
    public IDataView ScoreTeacher(string column)
    {
        Read(TrainingRows.RowsToScore);
        using var scope = NewDisposeScope();
        using var teacher = _options.Teacher!.PrepareForFit(CreateRequest());
        teacher.Teacher.Begin(Set, ModelOutputs.Logits, null);
        return new ScoredRows(_rows.Given, column, Scoring.TeacherProbabilities(teacher.Teacher, Set, Split.Training, _options.BatchSize), _options.BatchSize, Set.RowIds, _columns.Classes);
    }

    public void Dispose()
    {
        _networks?.Dispose();
        _rows.Dispose();
        _checkpoints?.Dispose();
    }

    /// <summary>The transfer rows with the columns of the loaded rows.</summary>
    public IDataView MakeTransferRows()
    {
        _rows.Read(TrainingRows.TrainingData);
        return _rows.MakeTransferRows(_options.TransferRows!);
    }

    private void Read(string role = TrainingRows.TrainingData)
    {
        _rows.Read(role);
        if (_options.UsesTeacher)
            _rows.Add(TransferBlock.Of(_options.TransferRows));
        CompleteRows(role);
    }

    /// <summary>Moves all rows to the device; what depends on their number is decided here.</summary>
    private void CompleteRows(string role = TrainingRows.TrainingData)
    {
        FitInstruments.SetRows(Set.Count);
        _rows.MoveTo(_device);
        var given = _options;
        _options = role == TrainingRows.TrainingData ? given.WithDefaultEpochs(Split.Given.shape[0], _rows.CountAdded(_options.TransferRows)) : given;
        CreateNetworks();
        if (_options.Epochs != given.Epochs)
            _networks.Note($"With so few rows {given.Epochs} epochs are too few steps. Epochs is not set, so training takes {_options.Epochs} epochs.");
        if (Split.Added > 0)
            _networks.NoteTransferRows();
    }

    private void CreateNetworks()
    {
        _networks = Context.CreateNetworks(_channel, _options, Split);
        _export = Context.CreateExport(_channel, _options, _networks);
    }

    private TeacherRequest CreateRequest() => new(
        _context, _channel, _rows.View, _columns, Set, _options, _seeds, _device, _networks,
        TeacherCachingFactory.Create(_options, _columns, Set, Split, _networks, _context, _channel, _rows.TransferHash))
    {
        TeacherData = _rows.TeacherData,
        HeldOut = _rows.HeldOutIds,
        Given = _rows.Given,
        Transfer = _rows.Transfer,
    };

    /// <summary>Checks that need no network.</summary>
    private void CheckRows()
    {
        var (trained, held) = (Split.Given.shape[0], Split.Validation?.shape[0] ?? 0);
        var added = Split.Added == 0 ? "" : $" and {Split.Added} transfer rows";
        _channel.Info($"Read {Set.Count - Split.Added} rows ({Set.Shape}), {_columns.Classes.Count} classes; training on {trained}{added}, validating on {held}.");
        _options.Sampling.Check(Set, Split.Training, _options.BatchSize);
        foreach (var warning in DataChecks.Warnings(Set, Split, _columns.Classes, _options))
            _channel.Warning($"{warning}");
        if (!_networks.HasLabels)
            CheckWithoutLabels();
    }

    /// <summary>Throws if something other than the method needs labels; the stages of the method are checked when they are enumerated.</summary>
    private void CheckWithoutLabels()
    {
        if (_options.UsesTeacher && _options.Teacher!.NeedsLabels)
        {
            throw new InvalidOperationException(
                $"The teacher ({_options.Teacher.Name}) is trained on labels, and no row trained on has one that counts. Give a teacher that is trained already, or labelled rows.");
        }

        if (_options.CompareAlone)
        {
            throw new InvalidOperationException(
                "CompareAlone trains the student on labels alone as well, and no row trained on has a label that counts. Give labelled rows, or leave CompareAlone false.");
        }

        if (_options.MinimumTeacherAccuracy > 0 && Set.LabelledRows == 0)
            throw new InvalidOperationException(Invariant($"MinimumTeacherAccuracy {_options.MinimumTeacherAccuracy} needs labels to compare the teacher with, and no row has one; leave it null."));
        _networks.Note("No row trained on has a label that counts: the student learns from the teacher alone.");
        if (ValidationRows.AreJudgedByTeacher(Split))
            _networks.Note("Held-out rows have no labels either: agreement with the teacher is reported instead of accuracy.");
    }

    /// <summary>Checks that all networks can be exported.</summary>
    /// <returns>The untrained student, for other checks.</returns>
    private Network CheckExports()
    {
        var student = _export.Check(_options.Student);
        foreach (var spec in _options.UsesTeacher ? _options.Teacher!.ExportedNetworks : [])
        {
            using var network = _export.Check(spec);
            _networks.KeepShapes(spec, network);
        }

        return student;
    }

    private DryRun Rehearse(Network student, PreparedTeacher? ready)
    {
        StepMemory.Check(student, _options.Student.Name, _options, Split.Training.shape[0]);
        _options.InitialWeights?.Check(student.Input, _columns.Classes);
        var anchors = ready?.Anchors ?? (_options.UsesTeacher ? [.. _options.Teacher!.PlanAnchors(CreateRequest())] : []);
        var rehearsal = new DryRun(_options, student, Set, anchors, _networks);
        if (_options.Teacher is not null && !_options.UsesTeacher)
            _channel.Info($"The method {_options.Method.Name} does not use the teacher.");
        return rehearsal;
    }

    private PreflightReport RunPreflight(DryRun rehearsal, PreparedTeacher? teacher, ClassLabels? classes = null, bool measureTime = false) =>
        new PreflightCheck(_options, _networks, Set, Split, _seeds, _channel.Warnings, classes)
        {
            Costs = new CostMeasures(_context, _options, Set, _device, _inputSchema, _export.MeasureStudent) { Teacher = teacher, TimeOfPass = _timeOfPass },
            // A fit that begins now does not wait for an estimate.
            Alone = measureTime && _options.CompareAlone ? new AloneEstimate(Context with { Budget = new(limit: null) }) : null,
        }.Run(rehearsal, teacher?.Anchors, measureTime);

    /// <summary>Finds out now what the scores of a route's earlier anchors mean, not only when training reaches them. The last anchor is checked by the preflight.</summary>
    private void DecideScores(PreparedTeacher teacher)
    {
        foreach (var anchor in teacher.Anchors.SkipLast(1))
            anchor.Teacher.DecideScores(Set, _options.Method.TeacherNeeds, _networks.GetView(FitNetworks.StudentRole));
    }

    /// <summary>Computes the teacher's outputs that are cached, and checks its quality.</summary>
    private void BeginTeacher(PreparedTeacher teacher, ModelOutputs cached)
    {
        var start = Stopwatch.GetTimestamp();
        if (cached != ModelOutputs.None)
            teacher.Teacher.Begin(Set, cached, _networks.GetView(FitNetworks.StudentRole));
        // A cache in a folder may already have the outputs, and models of folds are fitted in this pass.
        _timeOfPass = teacher.Model is null || _options.TeacherCache.IsPersistent ? null : Stopwatch.GetElapsedTime(start) / Set.Count;
        _networks.TeacherPredictions = TeacherQuality.Check(teacher.Teacher, Set, Split, _columns.Classes, _options, _channel);
        if (ValidationRows.AreJudgedByTeacher(Split))
        {
            _networks.HeldOutTeacherLogits = Scoring.TeacherOutputs(teacher.Teacher, ModelOutputs.Logits, Split.ValidationSet, Split.Validation!, _options.BatchSize)
                .DetachFromDisposeScope();
        }

        if (_checkpoints is not null)
        {
            using var scope = NewDisposeScope();
            _checkpoints.CheckTeacher(TeacherSample.Ask(_options.Teacher!.Name, teacher.Teacher, cached, Set, _options.BatchSize));
        }

        _heldOutTeacher = _options.CompareAlone ? ClassifyHeldOut(teacher.Teacher) : null;
    }

    /// <summary>The classes that the teacher predicts for the held-out rows; null if there are none, or it cannot be asked for them.</summary>
    private long[]? ClassifyHeldOut(StageTeacher teacher)
    {
        if (Split.Validation is not { } held || (!ReferenceEquals(Split.ValidationSet, Set) && !teacher.SupportsAugmentation))
            return null;
        return TeacherAnswers.Query(teacher, Split.ValidationSet, held, _options.BatchSize).Predicted;
    }

    private DistillationTransformer ExportTeacher(Network network, NetworkSpec spec)
    {
        var model = Export(network, spec, DistillationMethod.LabelsOnly().Name, TrainedTeacher.Role, null);
        // Exporting moved it to the CPU; next it teaches the student.
        network.to(_device);
        return model;
    }

    private DistillationTransformer Export(
        Network network, NetworkSpec spec, string method, string role, ITransformer? teacher, (DistillationTransformer Model, DistillationPayoff? Comparison)? alone = null) =>
        DistillationInstruments.Trace("distillation.export", activity =>
        {
            activity?.SetTag(DistillationInstruments.NetworkTag, role);
            return _export.CreateModel(network, spec, method, role, teacher, alone);
        });

    private PreparedTeacher PrepareTeacher() => DistillationInstruments.Trace("distillation.teacher", activity =>
    {
        activity?.SetTag("distillation.teacher", _options.Teacher!.Name);
        return _options.Teacher!.PrepareForFit(CreateRequest());
    });
}
