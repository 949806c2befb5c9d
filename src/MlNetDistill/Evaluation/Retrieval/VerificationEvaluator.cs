using System.Numerics.Tensors;
using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Reading;

namespace MlNetDistill.Evaluation;

/// <summary>Compares pairs of rows: all pairs of a view, or pairs that the view has side by side.</summary>
internal static class VerificationEvaluator
{
    /// <summary>All pairs of rows that have identities.</summary>
    public static VerificationMetrics OverAllPairs(EmbeddingRows rows, VerificationOptions options)
    {
        int[] known = [.. Enumerable.Range(0, rows.Count).Where(row => rows.Ids[row] != IdReader.None)];
        float[][] embeddings = [.. known.Select(row => rows.Embeddings[0][row])];
        int[] ids = [.. known.Select(row => rows.Ids[row])];
        var counts = new PairCounts(PositiveScores(embeddings, ids));
        var negatives = ((long)ids.Length * (ids.Length - 1) / 2) - counts.Positives;
        var top = new TopScores(VerificationCurve.NeededNegatives(options, negatives));
        Similarities.ForEachQuery(embeddings, embeddings, (query, scores) =>
        {
            var highest = new List<float>();
            for (var row = query + 1; row < scores.Length; row++)
            {
                if (ids[row] == ids[query])
                    continue;
                counts.Add(scores[row]);
                highest.Add(scores[row]);
            }

            top.Add(highest);
        });
        return VerificationCurve.Metrics(counts, top.Sorted(), options, null);
    }

    /// <summary>Pairs that a view has side by side.</summary>
    public static VerificationMetrics OverGivenPairs(
        IDataView pairs, DataViewSchema.Column first, DataViewSchema.Column second, DataViewSchema.Column same, VerificationOptions options)
    {
        var (scores, distances, isSame) = (new List<float>(), new List<double>(), new List<bool>());
        UnreadableRow.LocateFailure(() =>
        {
            var source = new ViewColumns(pairs, [first, second, same], row => $"Row {row} (counted from 0) of the pairs cannot be read") { RemedyIfDisposed = ViewColumns.KeepTheModel };
            using var cursor = source.Open();
            var (getFirst, getSecond, getSame) = (EmbeddingRows.CreateGetter(cursor, first), EmbeddingRows.CreateGetter(cursor, second), cursor.GetGetter<bool>(same));
            var value = false;
            for (var row = 0L; cursor.MoveNext(); row++)
            {
                var (a, b) = (getFirst(row), getSecond(row));
                getSame(ref value);
                scores.Add(TensorPrimitives.Dot<float>(a, b));
                distances.Add(a.Zip(b, (x, y) => ((double)x - y) * ((double)x - y)).Sum());
                isSame.Add(value);
            }

            return scores.Count;
        });
        if (scores.Count < options.Folds)
            throw new InvalidOperationException($"There are {scores.Count} pairs for {options.Folds} folds. Give at least a pair for each fold, or fewer Folds in the options.");
        var counts = new PairCounts(scores.Where((_, i) => isSame[i]));
        float[] negatives = [.. scores.Where((_, i) => !isSame[i]).OrderDescending()];
        foreach (var score in negatives)
            counts.Add(score);
        return VerificationCurve.Metrics(counts, negatives, options, FoldAccuracy.Compute([.. distances], [.. isSame], options.Folds));
    }

    private static IEnumerable<float> PositiveScores(float[][] embeddings, int[] ids)
    {
        foreach (var group in Enumerable.Range(0, ids.Length).GroupBy(row => ids[row]))
        {
            int[] rows = [.. group];
            for (var i = 0; i < rows.Length; i++)
            {
                for (var j = i + 1; j < rows.Length; j++)
                    yield return TensorPrimitives.Dot<float>(embeddings[rows[i]], embeddings[rows[j]]);
            }
        }
    }
}
