namespace MlNetDistill.Teachers;

/// <summary>One teacher of a route.</summary>
/// <param name="Label">Its name in logs, for example <c>epoch 10</c>.</param>
/// <param name="Epoch">The epoch after which it was recorded, from 1; for teachers that the user gave, their position in the route, from 1.</param>
/// <param name="Teacher">The teacher.</param>
public sealed record Anchor(string Label, int Epoch, StageTeacher Teacher)
{
    /// <summary>Its label.</summary>
    public override string ToString() => Label;
}
