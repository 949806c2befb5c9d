using Microsoft.ML;
using Microsoft.ML.Runtime;
using MlNetDistill.Alignment;
using MlNetDistill.Core;
using MlNetDistill.Data;
using MlNetDistill.Diagnostics;
using MlNetDistill.Export;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Reading;
using MlNetDistill.Teachers;
using MlNetDistill.Training;
using static TorchSharp.torch;

namespace MlNetDistill.Fitting;

/// <summary>One run of <see cref="EmbeddingTrainer.Fit"/>, from data view to model.</summary>
internal sealed class EmbeddingFit : IDisposable
{
    private readonly WarningChannel _channel;
    private readonly EmbeddingOptions _options;
    private readonly DistillationOptions _rowOptions;
    private readonly TrainerColumns _columns;
    private readonly MLContext _context;
    private readonly Seeds _seeds;
    private readonly Device _device;
    private readonly FitRows _rows;

    public EmbeddingFit(IHostEnvironment environment, WarningChannel channel, EmbeddingOptions options, IDataView input)
    {
        _channel = channel;
        _rowOptions = options.ToRowOptions() with { Teacher = new RowsTeacher(options.Teacher) };
        // Reading knows rows of classes; without labels, two that no row has.
        _columns = TrainerColumns.Find(input.Schema, _rowOptions, options.LabelColumnName is null ? ClassColumn.FromCount(2) : null) with { KeepsScore = false };
        _seeds = new Seeds(options.Seed!.Value);
        _context = new MLContext(_seeds.DeriveInteger("mlContext")) { TempFilePath = InBox.TempFilePathOf(environment) };
        _device = DeviceChoice.Select(options.Device, environment, channel);
        var precision = PrecisionChoice.Select(options.Precision, _device, channel);
        (_options, _rowOptions) = (options with { Precision = precision }, _rowOptions with { Precision = precision });
        _rows = new FitRows(_context, channel, _rowOptions, _columns, _seeds, input);
        // Finds a missing column before the rows are read.
        _ = options.Teacher.VectorsRead(input.Schema).Count();
    }

    private IRowSource Set => _rows.Set;

    private DataSplit Split => _rows.Split;

    public EmbeddingTransformer Run()
    {
        _rows.Read(TrainingRows.TrainingData);
        _rows.Add(TransferBlock.Of(_options.TransferRows));
        _rows.MoveTo(_device);
        using var anchors = QueryTeacher();
        var teacher = anchors.Last;
        CheckRows();
        _channel.Info($"Read {Set.Count} rows ({Set.Shape}); the teacher ({_options.Teacher.Name}) gives embeddings of {teacher.Length}, the student of {teacher.StudentLength}.");
        var loss = _options.Head is { } head ? _options.Loss + head.Create(_columns.Classes.Count) : _options.Loss;
        var options = _rowOptions.WithDefaultEpochs(Split.Given.shape[0], Split.Added) with
        {
            Student = EmbeddingSpec.Of(_options.Student, teacher.StudentLength),
            Method = _options.Method.Create(loss),
        };
        using var networks = new FitNetworks(_channel, options, _columns, Set, Split, _seeds, _device)
        {
            Budget = _rowOptions.CreateBudget(),
            Task = new EmbeddingTask(teacher.StudentLength, teacher.IsAligned),
            HeldOutTeacherLogits = Split.Validation is { } held ? teacher.Target.Of(held).DetachFromDisposeScope() : null,
        };
        using var checkpoints = OpenCheckpoints(options, networks, teacher);
        networks.Checkpoints = checkpoints;
        foreach (var note in anchors.Notes)
            networks.Note(note);
        if (Split.Added > 0)
            networks.NoteTransferRows();
        var export = new FitExport(_context, _channel, networks, Set, _columns, new EmbeddingExport(_columns), _rows.Given.Schema, _seeds, options);
        using (var untrained = export.Check(options.Student))
            WarnOfFewSteps(new DryRun(options, untrained, Set, anchors.Anchors, networks), options);
        BeginCheckpoints(checkpoints, teacher);
        using var network = networks.Train(new TrainingPlan(
            FitNetworks.StudentRole, options.Student, options.Method, anchors.Anchors, options.Epochs, options.Optimizer, options.Schedule));
        return DistillationInstruments.Trace("distillation.export", _ => CreateModel(network, options, teacher, networks, export));
    }

