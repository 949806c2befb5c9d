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
using TorchSharp;
using static System.FormattableString;
using static TorchSharp.torch;

namespace MlNetDistill.Fitting;

/// <summary>One run of <see cref="EmbeddingTrainer.Fit"/>, from data view to model.</summary>
internal sealed class EmbeddingFit : IDisposable
{
    private const string Role = "student";
    private readonly WarningChannel _channel;
    private readonly EmbeddingOptions _options;
    private readonly DistillationOptions _rowOptions;
    private readonly TrainerColumns _columns;
    private readonly MLContext _context;
    private readonly Seeds _seeds;
    private readonly IDataView _data;
    private readonly IRowSource _set;
    private readonly DataSplit _split;
    private readonly List<string> _notes = [];

    public EmbeddingFit(IHostEnvironment environment, WarningChannel channel, EmbeddingOptions options, IDataView input)
    {
        (_channel, _options, _rowOptions) = (channel, options, options.ToRowOptions());
        // Reading knows rows of classes; without labels, two that no row has.
        _columns = TrainerColumns.Find(input.Schema, _rowOptions, options.LabelColumnName is null ? ClassColumn.FromCount(2) : null) with { KeepsScore = false };
        _seeds = new Seeds(options.Seed!.Value);
        _context = new MLContext(_seeds.DeriveInteger("mlContext")) { TempFilePath = InBox.TempFilePathOf(environment) };
        var device = DeviceChoice.Select(options.Device, environment, channel);
        var vectors = options.Teacher.VectorsRead(input.Schema).ToList();
        var rows = TrainingRows.Read(input, _columns, _rowOptions, TrainingRows.TrainingData, null, options.MissingFeatures == MissingFeatures.Drop ? vectors : []);
        rows.Findings.Warn(channel);
        _data = rows.Unusable.Count == 0 ? input : new FilteredRows(input, id => !rows.Unusable.Contains(id), onOneThread: true);
        _set = rows.Set;
        using var generator = _seeds.CreateGenerator("validation");
        _split = ValidationRows.Split(rows, _columns, _rowOptions, generator, channel);
        _set.MoveTo(device);
        _split.MoveTo(device);
    }

    public EmbeddingTransformer Run()
    {
        using var teacher = TeacherSpace.Create(_options, Answer(), _split.Training, _set.RowIds);
        _options.Sampling.Check(_set, _split.Training, _options.BatchSize);
        if (_options.Head is not null && !_set.HasLabelledWeight(_split.Training))
            throw new InvalidOperationException($"The Head learns from labels, and no row trained on has one in column '{_options.LabelColumnName}' that counts. Leave Head null, or give labelled rows.");
        if (teacher.Note is { } note)
            Note(note);
        _channel.Info($"Read {_set.Count} rows ({_set.Shape}); the teacher ({_options.Teacher.Name}) gives embeddings of {teacher.Length}, the student of {teacher.StudentLength}.");
        var spec = EmbeddingSpec.Of(_options.Student, teacher.StudentLength);
        CheckExport(spec);
        using var network = Build(spec, Role).to(_set.Device);
        StepMemory.Check(network, spec.Name, _rowOptions, _split.Training.shape[0]);
        var history = Train(network, teacher);
        return Export(network, spec, teacher, history);
    }

    public void Dispose()
    {
        _set.Dispose();
        _split.Dispose();
    }

    /// <summary>The teacher's embeddings of all rows, checked.</summary>
    private Tensor Answer() => DistillationInstruments.Trace("distillation.teacher", _ =>
    {
        var answers = _options.Teacher.Compute(new EmbeddingRequest(_data, _columns, _set, _options.BatchSize, _channel, _options.CancellationToken));
        try
        {
            new EmbeddingAnswers(_set, _split, _options, _channel).Check(answers, _options.Teacher.Name);
            return answers;
        }
        catch
        {
            answers.Dispose();
            throw;
        }
    });

