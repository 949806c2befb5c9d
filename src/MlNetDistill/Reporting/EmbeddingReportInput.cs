using Microsoft.ML;
using MlNetDistill.Core;
using MlNetDistill.Evaluation;

namespace MlNetDistill.Reporting;

/// <summary>The input of an <see cref="EmbeddingReport"/>: models, rows and measured costs.</summary>
public sealed record EmbeddingReportInput
{
    /// <summary>Title of the report.</summary>
    public required string Title { get; init; }

    /// <summary>Your description under the title; null for none.</summary>
    public string? Description { get; init; }

    /// <summary>Rows of identities that no model was trained on, with the columns that the models read and the identity.</summary>
    public required IDataView Test { get; init; }

    /// <summary>The student: the whole model, from the columns of the rows to its embedding.</summary>
    public required ITransformer Student { get; init; }

    /// <summary>The teacher as an ML.NET model for the same rows; null if its embeddings are a column of the rows.</summary>
    public ITransformer? Teacher { get; init; }

    /// <summary>The teacher's embeddings: a column of <see cref="Teacher"/>'s output, or of the rows if there is no such model.</summary>
    public string TeacherColumnName { get; init; } = "TeacherEmbedding";

    /// <summary>The student's embeddings.</summary>
    public string EmbeddingColumnName { get; init; } = "Embedding";

    /// <summary>The identity of each row: a key, text or a whole number.</summary>
    public string IdColumnName { get; init; } = "Label";

    /// <summary>Settings of the search, other than the teacher's column: a gallery, the rule of the same camera, the number of nearest rows.</summary>
    public RetrievalOptions Retrieval { get; init; } = new();

    /// <summary>Settings of the verification, which compares every row with every other; null to leave it out.</summary>
    public VerificationOptions? Verification { get; init; } = new();

    /// <summary>The teacher's name in the report.</summary>
    public string TeacherName { get; init; } = "Teacher";

    /// <summary>The teacher's cost from <c>mlContext.Model.MeasureCost</c>; null if not measured.</summary>
    public ModelCost? TeacherCost { get; init; }

    /// <summary>The student's cost; null if not measured.</summary>
    public ModelCost? StudentCost { get; init; }

    /// <summary>Its settings, in a line where they fit in one.</summary>
    public override string ToString() => SettingText.Describe(this);

    /// <exception cref="ArgumentException">A required value is null, or the student would be compared with itself.</exception>
    internal void Check()
    {
        foreach (var (name, value) in new (string, object?)[]
        {
            (nameof(Title), Title), (nameof(Test), Test), (nameof(Student), Student), (nameof(TeacherColumnName), TeacherColumnName), (nameof(EmbeddingColumnName), EmbeddingColumnName),
            (nameof(IdColumnName), IdColumnName), (nameof(Retrieval), Retrieval), (nameof(TeacherName), TeacherName),
        })
        {
            if (value is null)
                throw new ArgumentException($"{name} of the EmbeddingReportInput must be set; it is null.", "input");
        }

        if (Teacher is null && TeacherColumnName == EmbeddingColumnName)
        {
            throw new ArgumentException(
                $"There is no Teacher, and TeacherColumnName is '{EmbeddingColumnName}', the student's own embedding, so the student would be compared with itself. Set Teacher, or set " +
                "TeacherColumnName to a column of the rows.",
                "input");
        }

        if (ReferenceEquals(Retrieval.Gallery, Test))
            throw new ArgumentException("The Gallery is Test itself, in which every row finds itself first. Leave Gallery null to search Test for other rows.", "input");
    }
}
