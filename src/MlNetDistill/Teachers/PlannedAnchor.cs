using MlNetDistill.Networks;

namespace MlNetDistill.Teachers;

/// <summary>An anchor that a teacher is going to have.</summary>
/// <param name="Label">Its name.</param>
/// <param name="Epoch">Its epoch, or its place in the route.</param>
/// <param name="Network">Its network, or null for a model that gives class scores alone.</param>
internal sealed record PlannedAnchor(string Label, int Epoch, NetworkSpec? Network)
{
    /// <summary>What it is known to give, where it is no network.</summary>
    public OutputShapes? Shapes { get; init; }
}