    private IReadOnlyList<TrainingProgress> Train(Network network, TeacherSpace teacher)
    {
        using var heldOut = _split.Validation is { } held ? teacher.Target.Of(held).DetachFromDisposeScope() : null;
        var settings = new LoopSettings
        {
            GradientClipping = _options.GradientClipping,
            ScoringBatchSize = _options.BatchSize,
            EarlyStopping = _options.EarlyStopping,
            HeldOutTeacherLogits = heldOut,
            OnCancellation = _options.OnCancellation,
            CancellationToken = _options.CancellationToken,
            Report = new GuardedProgress(_channel, _options.Progress).Report,
            Warn = warning => _channel.Warning($"{warning}"),
        };
        var loss = _options.Head is { } head ? _options.Loss + head.Create(_columns.Classes.Count) : _options.Loss;
        var epochs = _options.Epochs ?? _rowOptions.DefaultEpochsFor(_split.Training.shape[0]);
        var stage = new Stage("embedding", teacher.Target, loss, _options.Sampling.Create(_options.BatchSize), epochs, _options.Optimizer, _options.Schedule);
        if (!_set.HasLabelledWeight(_split.Training))
            stage = LabelTerms.RemoveFrom(stage);
        _channel.Info($"Training the student: {_options.Student.Name}, {network.ParameterCount:N0} parameters, on {_set.Device}.");
        using var loop = new TrainingLoop(network, new EmbeddingTask(teacher.StudentLength, teacher.IsAligned), _set, _split, _seeds, Role, settings);
        loop.Run([stage]);
        if (loop.CancelledIn is not null)
            _channel.Warning($"Training was cancelled; {(loop.RestoredBest ? "its best epoch so far is returned" : "the student is returned with its last weights")}.");
        return loop.State.History;
    }

    private Network Build(NetworkSpec spec, string purpose)
    {
        var scaling = InputStatisticsFactory.Compute(_set, _split.Given, spec.InputScaling);
        var input = new NetworkInput(_columns.Shape, _columns.IsByte, scaling, _columns.Layout.IsInterleaved);
        return spec.Build(input, ((EmbeddingSpec)spec).Length, _seeds.DeriveInteger($"{purpose} weights"));
    }

    /// <summary>Exports an untrained network, so that one that cannot be exported fails before it is trained.</summary>
    private void CheckExport(EmbeddingSpec spec)
    {
        using var network = Build(spec, "export check");
        using var generator = _seeds.CreateGenerator("export check");
        Parity.Perturb(network, _set, generator);
        var (_, difference) = Compare(network);
        var task = new EmbeddingExport(_columns);
        if (double.IsInfinity(difference) && Parity.FindOverflowingValue(network, _set, task) is { } largest)
        {
            throw new InvalidOperationException(
                Invariant($"{spec.Name} gives NaN or infinity for column '{_columns.Features.Name}', whose values go up to {largest:G3}: 32-bit floats overflow. ") +
                "Normalise the features (mlContext.Transforms.NormalizeMeanVariance), or set the student's InputScaling to Standardize.");
        }

        if (!(difference <= task.Tolerance))
            throw new StudentExportException(Invariant($"{spec.Name} and its ML.NET form differ by up to {difference:0.0e0} in {task.ScoreName} (at most {task.Tolerance:0e0} is allowed), found before training."));
    }

    private EmbeddingTransformer Export(Network network, EmbeddingSpec spec, TeacherSpace teacher, IReadOnlyList<TrainingProgress> history) =>
        DistillationInstruments.Trace("distillation.export", _ =>
        {
            network.to(CPU);
            network.eval();
            var model = new DistilledEmbedding(
                network, _options.Student, _options.Seed!.Value, teacher.AxesOf(), teacher.IsAligned ? teacher.Length : null, history, _notes, _channel.Warnings);
            var (chain, difference) = CompareTrained(network, model);
            var task = new EmbeddingExport(_columns);
            if (!(difference <= task.Tolerance))
            {
                throw new StudentExportException(
                    Invariant($"The trained {spec.Name} and its ML.NET form differ by up to {difference:0.0e0} in {task.ScoreName} ") +
                    Invariant($"(at most {task.Tolerance:0e0} is allowed). The trained network is in this exception's Embedding."),
                    model);
            }

            _channel.Info($"The student's ML.NET form agrees with its network within {difference:0.0e0}.");
            return new EmbeddingTransformer(_context, chain, _data.Schema, model);
        });

    /// <summary>Exports a trained network. If that fails, for example because the disk is full, the exception contains the trained weights.</summary>
    private (StudentChain Chain, double Difference) CompareTrained(Network network, DistilledEmbedding model)
    {
        try
        {
            return Compare(network);
        }
        catch (Exception e)
        {
            throw new StudentExportException(
                $"The trained {Role} ({model.Spec.Name}) could not be exported as an ML.NET model: {e.Message} It is in this exception's Embedding.", model, e);
        }
    }

    private (StudentChain Chain, double Difference) Compare(Network network)
    {
        var task = new EmbeddingExport(_columns);
        var chain = new StudentChain(_context, network, _columns, task);
        return (chain, Parity.LargestDifference(_context, chain, network, _set, _columns, task));
    }

    private void Note(string note)
    {
        _notes.Add(note);
        _channel.Info($"{note}");
    }
}
