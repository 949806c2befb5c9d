using Microsoft.ML.Data;

namespace SimilarSearch;

/// <summary>A picture of a sign, and what the teacher makes of it.</summary>
internal sealed class Sign
{
    public const int Size = 16;
    public const int TeacherLength = 64;

    public string Id { get; set; } = "";

    [VectorType(1, Size, Size)]
    public byte[] Pixels { get; set; } = [];

    [VectorType(TeacherLength)]
    public float[] TeacherEmbedding { get; set; } = [];
}
