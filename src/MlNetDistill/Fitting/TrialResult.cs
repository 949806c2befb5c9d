using System.Text.Json.Serialization;
using MlNetDistill.Training;

namespace MlNetDistill.Fitting;

/// <summary>What one training of a search gave. Without <see cref="Rung"/> it failed.</summary>
internal sealed record TrialResult
{
    /// <summary>The candidate's settings and the length of the training, as text.</summary>
    public required string Setting { get; init; }

    /// <summary>The result on the rows by which candidates are chosen.</summary>
    public SearchRung? Rung { get; init; }

    /// <summary>Why there is no student.</summary>
    public string? Failure { get; init; }

    /// <summary>The progress after each epoch, if the weights are kept.</summary>
    public IReadOnlyList<TrainingProgress> History { get; init; } = [];

    /// <summary>What the method decided.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];

    /// <summary>The warnings of the training.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    /// <summary>The SHA-256 of the weights; null without weights.</summary>
    public string? WeightsSha256 { get; init; }

    /// <summary>The trained weights; null unless they are kept.</summary>
    [JsonIgnore]
    public byte[]? Weights { get; init; }
}
