using MlNetDistill.Data;
using MlNetDistill.Evaluation;
using static TorchSharp.torch;

namespace MlNetDistill.Fitting;

/// <summary>A confusion matrix; only cells with at least one row are stored.</summary>
internal sealed class ClassConfusion
{
    private readonly double[] _rows;
    private readonly double[] _predicted;
    private readonly Dictionary<(int Actual, int Predicted), double> _cells = [];

    private ClassConfusion(int classes) => (_rows, _predicted) = (new double[classes], new double[classes]);

    /// <summary>Number of classes.</summary>
    public int Classes => _rows.Length;

    /// <summary>Rows counted, each with its weight.</summary>
    public double Total => _rows.Sum();

    /// <summary>The classes that have rows, in order.</summary>
    public IReadOnlyList<int> Present => [.. Enumerable.Range(0, Classes).Where(c => _rows[c] > 0)];

    /// <summary>The classes that are predicted for some row, in order.</summary>
    public IReadOnlyList<int> Predicted => [.. Enumerable.Range(0, Classes).Where(c => _predicted[c] > 0)];

    /// <summary>Entropy of the classes' shares in nats: the cross-entropy of a model that predicts these shares for every row.</summary>
    public double PriorEntropy => -_rows.Where(rows => rows > 0).Sum(rows => rows / Total * Math.Log(rows / Total));

    /// <summary>Rows of a class.</summary>
    public double RowsOf(int c) => _rows[c];

    /// <summary>Rows of class <paramref name="c"/> for which class <paramref name="predicted"/> is predicted.</summary>
    public double Cell(int c, int predicted) => _cells.GetValueOrDefault((c, predicted));

    /// <summary>How far the predictions are above chance.</summary>
    public ChanceLevel Level
    {
        get
        {
            var present = Present;
            return present.Count == 0
                ? new(double.NaN, double.NaN, double.NaN, 0)
                : new(present.Sum(c => Cell(c, c)) / Total, _rows.Max() / Total, present.Average(c => Cell(c, c) / _rows[c]), present.Count);
        }
    }

    /// <summary>Counts the rows at <paramref name="positions"/> that have a label, given the predicted class of each position.</summary>
    public static ClassConfusion CountLabelled(int classes, IRowSource set, Tensor positions, long[] predicted)
    {
        using var scope = NewDisposeScope();
        return Count(
            classes,
            set.Labels.index_select(0, positions).cpu().data<long>().ToArray(),
            predicted,
            set.Weights?.index_select(0, positions).cpu().data<float>().ToArray());
    }

    /// <summary>Counts rows; those without a class are left out.</summary>
    /// <param name="classes">Number of classes.</param>
    /// <param name="actual">The class of each row, or a number below 0.</param>
    /// <param name="predicted">The class predicted for each row.</param>
    /// <param name="weights">The weight of each row; null for 1.</param>
    public static ClassConfusion Count(int classes, long[] actual, long[] predicted, float[]? weights = null)
    {
        var counted = new ClassConfusion(classes);
        for (var row = 0; row < actual.Length; row++)
        {
            var weight = weights?[row] ?? 1.0;
            if (actual[row] < 0 || weight == 0)
                continue;
            var cell = ((int)actual[row], (int)predicted[row]);
            counted._rows[cell.Item1] += weight;
            counted._predicted[cell.Item2] += weight;
            counted._cells[cell] = counted._cells.GetValueOrDefault(cell) + weight;
        }

        return counted;
    }
}
