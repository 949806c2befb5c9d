using MlNetDistill.Reading;

namespace MlNetDistill.Evaluation;

/// <summary>The rows that a student was trained on, by hashes of their features.</summary>
/// <param name="Rows">Their hashes.</param>
/// <param name="Layout">How a feature column is read as rows.</param>
internal sealed record TrainedRows(RowSketch Rows, RowLayout Layout);
