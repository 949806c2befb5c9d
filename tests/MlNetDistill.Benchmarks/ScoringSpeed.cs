using System.Diagnostics;
using System.Text.Json;
using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Core;
using MlNetDistill.Methods;
using MlNetDistill.Networks;

namespace MlNetDistill.Benchmarks;

/// <summary>
/// Rows scored in a second by ML.NET's own chain, by a batch scorer and by ONNX Runtime alone in batches, and one by one by prediction engines and by runs of ONNX Runtime.
/// What is compared takes turns.
/// </summary>
internal static class ScoringSpeed
{
    private const int BatchSize = 1024;
    private static readonly TimeSpan Warmup = TimeSpan.FromSeconds(1);

    public static void Run(Arguments arguments)
    {
        var context = new MLContext(seed: 1);
        var letter = Measure<float>(context, "letter-like perceptron 16-128-26", NetworkSpec.Mlp(128), 16, 26, 200 * BatchSize, arguments, random => random.NextSingle());
        var fashion = Measure<byte>(
            context, "Fashion-like ResNet-8", NetworkSpec.ResNet(8, InputShape.Image(1, 28, 28), 8, 16, 32), 784, 10, 4 * BatchSize, arguments, random => (byte)random.Next(256));
        Console.WriteLine(JsonSerializer.Serialize(new { arguments.Rounds, Environment.ProcessorCount, Results = new[] { letter, fashion } }, Indented));
    }

    private static JsonSerializerOptions Indented { get; } = new() { WriteIndented = true };

    private static object Measure<T>(MLContext context, string what, NetworkSpec student, int features, int classes, int rows, Arguments arguments, Func<Random, T> draw)
        where T : unmanaged
    {
        var random = new Random(1);
        var data = Enumerable.Range(0, rows)
            .Select(i => new ScoredRow<T> { Label = $"{i % classes}", Features = [.. Enumerable.Range(0, features).Select(_ => draw(random))] }).ToArray();
        var definition = SchemaDefinition.Create(typeof(ScoredRow<T>));
        definition["Features"].ColumnType = new VectorDataViewType((PrimitiveDataViewType)((VectorDataViewType)definition["Features"].ColumnType).ItemType, features);
        var view = context.Data.LoadFromEnumerable(data, definition);
        var fitted = context.Transforms.Conversion.MapValueToKey("Label")
            .Append(context.MulticlassClassification.Trainers.Distill(student, DistillationMethod.LabelsOnly(), epochs: 1)).Fit(context.Data.TakeRows(view, 520));
        using var zip = new MemoryStream();
        context.Model.Save(fitted, view.Schema, zip);
        zip.Position = 0;
        var model = context.Model.Load(zip, out _);
        using var onnx = new MemoryStream();
        fitted.LastTransformer.SaveOnnx(onnx);

        using var scorer = context.Model.CreateBatchScorer(model, view.Schema);
        using var halfScorer = context.Model.CreateBatchScorer(Stored(StudentPrecision.Float16), view.Schema);
        using var byteScorer = context.Model.CreateBatchScorer(Stored(StudentPrecision.Int8), view.Schema);
        using var direct = new DirectRuns<T>(onnx.ToArray(), [.. data.SelectMany(row => row.Features)], features, classes, BatchSize);
        using var scorerEngine = context.Model.CreatePredictionEngine<ScoredRow<T>, Scores>(
            scorer, new PredictionEngineOptions { InputSchemaDefinition = definition, OwnsTransformer = false });
        using var engine = context.Model.CreatePredictionEngine<ScoredRow<T>, Scores>(
            model, new PredictionEngineOptions { InputSchemaDefinition = definition, OwnsTransformer = false });
        var (arrays, scores) = (data.SelectMany(row => row.Features).ToArray(), new float[rows * classes]);
        var bulk = Turns(arguments.Rounds, rows,
            ("ML.NET, Transform", () => Read(model.Transform(view))),
            ("batch scorer, Transform", () => Read(scorer.Transform(view))),
            ("batch scorer, arrays, in 16 bits", () => Score(halfScorer, arrays, scores)),
            ("batch scorer, arrays, in 8 bits", () => Score(byteScorer, arrays, scores)),
            ("batch scorer, arrays", () => Score(scorer, arrays, scores)),
            ($"ONNX Runtime in batches of {BatchSize}", direct.RunAll));
        const int Single = 5000;
        var single = Turns(arguments.Rounds, Single,
            ("prediction engine", () => Repeat(Single, i => engine.Predict(data[i % rows]))),
            ("prediction engine of the batch scorer", () => Repeat(Single, i => scorerEngine.Predict(data[i % rows]))),
            ("ONNX Runtime, one row", () => Repeat(Single, direct.RunOne)));
        Score(scorer, arrays, scores);
        var same = model.Transform(view).GetColumn<float[]>("Score").SelectMany(row => row).SequenceEqual(scores);
        return new { What = what, Rows = rows, RowsPerSecond = bulk, RowsPerSecondOneByOne = single, Same = same };

        ITransformer Stored(StudentPrecision precision) => fitted.WithPrecision(
            precision, new PrecisionOptions { Test = context.Data.TakeRows(context.Data.SkipRows(view, BatchSize), BatchSize), Calibration = context.Data.TakeRows(view, BatchSize) });
    }

    private static int Score<T>(BatchScorer scorer, T[] features, float[] scores) =>
        features is byte[] bytes ? scorer.Score(bytes, scores) : scorer.Score((float[])(object)features, scores);

    private static void Repeat(int times, Action<int> action)
    {
        for (var i = 0; i < times; i++)
            action(i);
    }

    private static void Read(IDataView scored)
    {
        var column = scored.Schema["Score"];
        using var cursor = scored.GetRowCursor([column]);
        var get = cursor.GetGetter<VBuffer<float>>(column);
        VBuffer<float> value = default;
        while (cursor.MoveNext())
            get(ref value);
    }

    /// <summary>Rows in a second of each, in turns: the median, the least and the most.</summary>
    private static Dictionary<string, double[]> Turns(int rounds, int rows, params (string Name, Action Run)[] kinds)
    {
        foreach (var (_, run) in kinds)
        {
            for (var start = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(start) < Warmup;)
                run();
        }

        var speeds = kinds.ToDictionary(kind => kind.Name, _ => new List<double>());
        for (var round = 0; round < rounds; round++)
        {
            foreach (var (name, run) in round % 2 == 0 ? kinds : [.. kinds.Reverse()])
            {
                var start = Stopwatch.GetTimestamp();
                run();
                speeds[name].Add(rows / Stopwatch.GetElapsedTime(start).TotalSeconds);
            }
        }

        return speeds.ToDictionary(speed => speed.Key, speed => (double[])[Median(speed.Value), speed.Value.Min(), speed.Value.Max()]);
    }

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);

    private sealed class ScoredRow<T>
    {
        public string Label { get; set; } = "";

        [VectorType]
        public T[] Features { get; set; } = [];
    }

    private sealed class Scores
    {
        public float[] Score { get; set; } = [];
    }
}
