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
    private readonly IDataView _input;
    private IDataView _data;
    private readonly TrainerColumns _columns;
    private readonly MLContext _context;
    private readonly Seeds _seeds;
    private readonly Device _device;
    private IRowSource _set = null!;
    private DataSplit _split = null!;
    private FitNetworks _networks = null!;
    private FitExport _export = null!;
    private string? _teacherData;
    private long[]? _heldOutTeacher;
    private TimeSpan? _timeOfPass;
    private readonly List<IDataView> _transfer = [];
    private readonly List<AddedBlock> _blocks = [];
    private string? _transferHash;

    public DistillationFit(IHostEnvironment environment, WarningChannel channel, DistillationOptions options, IDataView input)
    {
        _channel = channel;
        _options = options;
        _columns = TrainerColumns.Find(input.Schema, options);
        _input = _data = RepeatedRows.CompareColumns(input, new[] { _columns.Features, _columns.Label }.OfType<DataViewSchema.Column>());
        if (options.TeacherCache.TopK is { } k && k >= _columns.Classes.Count)
        {
            throw new ArgumentOutOfRangeException(
                "options", $"TeacherCache.TopK must be less than the number of classes, {_columns.Classes.Count}; was {k}. Leave it out to keep all logits.");
        }

        _seeds = new Seeds(options.Seed!.Value);
        // Never on a GPU: a student scores single rows, and an application with a GPU for torch need not have ONNX Runtime's GPU package.
        _context = new MLContext(_seeds.DeriveInteger("mlContext")) { TempFilePath = InBox.TempFilePathOf(environment) };
        _device = DeviceChoice.Select(options.Device, environment, channel);
    }

    private bool UsesTeacher => _options.Teacher is not null && _options.Method.TeacherNeeds != ModelOutputs.None;

    public DistillationTransformer Run()
    {
        Read();
        CheckRows();
        using var untrained = CheckExports();
        using var ready = UsesTeacher && _options.Teacher!.IsReady ? PrepareTeacher() : null;
        var rehearsal = Rehearse(untrained, ready);
        // If every query costs a pass over the data, the preflight reads the outputs for all rows instead.
        var hasPreview = ready is { Teacher.NeedsPassPerQuery: false };
        if (hasPreview)
        {
            DecideScores(ready!);
            ready!.Teacher.BeginPreview(_set, _options.Method.TeacherNeeds, _networks.GetView(FitNetworks.StudentRole));
            RunPreflight(rehearsal, ready).Log(_channel);
        }

        using var fitted = UsesTeacher && ready is null ? PrepareTeacher() : null;
        var teacher = ready ?? fitted;
        if (teacher is not null)
            BeginTeacher(teacher);
        if (!hasPreview)
            RunPreflight(rehearsal, teacher).Log(_channel);
        // Its memory is needed for the student that is trained.
        untrained.Dispose();
        var teacherModel = teacher?.Network is { } network ? ExportTeacher(network, teacher.NetworkSpec!) : teacher?.Model;
        using var trained = _networks.Train(new TrainingPlan(
            FitNetworks.StudentRole, _options.Student, _options.Method, teacher?.Anchors ?? [], _options.Epochs, _options.Optimizer, _options.Schedule));
        var alone = _options.CompareAlone ? TrainAlone(trained) : null;
        return Export(trained, _options.Student, _options.Method.Name, FitNetworks.StudentRole, teacherModel, alone);
    }

    /// <summary>Checks everything that can be checked before anything is trained.</summary>
    public PreflightReport Preflight()
    {
        Read();
        CheckRows();
        using var untrained = CheckExports();
        using var teacher = UsesTeacher && _options.Teacher!.IsReady ? _options.Teacher.PrepareForFit(CreateRequest()) : null;
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
        teacher.Teacher.Begin(_set, ModelOutputs.Logits, null);
        var logits = Scoring.TeacherOutputs(teacher.Teacher, ModelOutputs.Logits, _set, _split.Training, _options.BatchSize);
        var probabilities = logits.softmax(1).to(float32).cpu().contiguous();
        return new ScoredRows(_data, column, probabilities.data<float>().ToArray(), _set.RowIds, _columns.Classes);
    }

    public void Dispose()
    {
        _networks?.Dispose();
        _set?.Dispose();
        _split?.Dispose();
    }

    /// <summary>The transfer rows with the columns of the loaded rows.</summary>
    public IDataView MakeTransferRows()
    {
        ReadGiven();
        var transfer = CreateTransferRows();
        IDataView[] kinds = [.. TransferBlock.Of(_options.TransferRows).Select((block, number) => transfer.Make(block, number, _set, _split))];
        return kinds is [var only] ? only : new JoinedView(kinds[0].Schema, kinds);
    }

    /// <summary>How many of the added rows these transfer rows are.</summary>
    private long AddedRows(TransferRows? rows) => _blocks.IntersectBy(TransferBlock.Of(rows), added => added.Block).Sum(added => added.Count);

    private FitTransferRows CreateTransferRows() => new(_context, _channel, _options, _columns, _data, _seeds);

    /// <summary>Reads the blocks that are not yet there, and adds their rows to those trained on.</summary>
    private void AddTransferRows(IReadOnlyList<TransferBlock> blocks)
    {
        if (blocks.Count == 0)
            return;
        var clock = Stopwatch.StartNew();
        var transfer = CreateTransferRows();
        foreach (var block in blocks.Except(_blocks.Select(added => added.Block)))
        {
            var (view, rows) = transfer.Read(transfer.Make(block, _blocks.Count, _set, _split), GetHashedColumns(isNamed: false), [.. GetTeacherVectors()]);
            var joined = new JoinedRows(_set, rows.Set, block.Part.Weight);
            _blocks.Add(new(block, _set.Count, rows.Set.Count));
            _split.Add(_set, joined);
            var isNamed = _options.TeacherCache.CacheKey is not null;
            (_set, _teacherData) = (joined, isNamed || rows.Hash is null ? _teacherData : $"{_teacherData}; transfer rows {rows.Hash}");
            _transferHash = isNamed ? $"{_transferHash} {DataHash.Compute(rows.Set)} {rows.Hash}" : null;
            _transfer.Add(view);
        }

        _channel.Info($"Read {_split.Added} transfer rows in {clock.Elapsed.TotalSeconds:0.0} s.");
    }

    private void Read(string role = TrainingRows.TrainingData)
    {
        ReadGiven(role);
        if (UsesTeacher)
            AddTransferRows(TransferBlock.Of(_options.TransferRows));
        CompleteRows(role);
    }

    private void ReadGiven(string role = TrainingRows.TrainingData)
    {
        var rows = TrainingRows.Read(_input, _columns, _options, role, GetHashedColumns(), [.. GetTeacherVectors()]);
        _set = rows.Set;
        _teacherData = rows.Hash;
        if (rows.Unusable.Count > 0)
            _data = new FilteredRows(_input, id => !rows.Unusable.Contains(id), onOneThread: true);
        rows.Findings.Warn(_channel);
        using var generator = _seeds.CreateGenerator("validation");
        _split = ValidationRows.Split(rows, _columns, _options, generator, _channel);
    }

    /// <summary>Moves all rows to the device; what depends on their number is decided here.</summary>
    private void CompleteRows(string role = TrainingRows.TrainingData)
    {
        FitInstruments.SetRows(_set.Count);
        _set.MoveTo(_device);
        _split.MoveTo(_device);
        var given = _options;
        _options = role == TrainingRows.TrainingData ? given.WithDefaultEpochs(_split.Given.shape[0] + AddedRows(_options.TransferRows)) : given;
        _networks = new FitNetworks(_channel, _options, _columns, _set, _split, _seeds, _device);
        if (_options.Epochs != given.Epochs)
            _networks.Note($"With so few rows {given.Epochs} epochs are too few steps. Epochs is not set, so training takes {_options.Epochs} epochs.");
        if (_split.Added > 0)
            _networks.NoteTransferRows();
        _export = new FitExport(_context, _channel, _networks, _set, _columns, new MulticlassExport(_columns), _input.Schema, _seeds, _options);
    }

    /// <summary>Columns, other than the student's features, by which a teacher cache in a folder is recognised.</summary>
    /// <param name="isNamed">Whether the cache's key is a name of the rows, if there is one.</param>
    private HashedColumns? GetHashedColumns(bool isNamed = true) => UsesTeacher && _options.TeacherCache.IsPersistent && (!isNamed || _options.TeacherCache.CacheKey is null)
        ? new([.. _options.Teacher!.ColumnsRead(_input.Schema).DistinctBy(c => c.Index)], _options.Teacher.ReadsRowsLeftOut)
        : null;

    private IEnumerable<TeacherColumn> GetTeacherVectors() => UsesTeacher && _options.MissingFeatures == MissingFeatures.Drop
        ? _options.Teacher!.VectorsRead(_input.Schema).Where(vector => vector.IsReadable)
        : [];

    private TeacherRequest CreateRequest() => new(
        _context, _channel, _transfer.Count == 0 ? _data : new JoinedView(_data.Schema, [_data, .. _transfer]), _columns, _set, _options, _seeds, _device, _networks,
        TeacherCachingFactory.Create(_options, _columns, _set, _split, _networks, _context, _channel, _transferHash))
    {
        TeacherData = _teacherData,
        HeldOut = GetHeldOutIds(),
        Given = _data,
        Transfer = _transfer.Count == 0 ? null : new JoinedView(_data.Schema, _transfer),
    };

    /// <summary>Ids of the rows of the data that are held out, to choose or to judge by; those in a view of their own are not among the data.</summary>
    private HashSet<RowId> GetHeldOutIds() => _split.Validation is { } held && ReferenceEquals(_split.ValidationSet, _set)
        ? [.. held.cpu().data<long>().ToArray().Select(position => _set.RowIds[position]), .. _judgingRows]
        : [.. _judgingRows];

    /// <summary>Checks that need no network.</summary>
    private void CheckRows()
    {
        var (trained, held) = (_split.Given.shape[0], _split.Validation?.shape[0] ?? 0);
        var added = _split.Added == 0 ? "" : $" and {_split.Added} transfer rows";
        _channel.Info($"Read {_set.Count - _split.Added} rows ({_set.Shape}), {_columns.Classes.Count} classes; training on {trained}{added}, validating on {held}.");
        _options.Sampling.Check(_set, _split.Training, _options.BatchSize);
        foreach (var warning in DataChecks.Warnings(_set, _split, _columns.Classes, _options))
            _channel.Warning($"{warning}");
        if (!_networks.HasLabels)
            CheckWithoutLabels();
    }

    /// <summary>Throws if something other than the method needs labels; the stages of the method are checked when they are enumerated.</summary>
    private void CheckWithoutLabels()
    {
        if (UsesTeacher && _options.Teacher!.NeedsLabels)
        {
            throw new InvalidOperationException(
                $"The teacher ({_options.Teacher.Name}) is trained on labels, and no row trained on has one that counts. Give a teacher that is trained already, or labelled rows.");
        }

        if (_options.CompareAlone)
        {
            throw new InvalidOperationException(
                "CompareAlone trains the student on labels alone as well, and no row trained on has a label that counts. Give labelled rows, or leave CompareAlone false.");
        }

        if (_options.MinimumTeacherAccuracy > 0 && _set.LabelledRows == 0)
            throw new InvalidOperationException(Invariant($"MinimumTeacherAccuracy {_options.MinimumTeacherAccuracy} needs labels to compare the teacher with, and no row has one; leave it null."));
        _networks.Note("No row trained on has a label that counts: the student learns from the teacher alone.");
        if (ValidationRows.AreJudgedByTeacher(_split))
            _networks.Note("Held-out rows have no labels either: agreement with the teacher is reported instead of accuracy.");
    }

    /// <summary>Checks that all networks can be exported.</summary>
    /// <returns>The untrained student, for other checks.</returns>
    private Network CheckExports()
    {
        var student = _export.Check(_options.Student);
        foreach (var spec in UsesTeacher ? _options.Teacher!.ExportedNetworks : [])
        {
            using var network = _export.Check(spec);
            _networks.KeepShapes(spec, network);
        }

        return student;
    }

    private DryRun Rehearse(Network student, PreparedTeacher? ready)
    {
        StepMemory.Check(student, _options.Student.Name, _options, _split.Training.shape[0]);
        _options.InitialWeights?.Check(student.Input, _columns.Classes);
        var anchors = ready?.Anchors ?? (UsesTeacher ? [.. _options.Teacher!.PlanAnchors(CreateRequest())] : []);
        var rehearsal = new DryRun(_options, student, _set, anchors, _networks);
        if (_options.Teacher is not null && !UsesTeacher)
            _channel.Info($"The method {_options.Method.Name} does not use the teacher.");
        return rehearsal;
    }

    private PreflightReport RunPreflight(DryRun rehearsal, PreparedTeacher? teacher, ClassLabels? classes = null, bool measureTime = false) =>
        new PreflightCheck(_options, _networks, _set, _split, _seeds, _channel.Warnings, classes)
        {
            Costs = new CostMeasures(_context, _options, _set, _device, _input.Schema, _export.MeasureStudent) { Teacher = teacher, TimeOfPass = _timeOfPass },
        }.Run(rehearsal, teacher?.Anchors, measureTime);

    /// <summary>Finds out now what the scores of a route's earlier anchors mean, not only when training reaches them. The last anchor is checked by the preflight.</summary>
    private void DecideScores(PreparedTeacher teacher)
    {
        foreach (var anchor in teacher.Anchors.SkipLast(1))
            anchor.Teacher.DecideScores(_set, _options.Method.TeacherNeeds, _networks.GetView(FitNetworks.StudentRole));
    }

    /// <summary>Computes the teacher's outputs that are cached, and checks its quality.</summary>
    private void BeginTeacher(PreparedTeacher teacher)
    {
        var start = Stopwatch.GetTimestamp();
        teacher.Teacher.Begin(_set, _options.Method.TeacherNeeds, _networks.GetView(FitNetworks.StudentRole));
        // A cache in a folder may already have the outputs, and models of folds are fitted in this pass.
        _timeOfPass = teacher.Model is null || _options.TeacherCache.IsPersistent ? null : Stopwatch.GetElapsedTime(start) / _set.Count;
        _networks.TeacherPredictions = TeacherQuality.Check(teacher.Teacher, _set, _split, _columns.Classes, _options, _channel);
        if (ValidationRows.AreJudgedByTeacher(_split))
        {
            _networks.HeldOutTeacherLogits = Scoring.TeacherOutputs(teacher.Teacher, ModelOutputs.Logits, _split.ValidationSet, _split.Validation!, _options.BatchSize)
                .DetachFromDisposeScope();
        }

        _heldOutTeacher = _options.CompareAlone ? ClassifyHeldOut(teacher.Teacher) : null;
    }

    /// <summary>The classes that the teacher predicts for the held-out rows; null if there are none, or it cannot be asked for them.</summary>
    private long[]? ClassifyHeldOut(StageTeacher teacher)
    {
        if (_split.Validation is not { } held || (!ReferenceEquals(_split.ValidationSet, _set) && !teacher.SupportsAugmentation))
            return null;
        using var scope = NewDisposeScope();
        return Scoring.TeacherOutputs(teacher, ModelOutputs.Logits, _split.ValidationSet, held, _options.BatchSize).argmax(1).cpu().data<long>().ToArray();
    }

    /// <summary>Trains the same student on labels alone, compares the two, and notes the result with the distilled student.</summary>
    private (DistillationTransformer Model, DistillationPayoff? Comparison)? TrainAlone(Network distilled)
    {
        var training = new AloneTraining(_context, _channel, _options, _columns, _set, _split, _seeds, _device, _input.Schema);
        if (training.Run(distilled, _networks.Planned, _heldOutTeacher) is not { } alone)
            return null;
        _networks.Note(alone.Comparison?.Sentence ??
            "The student alone (CompareAlone) was trained, but there are no held-out rows to compare the two by. Set ValidationFraction, ValidationColumnName or " +
            "ValidationData; or give both to a DistillationReport with test rows.");
        if (alone.Comparison is { } comparison && PayoffWarning.Create(comparison) is { } warning)
            _channel.Warning($"{warning}");
        return alone;
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
