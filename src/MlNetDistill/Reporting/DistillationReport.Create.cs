using Microsoft.ML;
using MlNetDistill.Reading;

namespace MlNetDistill.Reporting;

public sealed partial record DistillationReport
{
    /// <summary>Compares the models on the rows and gathers what else a report says. It takes a pass of each model over each set of rows.</summary>
    /// <param name="mlContext">For the comparison.</param>
    /// <param name="evidence">Models, rows and what was measured of them.</param>
    /// <exception cref="ArgumentException">Something that must be given is null, or there is neither a teacher nor a column of its scores.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or of the wrong type, or a criterion or option is out of its range.</exception>
    /// <exception cref="InvalidOperationException">The models' classes differ, a score is not what it should be, or something is not known that a criterion
    /// asks for.</exception>
    public static DistillationReport Create(MLContext mlContext, ReportInput evidence)
    {
        ArgumentNullException.ThrowIfNull(mlContext);
        ArgumentNullException.ThrowIfNull(evidence);
        ReportMaker.CheckGiven(evidence);
        var repeated = evidence with
        {
            Test = RepeatedRows.Of(evidence.Test),
            Training = evidence.Training is { } training ? RepeatedRows.Of(training) : null,
        };
        return ChangedRowsException.Unwrapped(() => new ReportMaker(mlContext, repeated).Make());
    }
}
