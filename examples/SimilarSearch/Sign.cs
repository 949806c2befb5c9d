using Microsoft.ML.Data;

namespace SimilarSearch;

/// <summary>A picture of a sign.</summary>
internal sealed class Sign
{
    public const int Size = 16;

    public string Id { get; set; } = "";

    [VectorType(1, Size, Size)]
    public byte[] Pixels { get; set; } = [];
}
