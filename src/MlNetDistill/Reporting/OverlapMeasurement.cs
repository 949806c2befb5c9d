using Microsoft.ML;
using MlNetDistill.Evaluation;
using MlNetDistill.Reading;

namespace MlNetDistill.Reporting;

/// <summary>Finds test rows that are also training rows.</summary>
internal static class OverlapMeasurement
{
    /// <summary>
    /// How many test rows a student was trained on. A student trained in this process has hashes of its training rows; otherwise the training rows must be given, or
    /// the overlap is unknown (null).
    /// </summary>
    /// <param name="student">The whole model.</param>
    /// <param name="test">The test rows.</param>
    /// <param name="training">The training rows, or null.</param>
    public static TrainingOverlap? Measure(ITransformer student, IDataView test, IDataView? training)
    {
        TrainingOverlap?[] overlaps = [FromTrainedRows(student, test), training is null ? null : FromColumns(training, test)];
        return overlaps.OfType<TrainingOverlap>().MaxBy(overlap => overlap.Excess);
    }

    private static TrainingOverlap? FromTrainedRows(ITransformer model, IDataView test)
    {
        if (model.FindStudents().LastOrDefault() is not { TrainedRows: { } trained } student)
            return null;
        var rows = model.Transform(test);
        return rows.Schema.GetColumnOrNull(student.FeatureColumnName) is { } features && features.Type.Equals(student.FeatureColumnType)
            ? trained.Rows.MeasureOverlap(RowHashes.ComputeForFeatures(rows, features, trained.Layout))
            : null;
    }

    /// <summary>Compares all columns that both views have.</summary>
    private static TrainingOverlap? FromColumns(IDataView training, IDataView test)
    {
        var common = test.Schema.Where(column => !column.IsHidden && RowBytes.CanHash(column))
            .Select(column => (Test: column, Training: training.Schema.GetColumnOrNull(column.Name)))
            .Where(pair => pair.Training is { } other && other.Type.Equals(pair.Test.Type)).ToList();
        return common.Count == 0
            ? null
            : RowSketch.FromHashes(RowHashes.ComputeForColumns(training, [.. common.Select(pair => pair.Training!.Value)]))
                .MeasureOverlap(RowHashes.ComputeForColumns(test, [.. common.Select(pair => pair.Test)]));
    }
}
