using MlNetDistill.Alignment;
using MlNetDistill.Data;
using static System.FormattableString;
using static TorchSharp.torch;

namespace MlNetDistill.Fitting;

/// <summary>Warns of training rows that a student cannot learn well from.</summary>
internal static class DataChecks
{
    private const int MostRows = 1024;
    private const int MostFeaturesNamed = 5;

    // Vectors of hashed words or of categories have many slots that are used in few rows.
    private const int WideVector = 256;
    private const double MostEmptyOfWide = 0.9;
    private const double MostBlankPictures = 0.01;

    /// <summary>Warnings, each of one sentence or two with value and remedy.</summary>
    /// <param name="set">The rows.</param>
    /// <param name="split">Which of them are trained on.</param>
    /// <param name="classes">The classes; null for a student without any.</param>
    /// <param name="options">The settings.</param>
    public static IEnumerable<string> Warnings(IRowSource set, DataSplit split, ClassLabels? classes, DistillationOptions options)
    {
        using var scope = NewDisposeScope();
        var labels = set.Labels.index_select(0, split.Given).cpu().data<long>().ToArray();
        var weights = set.Weights?.index_select(0, split.Given).cpu().data<float>().ToArray();
        if (weights is not null && ManyWithoutWeight(weights, options.ExampleWeightColumnName!) is { } weightless)
            yield return weightless;
        if (classes is not null && ClassesWithoutRow(labels, weights, classes) is { } missing)
            yield return missing;
        if (HeldOut(set, split, classes?.Count ?? 0, options) is { } share)
            yield return share;
        foreach (var constant in ConstantFeatures(set, split.Given, options.FeatureColumnName))
            yield return constant;
    }

    private static string? HeldOut(IRowSource set, DataSplit split, int classes, DistillationOptions options)
    {
        var (trained, held) = (split.Given.shape[0], split.Validation?.shape[0] ?? 0);
        if (options.ValidationFraction > 0 && held < classes)
        {
            return Invariant($"ValidationFraction {options.ValidationFraction} holds out {held} of {held + trained} rows, fewer than there are classes ({classes}): ") +
                "they are too few to measure anything. Usual shares are 0.1 to 0.3.";
        }

        return ReferenceEquals(split.ValidationSet, set) && held > trained
            ? Invariant($"{(options.ValidationColumnName is { } column ? $"The validation column '{column}'" : Invariant($"ValidationFraction {options.ValidationFraction}"))} holds out {held} of {held + trained} rows and leaves {trained} to train on. Usual shares are 0.1 to 0.3.")
            : null;
    }

    private static IEnumerable<string> ConstantFeatures(IRowSource set, Tensor positions, string column)
    {
        var (least, most, blank) = Ranges(set, positions);
        int[] constant = [.. Enumerable.Range(0, least.Length).Where(feature => least[feature] == most[feature])];
        var rows = positions.shape[0];
        if (constant.Length == least.Length && rows > 1)
        {
            yield return $"All {rows} rows trained on have the same features (column '{column}'), so nothing can be learnt from them. Check the step that makes this column.";
            yield break;
        }

        if (!set.IsByte && !set.Shape.IsImage && constant.Length > 0 && (least.Length <= WideVector || constant.Length > MostEmptyOfWide * least.Length))
        {
            var some = string.Join(", ", constant.Take(MostFeaturesNamed)) + (constant.Length > MostFeaturesNamed ? ", …" : "");
            yield return Invariant($"{constant.Length} of {least.Length} features in column '{column}' have one value in all rows trained on (from 0: {some}; the first is {least[constant[0]]}): ") +
                "they carry no information, and the student does not know other values. Check the step that makes them, or leave them out.";
        }

        if (set.Shape.IsImage && blank > Math.Max(1, MostBlankPictures * rows))
        {
            yield return $"{blank} of {rows} pictures trained on (column '{column}') have one value in all pixels. Check that they were found and loaded, and how their pixels are extracted.";
        }
    }

    /// <summary>Least and largest value of each feature, and the number of pictures in which all pixels have the same value.</summary>
    private static (float[] Least, float[] Most, long Blank) Ranges(IRowSource set, Tensor positions)
    {
        // Sparse rows are vectors, of which blank ones are not counted.
        if (set is ISparseSource sparse)
        {
            var (lows, highs) = StoredStatistics.FindRanges(sparse, positions, set.Shape.Length);
            return (lows, highs, 0);
        }

        using var scope = NewDisposeScope();
        Tensor? least = null, most = null;
        var blank = 0L;
        foreach (var chunk in Chunks.Split(positions, Chunks.RowsAtATime(set, MostRows)))
        {
            using var inner = NewDisposeScope();
            var rows = set.Gather(chunk, set.Device).flatten(1);
            var (low, high) = (rows.amin([0]), rows.amax([0]));
            least = (least is null ? low : minimum(least, low)).MoveToOuterDisposeScope();
            most = (most is null ? high : maximum(most, high)).MoveToOuterDisposeScope();
            blank += rows.amin([1]).eq(rows.amax([1])).sum().item<long>();
        }

        return (Values(least!), Values(most!), blank);
    }

    private static float[] Values(Tensor tensor) => tensor.to(float32).cpu().data<float>().ToArray();

    private static string? ManyWithoutWeight(float[] weights, string column)
    {
        var none = weights.Count(weight => weight == 0);
        return none > weights.Length - none
            ? Invariant($"{none} of {weights.Length} training rows have weight 0 in column '{column}', so they are ignored: the student learns from {weights.Length - none}. ") +
                "Check the step that makes the weights; rows that are not meant to count are better left out."
            : null;
    }

    private static string? ClassesWithoutRow(long[] labels, float[]? weights, ClassLabels classes)
    {
        // Another warning covers labelled rows of a single class.
        if (labels.Where(label => label >= 0).Distinct().Count() <= 1)
            return null;
        var present = labels.Where((label, row) => label >= 0 && weights?[row] is null or > 0).Distinct().Select(label => (int)label).ToHashSet();
        int[] missing = [.. Enumerable.Range(0, classes.Count).Where(c => !present.Contains(c))];
        return missing.Length == 0 ? null :
            $"No row trained on{(weights is null ? "" : " whose weight is above 0")} is of {(missing.Length == 1 ? "class" : "the classes")} {ClassNameChecks.NamesOf(missing, classes)} ({missing.Length} of {classes.Count}): " +
            "the student learns these from its teacher's probabilities alone, if at all. Add rows of them, or fit MapValueToKey to the classes there are.";
    }
}
