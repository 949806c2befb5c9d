using Microsoft.ML;
using MlNetDistill.Core;

namespace MlNetDistill.Evaluation;

/// <summary>Settings of the evaluation of a search by embeddings.</summary>
public sealed record RetrievalOptions
{
    /// <summary>
    /// The rows that are searched, with the same columns as the queries; null to search the queries themselves, each without its own row. Key values of the two views
    /// are compared by name.
    /// </summary>
    public IDataView? Gallery { get; init; }

    /// <summary>
    /// The camera of each row, as in person re-identification: rows of the same identity and the same camera as the query are left out of its search, because they are
    /// nearly the same picture. A key column, text or a whole number; null for no such rule.
    /// </summary>
    public string? CameraColumnName { get; init; }

    /// <summary>The teacher's embeddings, of any length, to compare the student with; null for none.</summary>
    public string? TeacherColumnName { get; init; }

    /// <summary>How many nearest rows of student and teacher are compared, at least 1.</summary>
    public int Neighbours { get; init; } = 10;

    /// <summary>Length of the match curve, at least 1.</summary>
    public int MaximumRank { get; init; } = 20;

    /// <summary>Its settings, in a line where they fit in one.</summary>
    public override string ToString() => SettingText.Describe(this);

    /// <exception cref="ArgumentOutOfRangeException">Settings are out of their ranges; the message names every one.</exception>
    internal void Check() => Faults.ThrowIfAny(
        [
            .. Faults.AtLeast(1, nameof(Neighbours), Neighbours),
            .. Faults.AtLeast(1, nameof(MaximumRank), MaximumRank),
            .. Faults.NameOrNull(nameof(CameraColumnName), "a column name, or null for none", CameraColumnName),
            .. Faults.NameOrNull(nameof(TeacherColumnName), "a column name, or null for none", TeacherColumnName),
        ],
        "options");
}
