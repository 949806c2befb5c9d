namespace MlNetDistill;

/// <summary>
/// A network could not be exported as an ML.NET model: its ONNX form does not compute the same function, or could not be written. After training,
/// <see cref="Student"/> holds the trained network, or <see cref="Embedding"/> where the student gives embeddings.
/// </summary>
public sealed class StudentExportException : InvalidOperationException
{
    internal StudentExportException(string message)
        : base(message)
    {
    }

    internal StudentExportException(string message, DistilledStudent student, Exception? inner = null)
        : base(message, inner) => Student = student;

    internal StudentExportException(string message, DistilledEmbedding student, Exception? inner = null)
        : base(message, inner) => Embedding = student;

    /// <summary>The trained network (<see cref="DistilledStudent.ToNetwork"/> gives the module), or null if the check failed before training.</summary>
    public DistilledStudent? Student { get; }

    /// <summary>The trained network of a student that gives embeddings (<see cref="DistilledEmbedding.ToNetwork"/> gives the module); null if there is none.</summary>
    public DistilledEmbedding? Embedding { get; }
}
