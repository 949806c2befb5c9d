using MlNetDistill.Core;
using MlNetDistill.Evaluation;
using static System.FormattableString;

namespace MlNetDistill.Fitting;

/// <summary>What the student reaches without its teacher, estimated by a training on the labels that is not kept.</summary>
/// <param name="Rows">
/// Number of held-out rows with a label that it is judged on: those that the teacher was queried for, or all if it was not. Each counts once, whatever its example weight.
/// </param>
/// <param name="Accuracy">The student's accuracy on them, in [0, 1].</param>
/// <param name="TeacherOverAlone">
/// The teacher's accuracy minus the student's, row by row, with a 95 % interval over the rows; null if the teacher is yet to be trained or was not queried for held-out rows.
/// Too high if the teacher was trained on these rows (<see cref="PreflightReport.Teacher"/> says so).
/// </param>
/// <param name="Steps">Training steps on the labelled rows: at most 2,000, no more than by default and no more than the fit has.</param>
/// <param name="Time">Time of the training.</param>
public sealed record PreflightAlone(long Rows, double Accuracy, Estimate? TeacherOverAlone, long Steps, TimeSpan Time)
{
    /// <summary>The estimate in a sentence.</summary>
    public override string ToString() =>
        Invariant($"accuracy {Accuracy:0.0000} on {Figures.Count(Rows, "held-out row")}, after {NumberText.Count(Steps, "step")} on the labels ({NumberText.Duration(Time)})") +
        (TeacherOverAlone is { } gain ? $"; the teacher's minus this: {PayoffText.Interval(gain)}" : "; the teacher's on such rows is not known before the fit");
}
