using DoesItPay.Data;
using Microsoft.ML;
using MlNetDistill.Evaluation;

namespace DoesItPay.Training;

/// <summary>Size of a saved model and its time for a single row, from raw columns to scores.</summary>
internal static class Cost
{
    private const int Rows = 500;

    // Several processes may run at the same time, so the times are rough; the median of some hundred predictions is enough to tell 10 from 100 µs.
    private static readonly CostOptions Options =
        new() { WarmupPredictions = 200, Predictions = 500, WarmupPasses = 0, Passes = 1, MaximumTime = TimeSpan.FromSeconds(2) };

    public static (long ZipBytes, double Microseconds) Measure(MLContext mlContext, DataSet set, ITransformer model)
    {
        var cost = mlContext.Model.MeasureCost(model, set.Test.Take(Rows), inputSchemaDefinition: Record.Schema(set), options: Options);
        return (cost.ZipBytes, cost.SingleRow.Median);
    }
}
