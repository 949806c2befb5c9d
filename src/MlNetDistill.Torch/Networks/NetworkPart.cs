namespace MlNetDistill.Networks;

/// <summary>A part of a network between two of its taps, for training it alone while the rest is frozen.</summary>
/// <param name="AfterTap">The part begins after this tap (an index into the stage features); null for the network's input.</param>
/// <param name="ThroughTap">The part ends with this tap; null for the logits, so that the last layer belongs to it.</param>
public sealed record NetworkPart(int? AfterTap, int? ThroughTap)
{
    /// <summary>All of the network.</summary>
    public static NetworkPart Whole { get; } = new(null, null);

    /// <summary>Everything up to the embedding: all but the last layer.</summary>
    public static NetworkPart Backbone { get; } = new(null, null) { HasLastLayer = false };

    /// <summary>Whether the part includes the last layer, if it extends to the logits.</summary>
    public bool HasLastLayer { get; init; } = true;

    /// <inheritdoc/>
    public override string ToString() => (AfterTap, ThroughTap) switch
    {
        (null, null) when !HasLastLayer => "all but the last layer",
        ({ } after, null) when !HasLastLayer => $"after tap {after} to the embedding",
        (null, null) => "whole network",
        (null, { } through) => $"input to tap {through}",
        ({ } after, null) => $"after tap {after} to the logits",
        ({ } after, { } through) => $"after tap {after} to tap {through}",
    };
}
