using MlNetDistill.Core;
using static System.FormattableString;

namespace MlNetDistill;

/// <summary>What a search looks for. Create one with <see cref="Accuracy"/>, <see cref="Agreement"/> or <see cref="SmallestStudent"/>.</summary>
/// <param name="Measure">What is compared.</param>
/// <param name="Keeps">
/// For the smallest student, the share that it must keep, in (0, 1]: of the teacher's accuracy, or of all rows for agreement. Null if the best student is wanted,
/// whatever its size.
/// </param>
public sealed record SearchGoal(SearchMeasure Measure, double? Keeps = null)
{
    /// <summary>The student with the best accuracy.</summary>
    public static SearchGoal Accuracy() => new(SearchMeasure.Accuracy);

    /// <summary>The student that agrees with its teacher most often.</summary>
    public static SearchGoal Agreement() => new(SearchMeasure.Agreement);

    /// <summary>The student with the fewest parameters that keeps a share of the teacher's quality; the best one if none keeps it.</summary>
    /// <param name="keeps">The share, in (0, 1]: of the teacher's accuracy on the same rows, or of all rows for agreement.</param>
    /// <param name="of">What is kept.</param>
    public static SearchGoal SmallestStudent(double keeps = 0.98, SearchMeasure of = SearchMeasure.Accuracy) => new(of, keeps);

    /// <summary>The goal in words.</summary>
    public override string ToString() => (Measure, Keeps) switch
    {
        (SearchMeasure.Accuracy, null) => "best accuracy",
        (_, null) => "best agreement with the teacher",
        (SearchMeasure.Accuracy, { } share) => Invariant($"smallest student with {100 * share:0.##} % of the teacher's accuracy"),
        (_, { } share) => Invariant($"smallest student that agrees with its teacher on {100 * share:0.##} % of the rows"),
    };

    internal IEnumerable<string> Validate() =>
    [
        .. Faults.Defined("Goal's measure", Measure),
        .. Faults.Unless(Keeps is null or (> 0 and <= 1), $"Goal's share to keep must be in (0, 1]; was {Keeps}."),
    ];
}

/// <summary>By what a search compares students.</summary>
public enum SearchMeasure
{
    /// <summary>The share of the labelled rows whose class the student predicts.</summary>
    Accuracy,

    /// <summary>The share of the rows for which the student predicts the same class as its teacher.</summary>
    Agreement,
}
