using Microsoft.ML;
using Microsoft.ML.Runtime;
using MlNetDistill.Data;
using MlNetDistill.Diagnostics;
using MlNetDistill.Reading;

namespace MlNetDistill.Teachers;

/// <summary>What a teacher of embeddings needs to answer for the rows of a fit.</summary>
/// <param name="Data">The rows as the fit got them.</param>
/// <param name="Columns">The student's columns.</param>
/// <param name="Set">The rows as tensors.</param>
/// <param name="BatchSize">Rows to answer at a time.</param>
/// <param name="Channel">The log.</param>
/// <param name="Cancellation">Cancels the fit.</param>
internal sealed record EmbeddingRequest(
    IDataView Data, TrainerColumns Columns, IRowSource Set, int BatchSize, WarningChannel Channel, CancellationToken Cancellation)
{
    /// <summary>Writes a warning to the log of the fit.</summary>
    public void Warn(string message) => Channel.Warning($"{message}");
}
