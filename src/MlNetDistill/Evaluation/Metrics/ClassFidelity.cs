using System.Globalization;

namespace MlNetDistill.Evaluation;

/// <summary>Both models on one class.</summary>
public sealed record ClassFidelity
{
    /// <summary>The class.</summary>
    public required string Class { get; init; }

    /// <summary>Rows with this label.</summary>
    public required long Rows { get; init; }

    /// <summary>Rows with this label that the teacher predicts correctly.</summary>
    public required long TeacherCorrect { get; init; }

    /// <summary>Rows with this label that the student predicts correctly.</summary>
    public required long StudentCorrect { get; init; }

    /// <summary>Rows with this label that the teacher predicts correctly and the student does not.</summary>
    public required long Lost { get; init; }

    /// <summary>Rows with this label that the student predicts correctly and the teacher does not.</summary>
    public required long Gained { get; init; }

    /// <summary>Rows, with any label or none, for which the teacher predicts this class.</summary>
    public required long TeacherPredicts { get; init; }

    /// <summary>Rows for which both models predict this class.</summary>
    public required long BothPredict { get; init; }

    /// <summary>The teacher's accuracy on rows with this label; null where there are none.</summary>
    public double? TeacherAccuracy => Share(TeacherCorrect, Rows);

    /// <summary>The student's accuracy on rows with this label; null where there are none.</summary>
    public double? StudentAccuracy => Share(StudentCorrect, Rows);

    /// <summary>The student's accuracy less the teacher's; null where no row has this label.</summary>
    public double? AccuracyChange => Share(StudentCorrect - TeacherCorrect, Rows);

    /// <summary>Of the rows for which the teacher predicts this class, the share for which the student does too; null where there are none.</summary>
    public double? Agreement => Share(BothPredict, TeacherPredicts);

    /// <summary>The two accuracies and the agreement.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Class}: {Rows:N0} rows, accuracy of the teacher ")
        + $"{Percent(TeacherAccuracy)}, of the student {Percent(StudentAccuracy)}, agreement {Percent(Agreement)}";

    private static string Percent(double? share) => MetricsText.Percent(share) ?? "-";

    private static double? Share(long part, long whole) => whole == 0 ? null : (double)part / whole;
}
