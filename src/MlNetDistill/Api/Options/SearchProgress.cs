using MlNetDistill.Training;
using static System.FormattableString;

namespace MlNetDistill;

/// <summary>The state of a search, after an epoch or a training.</summary>
public sealed record SearchProgress
{
    /// <summary>The candidate that is trained or was.</summary>
    public required SearchTrial Trial { get; init; }

    /// <summary>The rung of its training, from 1: candidates that stay are trained longer from rung to rung.</summary>
    public required int Rung { get; init; }

    /// <summary>Number of rungs of this bracket, that of the distilled students or that of the student alone.</summary>
    public required int Rungs { get; init; }

    /// <summary>Epochs of the training.</summary>
    public required int Epochs { get; init; }

    /// <summary>The epoch that just ended; null after a training, and for one that was continued from a folder.</summary>
    public TrainingProgress? Epoch { get; init; }

    /// <summary>Epochs trained so far in the whole search, those of an interrupted search included.</summary>
    public required long EpochsDone { get; init; }

    /// <summary>Epochs of the whole search.</summary>
    public required long EpochsPlanned { get; init; }

    /// <summary>All candidates of this bracket so far, the best first.</summary>
    public required IReadOnlyList<SearchTrial> Leaderboard { get; init; }

    /// <summary>Training time so far, that of an interrupted search included.</summary>
    public required TimeSpan Elapsed { get; init; }

    /// <summary>The state in one line.</summary>
    public override string ToString() =>
        Invariant($"rung {Rung}/{Rungs}, trial {Trial.Number} ({Trial.Setting}), epoch {Epoch?.Epoch ?? Epochs}/{Epochs}; {EpochsDone} of {EpochsPlanned} epochs of the search");
}
