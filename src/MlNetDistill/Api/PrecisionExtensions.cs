using MlNetDistill;
using MlNetDistill.Core;
using MlNetDistill.Evaluation;
using MlNetDistill.Reading;

namespace Microsoft.ML;

/// <summary>Stores students in other precisions.</summary>
public static class PrecisionExtensions
{
    /// <summary>
    /// The same model with its last student in another precision, an ordinary ML.NET model that saves, loads and scores like the first. The student is compared with the trained one before it is
    /// returned: <c>FindStudent().Precision</c> has accuracy, agreement and sizes. The rest of the pipeline is shared with the model.
    /// </summary>
    /// <param name="model">A fitted pipeline, or a student itself; not one that was loaded from a zip. Its student may be in another precision already: the trained weights are used.</param>
    /// <param name="precision">The precision; <see cref="StudentPrecision.Float32"/> gives the student as trained again.</param>
    /// <param name="options">Rows to compare both on, rows for calibration, and the smallest agreement.</param>
    /// <remarks>
    /// In <see cref="StudentPrecision.Int8"/>, NaN features do not give NaN scores, as there is no byte for NaN.
    /// </remarks>
    /// <exception cref="ArgumentOutOfRangeException">Options are missing or out of their ranges; the message names every one.</exception>
    /// <exception cref="InvalidOperationException">
    /// There is no student, there are no rows, a row cannot be read, or the agreement is below <see cref="PrecisionOptions.MinimumAgreement"/>.
    /// </exception>
    /// <exception cref="NotSupportedException">An operator of the student's network, which is named, cannot be stored so.</exception>
    /// <example>
    /// <code>
    /// var small = model.WithPrecision(StudentPrecision.Int8, new() { Calibration = train, Test = test, MinimumAgreement = 0.98 });
    /// Console.WriteLine(small.FindStudent().Precision);
    /// mlContext.Model.Save(small, train.Schema, "student.zip");
    /// </code>
    /// </example>
    public static ITransformer WithPrecision(this ITransformer model, StudentPrecision precision, PrecisionOptions options)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(options);
        Faults.ThrowIfAny(options.Validate(precision), nameof(options));
        var student = model.FindStudents() is [.., var last] ? last : model.FindStudent();
        if (precision == StudentPrecision.Float32)
            return StudentExtensions.Replace(model, student, student.Trained);
        var calibration = precision == StudentPrecision.Int8 ? RowsOf(options.Calibration!) : null;
        if (calibration is not null && ViewHash.Compute(options.Calibration!) is { Hash: { } hash } rows && ViewHash.Compute(options.Test) == rows)
        {
            throw new ArgumentOutOfRangeException(
                nameof(options), $"Calibration and Test have the same {rows.Rows} rows (hash {hash}). Calibrate with training or held-out rows, and test on others.");
        }

        var test = RowsOf(options.Test);
        var converted = student.Convert(precision, calibration, stored => Compare(student, stored, test));
        var agreement = converted.Precision!.Agreement;
        return agreement >= options.MinimumAgreement ? StudentExtensions.Replace(model, student, converted) : throw new InvalidOperationException(
            $"In {precision}, {student.Model.Spec.Name} predicts the class of the trained student on {Figures.Percent(agreement)} of the test rows, and MinimumAgreement is " +
            $"{Figures.Percent(options.MinimumAgreement)}. {(precision == StudentPrecision.Int8 ? "Use Float16, calibrate with more rows," : "Keep Float32,")} or lower it.");

        IDataView RowsOf(IDataView view) => StudentExtensions.TransformBefore(model, student, view) ?? view;
    }

    /// <summary>The trained student and the stored one on the same rows.</summary>
    private static (DistillationMetrics Metrics, double LargestDifference) Compare(DistillationTransformer student, ITransformer stored, IDataView test)
    {
        var label = test.Schema.GetColumnOrNull(student.ClassKeyColumnName) is null ? null : student.ClassKeyColumnName;
        var (options, largest) = (new DistillationEvaluationOptions(), 0.0);
        var metrics = PairedScores.Read<DistillationMetrics>(test, student.Trained, stored, label, student.ScoreColumnName, student.ScoreColumnName, options, columns =>
        {
            var evaluator = new DistillationEvaluator(columns.Classes, options, columns.Scores);
            return (Read, evaluator.Metrics);

            void Read(ReadOnlySpan<float> one, ReadOnlySpan<float> other, int? label, UInt128 id)
            {
                for (var i = 0; i < one.Length; i++)
                    largest = Math.Max(largest, Math.Abs(one[i] - other[i]));
                evaluator.Add(one, other, label, id);
            }
        });
        return (metrics, largest);
    }
}
