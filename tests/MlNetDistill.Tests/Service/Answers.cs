using System.Text.Json;
using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Tests.Support;

namespace MlNetDistill.Tests.Service;

/// <summary>What one <c>PredictionEngine</c> in this process says about rows, one after the other, as lines to compare with what a service answers.</summary>
internal static class Answers
{
    public static string[] Expected<TRow>(MLContext mlContext, ITransformer model, IReadOnlyList<TRow> rows)
        where TRow : class
    {
        var classes = Classes(model, mlContext.View(rows.ToArray()).Schema);
        using var engine = mlContext.Model.CreatePredictionEngine<TRow, Prediction>(model, new PredictionEngineOptions { OwnsTransformer = false });
        return
        [
            .. rows.Select(row =>
            {
                var prediction = engine.Predict(row);
                return Line(classes[prediction.PredictedLabel - 1], classes.Zip(prediction.Score));
            }),
        ];
    }

    public static string Found(JsonElement answer) => Line(
        answer.GetProperty("label").GetString()!,
        answer.GetProperty("probabilities").EnumerateObject().Select(probability => (probability.Name, probability.Value.GetSingle())));

    private static string[] Classes(ITransformer model, DataViewSchema inputs)
    {
        VBuffer<ReadOnlyMemory<char>> names = default;
        model.GetOutputSchema(inputs)["PredictedLabel"].GetKeyValues(ref names);
        return [.. names.DenseValues().Select(name => name.ToString())];
    }

    private static string Line(string label, IEnumerable<(string Class, float Value)> probabilities) =>
        $"{label}: {string.Join(' ', probabilities.Select(p => $"{p.Class} {BitConverter.SingleToUInt32Bits(p.Value):x8}"))}";

    private sealed class Prediction
    {
        public uint PredictedLabel { get; set; }

        public float[] Score { get; set; } = [];
    }
}