    public void Dispose() => _rows.Dispose();

    private void CheckRows()
    {
        _options.Sampling.Check(Set, Split.Training, _options.BatchSize);
        foreach (var warning in DataChecks.Warnings(Set, Split, null, _rowOptions))
            _channel.Warning($"{warning}");
        if (_options.Head is not null && !Set.HasLabelledWeight(Split.Training))
            throw new InvalidOperationException($"The Head learns from labels, and no row trained on has one in column '{_options.LabelColumnName}' that counts. Leave Head null, or give labelled rows.");
    }

    private void WarnOfFewSteps(DryRun rehearsal, DistillationOptions options)
    {
        Stage[] stages = [.. rehearsal.Phases.Select(phase => phase.StudentStage)];
        if (StepsCheck.Warning(stages, stage => stage.Sampler.BatchesPerEpoch(Split.Training.shape[0]), options.BatchSize) is { } few)
            _channel.Warning($"{few}");
    }

    private EmbeddingAnchors QueryTeacher() => DistillationInstruments.Trace("distillation.teacher", _ =>
        EmbeddingAnchors.Create(_options, new EmbeddingRequest(_rows.View, _columns, Set, _options.BatchSize, _channel, _options.CancellationToken), Split));

    private FitCheckpoints? OpenCheckpoints(DistillationOptions options, FitNetworks networks, TeacherSpace teacher)
    {
        if (_options.CheckpointDirectory is not { } directory)
            return null;
        var description = new FitDescription
        {
            Seed = _options.Seed!.Value,
            Method = options.Method.Name,
            Settings = FitDescription.Compared((_options with { Epochs = options.Epochs }).DescribeSettings()),
            RowMemory = _options.RowStorage.MemoryLimit!.Value,
            Rows = Set.Count,
            RowsHash = RowsHash.Compute(Set, Split, []),
            Student = new(
                options.Student.Name, options.Student.GetType().FullName!, options.Student.ToJson(), networks.GetInput(options.Student), teacher.StudentLength, null, null),
        };
        return FitCheckpoints.Open(directory, _options.Checkpoints, description, _context, _rows.Given.Schema, _channel);
    }

    private void BeginCheckpoints(FitCheckpoints? checkpoints, TeacherSpace teacher)
    {
        if (checkpoints is null)
            return;
        checkpoints.Begin();
        using var scope = NewDisposeScope();
        checkpoints.CheckTeacher(new TeacherSample(
            _options.Teacher.Name, new Dictionary<string, Tensor> { ["embeddings"] = teacher.Target.Of(SpreadPositions.Create(Set.Count, TeacherSample.Rows, Set.Device)) }));
    }

    private EmbeddingTransformer CreateModel(Network network, DistillationOptions options, TeacherSpace teacher, FitNetworks networks, FitExport export)
    {
        FitExport.Finish(network);
        var model = new DistilledEmbedding(
            network, _options.Student, _options.Seed!.Value, teacher.AxesOf(), teacher.IsAligned ? teacher.Length : null, networks.History(FitNetworks.StudentRole), networks.Notes, _channel.Warnings,
            (_options with { Epochs = options.Epochs }).DescribeSettings());
        var chain = export.Export(network, options.Student, FitNetworks.StudentRole, (message, inner) => new StudentExportException($"{message} in this exception's Embedding.", model, inner));
        return new EmbeddingTransformer(_context, chain, _rows.Given.Schema, model) { TrainedRows = networks.TrainedRows };
    }
}
