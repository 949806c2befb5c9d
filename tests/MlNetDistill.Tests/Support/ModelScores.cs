using Microsoft.ML;
using Microsoft.ML.Data;
using static TorchSharp.torch;

namespace MlNetDistill.Tests.Support;

/// <summary>Reads the predictions of a model for rows, for comparisons to the last bit.</summary>
internal static class ModelScores
{
    /// <summary>A line for each row: the predicted label as text, a tab, the bits of the scores in hexadecimal.</summary>
    public static string[] ReadLines(IDataView scored, string score = "Score", string predictedLabel = "PredictedLabel") =>
    [
        .. ReadNames(scored, predictedLabel).Zip(ReadScores(scored, score), (name, scores) =>
            $"{name}\t{string.Join(' ', scores.Select(s => BitConverter.SingleToUInt32Bits(s).ToString("x8")))}"),
    ];

    public static float[][] ReadScores(IDataView scored, string column = "Score") => [.. scored.GetColumn<float[]>(column)];

    /// <summary>A text column, or a key column whose values are text, as text; null where a key is missing.</summary>
    public static string?[] ReadNames(IDataView view, string column)
    {
        var found = view.Schema[column];
        if (found.Type is TextDataViewType)
            return [.. view.GetColumn<string>(column)];
        VBuffer<ReadOnlyMemory<char>> values = default;
        found.GetKeyValues(ref values);
        var names = values.DenseValues().Select(v => v.ToString()).ToArray();
        return [.. view.GetColumn<uint>(column).Select(key => key == 0 ? null : names[key - 1])];
    }

    /// <summary>The softmax of the torch student's logits for every row of a view.</summary>
    public static float[][] ComputeWithNetwork(DistillationTransformer student, IDataView view)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var network = student.Model.ToNetwork();
        var rows = network.Input.IsByte
            ? stack(view.GetColumn<byte[]>(student.FeatureColumnName).Select(row => tensor(row)))
            : stack(view.GetColumn<float[]>(student.FeatureColumnName).Select(row => tensor(row)));
        var shaped = rows.reshape([rows.shape[0], .. network.Input.Shape.Dimensions]);
        var probabilities = network.forward(shaped).Logits.softmax(1).data<float>().ToArray();
        return [.. probabilities.Chunk(network.LogitCount)];
    }

    /// <summary>The largest difference of two sets of scores; infinite where one is NaN.</summary>
    public static float LargestDifference(float[][] a, float[][] b)
    {
        Assert.That(a.Select(row => row.Length), Is.EqualTo(b.Select(row => row.Length)));
        var differences = a.SelectMany(row => row).Zip(b.SelectMany(row => row), (x, y) => Math.Abs(x - y));
        return differences.Select(d => float.IsNaN(d) ? float.PositiveInfinity : d).Max();
    }
}
