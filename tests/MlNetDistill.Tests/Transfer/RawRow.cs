using Microsoft.ML.Data;

namespace MlNetDistill.Tests.Transfer;

/// <summary>A loaded row: a label, the features, and two more numbers.</summary>
internal sealed class RawRow
{
    public string Label { get; set; } = "";

    [VectorType(4)]
    public float[] Features { get; set; } = [];

    [VectorType(2)]
    public float[] Extra { get; set; } = [];
}
