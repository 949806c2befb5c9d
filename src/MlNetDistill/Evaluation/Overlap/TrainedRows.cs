using MlNetDistill.Reading;

namespace MlNetDistill.Evaluation;

/// <summary>The rows that a student was trained on, as far as its features show them.</summary>
/// <param name="Rows">Their hashes.</param>
/// <param name="Layout">How a column of features becomes rows of this kind.</param>
internal sealed record TrainedRows(RowSketch Rows, RowLayout Layout);
