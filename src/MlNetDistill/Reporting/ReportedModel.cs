using MlNetDistill.Core;
using MlNetDistill.Evaluation;
using MlNetDistill.Training;

namespace MlNetDistill.Reporting;

/// <summary>One of the models in a <see cref="DistillationReport"/>.</summary>
public sealed record ReportedModel
{
    /// <summary>Its name in the report, for example <c>Student, distilled</c>.</summary>
    public required string Name { get; init; }

    /// <summary>A network's name, or the type of the model; null if unknown.</summary>
    public string? Kind { get; init; }

    /// <summary>Number of trained parameters of a network; null if unknown or not a network.</summary>
    public long? Parameters { get; init; }

    /// <summary>Its cost; null if not measured.</summary>
    public ModelCost? Cost { get; init; }

    /// <summary>
    /// SHA-256 of the contents of the saved model, 64 hexadecimal digits; null if it cannot be saved. It is not the hash of the zip file, which contains the time.
    /// </summary>
    public string? Hash { get; init; }

    /// <summary>The epochs of its training; empty if unknown.</summary>
    public IReadOnlyList<TrainingProgress> History { get; init; } = [];

    /// <summary>What its method decided during training, as sentences.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];

    /// <summary>The warnings of its fit (<see cref="DistilledStudent.Warnings"/>); empty if unknown.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    /// <summary>Settings of its training, by name.</summary>
    public IReadOnlyList<ReportedSetting> Settings { get; init; } = [];

    /// <summary>Name, kind, size, and the table of its cost if it was measured.</summary>
    public override string ToString() => TextLines.Clean($"{Name}: {Kind ?? "unknown kind"}")
        + (Parameters is { } parameters ? $", {Figures.Count(parameters)} parameters" : "") + (Cost is null ? "" : $"{Environment.NewLine}{Cost}");
}

/// <summary>A set of training or test rows.</summary>
/// <param name="Name">Its name in the report, for example <c>Test rows</c>.</param>
/// <param name="Rows">Number of rows.</param>
/// <param name="Hash">
/// Hash of their ids and all their columns. Shuffling does not change it; but an id is usually the row's position in its source, so the same rows in a file of another
/// order have another hash. Null if a column cannot be hashed.
/// </param>
public sealed record ReportedData(string Name, long Rows, string? Hash)
{
    /// <summary>Name, number and hash of the rows.</summary>
    public override string ToString() => $"{Name}: {Figures.Count(Rows)} rows{(Hash is null ? "" : $", hash {Hash}")}";
}
