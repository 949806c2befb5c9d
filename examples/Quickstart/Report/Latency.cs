using System.Diagnostics;
using Microsoft.ML;
using Quickstart.Data;

namespace Quickstart.Report;

/// <summary>What an application that predicts row by row waits for.</summary>
internal static class Latency
{
    private const int WarmUp = 200;
    private const int Measured = 1000;

    /// <summary>Median time of a prediction in microseconds, the just-in-time compiler's share left out.</summary>
    public static double Median<T>(MLContext mlContext, ITransformer model, Row<T>[] rows, int[] dimensions)
    {
        using var engine = mlContext.Model.CreatePredictionEngine<Row<T>, Prediction>(model, inputSchemaDefinition: Row<T>.Schema(dimensions));
        var prediction = new Prediction();
        var times = new double[Measured];
        for (var i = -WarmUp; i < Measured; i++)
        {
            var start = Stopwatch.GetTimestamp();
            engine.Predict(rows[(i + WarmUp) % rows.Length], ref prediction);
            if (i >= 0)
                times[i] = Stopwatch.GetElapsedTime(start).TotalMicroseconds;
        }

        Array.Sort(times);
        return times[Measured / 2];
    }

    private sealed class Prediction
    {
        public string PredictedLabel { get; set; } = "";
    }
}
