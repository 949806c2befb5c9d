using Microsoft.ML;
using MlNetDistill.Networks;

namespace CompareMethods.Data;

/// <summary>The data and the networks: rows with the columns that a network reads, teacher and student.</summary>
internal sealed record Workload
{
    public required string Title { get; init; }

    /// <summary>The training rows, with the label as a key in <c>Class</c>.</summary>
    public required IDataView Train { get; init; }

    public required IDataView Test { get; init; }

    public required int TrainRows { get; init; }

    public required int TestRows { get; init; }

    /// <summary>The column that the networks read.</summary>
    public required string FeatureColumnName { get; init; }

    public required NetworkSpec Teacher { get; init; }

    public required NetworkSpec Student { get; init; }

    /// <summary>Length of the teacher's embedding, which SimKD's student has too.</summary>
    public required int TeacherEmbedding { get; init; }

    /// <summary>The methods that were chosen; null for all.</summary>
    public required IReadOnlyList<string>? Methods { get; init; }

    /// <summary>Parts of the student's backbone, for which SSKD has one stage each.</summary>
    public required int StudentStages { get; init; }

    public required int TeacherEpochs { get; init; }

    public required int Epochs { get; init; }

    /// <summary>Settings that the search tries for each method.</summary>
    public required int Tries { get; init; }

    public required int BatchSize { get; init; }

    /// <summary>Threads of a tensor operation that suit these networks; null for libtorch's default.</summary>
    public required int? Threads { get; init; }
}
