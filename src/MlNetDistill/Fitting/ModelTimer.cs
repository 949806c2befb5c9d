using System.Diagnostics;
using Microsoft.ML;
using MlNetDistill.Core;
using MlNetDistill.Export;

namespace MlNetDistill.Fitting;

/// <summary>Measures the size of a student and its time for a row, over its own feature column alone.</summary>
internal static class ModelTimer
{
    /// <summary>Most rows of a pass.</summary>
    public const int Rows = 1024;

    private const int Passes = 7;

    public static (long ZipBytes, double MicrosecondsPerRow) Measure(MLContext context, DistillationTransformer model, IDataView rows)
    {
        var scored = model.Transform(rows);
        var count = Read();
        // The first passes are slower: .NET recompiles what runs often.
        Read();
        var times = Enumerable.Range(0, Passes).Select(_ =>
        {
            var clock = Stopwatch.StartNew();
            Read();
            return clock.Elapsed.TotalMicroseconds / count;
        }).Order().ToArray();
        return (Save(context, model, rows.Schema), times[Passes / 2]);

        long Read()
        {
            using var scores = RowsView.ReadScores(scored, model.ScoreColumnName);
            return scores.shape[0];
        }
    }

    private static long Save(MLContext context, ITransformer model, DataViewSchema schema)
    {
        using var zip = new MemoryStream();
        using (new InvariantCulture())
            context.Model.Save(model, schema, zip);
        return zip.Length;
    }
}
