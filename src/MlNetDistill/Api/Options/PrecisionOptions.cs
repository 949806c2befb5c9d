using Microsoft.ML;
using MlNetDistill.Core;

namespace MlNetDistill;

/// <summary>Rows and limits for storing a student in another precision.</summary>
public sealed record PrecisionOptions
{
    /// <summary>
    /// Rows on which the student in the other precision is compared with the trained one. Give rows that neither training nor <see cref="Calibration"/> has; with the column of the classes, accuracy is
    /// measured too. They have the columns that the model reads.
    /// </summary>
    public required IDataView Test { get; init; }

    /// <summary>
    /// Rows that show how large the values between layers become, for <see cref="StudentPrecision.Int8"/>: training or held-out rows, some hundred or more, never those of
    /// <see cref="Test"/>. Null for <see cref="StudentPrecision.Float16"/>, which needs none.
    /// </summary>
    public IDataView? Calibration { get; init; }

    /// <summary>The smallest share of <see cref="Test"/>, in [0, 1], on which both must predict the same class; 0 for any.</summary>
    public double MinimumAgreement { get; init; }

    /// <summary>Its settings, in a line where they fit in one.</summary>
    public override string ToString() => SettingText.Describe(this);

    internal IEnumerable<string> Validate(StudentPrecision precision) =>
    [
        .. Faults.Defined(nameof(precision), precision),
        .. Faults.Unless(Test is not null, $"{nameof(Test)} must be rows to compare both students on; was null."),
        .. Faults.Unless(
            precision != StudentPrecision.Int8 || Calibration is not null,
            $"{nameof(Calibration)} must be set for Int8; was null. Give some hundred training or held-out rows, for example mlContext.Data.TakeRows(train, 1000)."),
        .. Faults.Unless(
            Calibration is null || !ReferenceEquals(Calibration, Test),
            $"{nameof(Calibration)} and {nameof(Test)} are the same rows; the comparison would not show how the student does on other rows. Calibrate with training or held-out rows."),
        .. Faults.Share(nameof(MinimumAgreement), MinimumAgreement),
    ];
}
