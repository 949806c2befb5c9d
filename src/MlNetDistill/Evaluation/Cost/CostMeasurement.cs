using System.Diagnostics;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using MlNetDistill.Core;
using MlNetDistill.Export;

namespace MlNetDistill.Evaluation;

/// <summary>Measures what a model costs.</summary>
internal sealed class CostMeasurement<TRow>
    where TRow : class
{
    private readonly MLContext _context;
    private readonly TRow[] _rows;
    private readonly SchemaDefinition? _definition;
    private readonly CostOptions _options;
    private readonly IDataView _view;
    private readonly string _score;

    public CostMeasurement(IHostEnvironment environment, TRow[] rows, string score, SchemaDefinition? definition, CostOptions options)
    {
        CheckRows(rows);
        // Its own context, so that the user's is not changed.
        _context = new MLContext
        {
            TempFilePath = InBox.TempFilePathOf(environment),
            GpuDeviceId = InBox.GpuDeviceIdOf(environment),
            FallbackToCpu = InBox.FallbackToCpuOf(environment),
        };
        (_rows, _score, _definition, _options) = (rows, score, definition, options);
        _view = _context.Data.LoadFromEnumerable(rows, definition);
    }

    /// <summary>Measures a model in memory. Its memory is measured on a copy that is loaded from a zip.</summary>
    public ModelCost Measure(ITransformer model)
    {
        Check(model);
        return TemporaryFolder.Use(_context.TempFilePath, "the model that is measured", folder =>
        {
            var zip = Path.Combine(folder.Path, "model.zip");
            Save(model, zip, folder.Path);
            // Memory first: the other measurements free memory that the copy could use, and would hide its growth.
            var (memory, copy) = Load(zip);
            (copy as IDisposable)?.Dispose();
            return Cost(model, memory, zip);
        });
    }

    /// <summary>Measures a saved model, including its loading.</summary>
    public ModelCost Measure(string zip)
    {
        var (memory, model) = Load(zip);
        using (model as IDisposable)
            return Cost(model, memory, zip);
    }

    private ModelCost Cost(ITransformer model, long memory, string zip) =>
        new() { PeakMemoryBytes = memory, SingleRow = TimeSingleRow(model), Batch = TimeBatch(model), ZipBytes = new FileInfo(zip).Length };

    private static void CheckRows(TRow[] rows)
    {
        if (rows.Length == 0)
            throw new ArgumentException("There are no rows to score. Give rows like those that the model will score.", nameof(rows));
        var missing = Array.FindIndex(rows, row => row is null);
        if (missing >= 0)
            throw new ArgumentException($"Row {missing} of {rows.Length} is null. Leave it out.", nameof(rows));
    }

    private void Check(ITransformer model)
    {
        if (!model.IsRowToRowMapper)
        {
            throw new InvalidOperationException(
                "The model does not score row by row (one of its steps filters, sorts or joins rows), so the time of one row cannot be measured. " +
                "Measure the part of the model that scores.");
        }

        var schema = model.GetOutputSchema(_view.Schema);
        if (schema.GetColumnOrNull(_score) is not { } column)
        {
            var columns = string.Join(", ", schema.Where(c => !c.IsHidden).Select(c => $"'{c.Name}'"));
            throw new ArgumentOutOfRangeException("scoreColumnName", $"The model has no column '{_score}'. Its columns are {columns}.");
        }

        if (column.Type is not VectorDataViewType { ItemType: NumberDataViewType { RawType: var type } } || type != typeof(float))
        {
            throw new ArgumentOutOfRangeException(
                "scoreColumnName", $"Column '{_score}' must be a vector of Single, the scores of the classes; found {column.Type}.");
        }
    }

    private void Save(ITransformer model, string path, string temporary)
    {
        try
        {
            using var zip = File.Create(path);
            ModelSaving.SaveWithin(temporary, model, _view.Schema, zip);
        }
        catch (InvalidOperationException e)
        {
            throw new InvalidOperationException($"The model cannot be saved, so its size and memory cannot be measured: {e.Message}", e);
        }
    }

    /// <summary>Loads a model, and measures the peak growth of memory while it is loaded and scores rows in both ways.</summary>
    private (long PeakMemory, ITransformer Model) Load(string path)
    {
        using var peak = new WorkingSetPeak();
        var model = Read(path);
        Check(model);
        using var engine = CreateEngine(model);
        for (var i = 0; i < Math.Min(_rows.Length, 100); i++)
            engine.Predict(_rows[i]);
        ScoreAll(model);
        return (peak.Stop(), model);
    }

    private ITransformer Read(string path)
    {
        try
        {
            return OnnxFileName.LoadWithRetry(() => _context.Model.Load(path, out _));
        }
        catch (Exception e) when (e is InvalidOperationException or FormatException or InvalidDataException)
        {
            throw new InvalidOperationException($"The model cannot be loaded from {path}, so its cost cannot be measured: {e.Message}", e);
        }
    }

    private Latency TimeSingleRow(ITransformer model)
    {
        using var engine = CreateEngine(model);
        return Time(i => engine.Predict(_rows[i % _rows.Length]), _options.WarmupPredictions, _options.Predictions);
    }

    private Latency TimeBatch(ITransformer model) => Time(_ => ScoreAll(model), _options.WarmupPasses, _options.Passes, _rows.Length);

    /// <summary>Times per row of repeated runs; <paramref name="work"/> gets the number of runs before. At most a quarter of the time limit is warm-up.</summary>
    private Latency Time(Action<int> work, int warmUps, int runs, int rowsPerRun = 1)
    {
        var start = Stopwatch.GetTimestamp();
        var done = 0;
        while (done < warmUps && Stopwatch.GetElapsedTime(start) < _options.MaximumTime / 4)
            work(done++);
        // A list, because runs may be any large number where the time limit is what counts.
        var times = new List<double>();
        do
        {
            var runStart = Stopwatch.GetTimestamp();
            work(done++);
            times.Add(Stopwatch.GetElapsedTime(runStart).TotalMicroseconds / rowsPerRun);
        }
        while (times.Count < runs && Stopwatch.GetElapsedTime(start) < _options.MaximumTime);

        return Latency.FromTimes([.. times]);
    }


    private PredictionEngine<TRow, Scored> CreateEngine(ITransformer model)
    {
        var scored = SchemaDefinition.Create(typeof(Scored));
        scored[nameof(Scored.Score)].ColumnName = _score;
        return _context.Model.CreatePredictionEngine<TRow, Scored>(
            model, new PredictionEngineOptions { InputSchemaDefinition = _definition, OutputSchemaDefinition = scored, OwnsTransformer = false });
    }

    private void ScoreAll(ITransformer model)
    {
        var scored = model.Transform(_view);
        var column = scored.Schema[_score];
        using var cursor = scored.GetRowCursor([column]);
        var get = cursor.GetGetter<VBuffer<float>>(column);
        VBuffer<float> score = default;
        while (cursor.MoveNext())
            get(ref score);
    }

    private sealed class Scored
    {
        public float[] Score { get; set; } = [];
    }
}
