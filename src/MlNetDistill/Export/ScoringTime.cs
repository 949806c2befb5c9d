using System.Diagnostics;
using Microsoft.ML;
using MlNetDistill.Data;
using MlNetDistill.Networks;
using MlNetDistill.Reading;

namespace MlNetDistill.Export;

/// <summary>The time in which an exported student scores a row of a batch, in ML.NET on the CPU.</summary>
internal static class ScoringTime
{
    private const int Rows = 128;
    private const int Passes = 5;
    private static readonly TimeSpan Enough = TimeSpan.FromMilliseconds(300);

    /// <summary>The time of a row in the fastest of a few passes over rows spread over the training set. The first pass also warms up.</summary>
    public static TimeSpan Measure(MLContext context, StudentChain chain, IRowSource set, TrainerColumns columns, NetworkInput input)
    {
        using var scope = TorchSharp.torch.NewDisposeScope();
        var positions = SpreadPositions.Create(set.Count, Rows, set.Device);
        var scored = chain.Scoring.Transform(RowsView.Create(context, set, positions, columns, input.IsInterleaved));
        var (begin, fastest) = (Stopwatch.GetTimestamp(), TimeSpan.MaxValue);
        for (var pass = 0; pass < Passes && (pass < 2 || Stopwatch.GetElapsedTime(begin) < Enough); pass++)
        {
            var start = Stopwatch.GetTimestamp();
            RowsView.ReadScores(scored, columns.Score).Dispose();
            fastest = Stopwatch.GetElapsedTime(start) is var time && time < fastest ? time : fastest;
        }

        return fastest / positions.shape[0];
    }
}
