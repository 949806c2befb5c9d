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

    /// <summary>The same for a student of embeddings that was trained in this process; else null.</summary>
    public static TrainingOverlap? Measure(ITransformer model, EmbeddingTransformer? student, IDataView test) =>
        student is { TrainedRows: { } trained } ? FromTrainedRows(model, student, trained, test) : null;

    /// <summary>The share of some rows that have the same values as a row of others, in all columns that both have.</summary>
    public static double? Share(IDataView rows, IDataView others) => FromColumns(others, rows)?.Share;

    private static TrainingOverlap? FromTrainedRows(ITransformer model, IDataView test) =>
        model.FindStudents().LastOrDefault() is { TrainedRows: { } trained } student ? FromTrainedRows(model, student, trained, test) : null;

    private static TrainingOverlap? FromTrainedRows(ITransformer model, StudentTransformer student, TrainedRows trained, IDataView test)
    {
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
