using MlNetDistill.Core;
using MlNetDistill.Evaluation;
using MlNetDistill.Training;

namespace MlNetDistill.Reporting;

/// <summary>One of the models that a <see cref="DistillationReport"/> is about.</summary>
public sealed record ReportedModel
{
    /// <summary>What the report calls it, for example <c>Student, distilled</c>.</summary>
    public required string Name { get; init; }

    /// <summary>What it is: a network's name, or a type of model; null where nobody says.</summary>
    public string? Kind { get; init; }

    /// <summary>Number of trained parameters of a network; null where it is none, or nobody says.</summary>
    public long? Parameters { get; init; }

    /// <summary>What it costs; null where it was not measured.</summary>
    public ModelCost? Cost { get; init; }

    /// <summary>
    /// SHA-256 of what is in the saved model, 64 hexadecimal digits; null where it cannot be saved. That of the zip file is another: it has the time in it.
    /// </summary>
    public string? Hash { get; init; }

    /// <summary>How its training went, epoch by epoch; empty where nobody says.</summary>
    public IReadOnlyList<TrainingProgress> History { get; init; } = [];

    /// <summary>What its method decided on the way, as sentences.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];

    /// <summary>What its fit warned of (<see cref="DistilledStudent.Warnings"/>); empty where nobody says.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    /// <summary>Settings of its training, by name.</summary>
    public IReadOnlyList<ReportedSetting> Settings { get; init; } = [];

    /// <summary>Name, kind, size, and the table of its cost where it was measured.</summary>
    public override string ToString() => TextLines.Clean($"{Name}: {Kind ?? "unknown kind"}")
        + (Parameters is { } parameters ? $", {Figures.Count(parameters)} parameters" : "") + (Cost is null ? "" : $"{Environment.NewLine}{Cost}");
}

/// <summary>Rows that were trained on or tested with.</summary>
/// <param name="Name">What the report calls them, for example <c>Test rows</c>.</param>
/// <param name="Rows">Number of rows.</param>
/// <param name="Hash">
/// Hash of their ids and all their columns, which shuffling does not change; an id is mostly a row's place in its source, so the same rows in
/// another file's order have another. Null where a column cannot be hashed.
/// </param>
public sealed record ReportedData(string Name, long Rows, string? Hash)
{
    /// <summary>Name, number and hash of the rows.</summary>
    public override string ToString() => $"{Name}: {Figures.Count(Rows)} rows{(Hash is null ? "" : $", hash {Hash}")}";
}
