namespace MlNetDistill.Networks;

/// <summary>A part of a network between two of its taps, for training it alone while the rest is frozen.</summary>
/// <param name="AfterTap">The part begins after this tap (an index into the stage features); null for the network's input.</param>
/// <param name="ThroughTap">The part ends with this tap; null for the logits, so that the last layer belongs to it.</param>
public sealed record NetworkPart(int? AfterTap, int? ThroughTap)
{
    /// <summary>All of the network.</summary>
    public static NetworkPart Whole { get; } = new(null, null);

    /// <inheritdoc/>
    public override string ToString() => (AfterTap, ThroughTap) switch
    {
        (null, null) => "whole network",
        (null, { } through) => $"input to tap {through}",
        ({ } after, null) => $"after tap {after} to the logits",
        ({ } after, { } through) => $"after tap {after} to tap {through}",
    };
}
