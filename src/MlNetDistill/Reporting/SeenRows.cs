using Microsoft.ML;
using MlNetDistill.Evaluation;
using MlNetDistill.Reading;

namespace MlNetDistill.Reporting;

/// <summary>Test rows that a student has seen in its training.</summary>
internal static class SeenRows
{
    /// <summary>How many test rows a student has seen in its training, as far as it knows or the training rows are given; null where neither is so.</summary>
    /// <param name="student">The whole model.</param>
    /// <param name="test">The test rows.</param>
    /// <param name="training">The training rows, or null.</param>
    public static TrainingOverlap? Find(ITransformer student, IDataView test, IDataView? training)
    {
        TrainingOverlap?[] found = [FromTrainedRows(student, test), training is null ? null : FromColumns(training, test)];
        return found.OfType<TrainingOverlap>().MaxBy(overlap => overlap.Excess);
    }

    private static TrainingOverlap? FromTrainedRows(ITransformer model, IDataView test)
    {
        if (model.FindStudents().LastOrDefault() is not { TrainedRows: { } trained } student)
            return null;
        var rows = model.Transform(test);
        return rows.Schema.GetColumnOrNull(student.FeatureColumnName) is { } features && features.Type.Equals(student.FeatureColumnType)
            ? trained.Rows.MeasureOverlap(RowHashes.OfFeatures(rows, features, trained.Layout))
            : null;
    }

    /// <summary>By all columns that both views have.</summary>
    private static TrainingOverlap? FromColumns(IDataView training, IDataView test)
    {
        var common = test.Schema.Where(column => !column.IsHidden && RowBytes.CanHash(column))
            .Select(column => (Test: column, Training: training.Schema.GetColumnOrNull(column.Name)))
            .Where(pair => pair.Training is { } other && other.Type.Equals(pair.Test.Type)).ToList();
        return common.Count == 0
            ? null
            : RowSketch.FromHashes(RowHashes.OfColumns(training, [.. common.Select(pair => pair.Training!.Value)]))
                .MeasureOverlap(RowHashes.OfColumns(test, [.. common.Select(pair => pair.Test)]));
    }
}
