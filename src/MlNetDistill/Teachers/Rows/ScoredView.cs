using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Data;
using MlNetDistill.Networks;
using MlNetDistill.Records;
using MlNetDistill.Seam;
using static TorchSharp.torch;

namespace MlNetDistill.Teachers;

/// <summary>A view that holds a teacher's answers, and how to read them.</summary>
internal sealed class ScoredView(IDataView data, DataViewSchema.Column score, DataViewSchema.Column? embedding, ScoreReader reader, string place)
{
    /// <summary>Length of the embeddings, or null where there are none.</summary>
    public int? EmbeddingLength => embedding is { } column ? WidthOf(column) : null;

    /// <summary>The answers to the rows that <paramref name="asked"/> holds, in the view's order, without the first <paramref name="skip"/> of them. Each chunk lives until the next is asked for.</summary>
    /// <param name="asked">Rows asked about. Others, left out of training for NaN features, say, may well have no usable score, and are not scored.</param>
    /// <param name="kept">What to read.</param>
    /// <param name="skip">Rows that are known already; they are passed over.</param>
    /// <param name="batchSize">Rows of a chunk.</param>
    /// <param name="cancellation">Stops the reading.</param>
    /// <exception cref="InvalidOperationException">A score is NaN, infinite or not of the stated kind.</exception>
    public IEnumerable<AnswerChunk> Read(IReadOnlySet<RowId> asked, OutputKinds kept, long skip, int batchSize, CancellationToken cancellation)
    {
        var readsEmbedding = kept.HasFlag(OutputKinds.Embedding);
        DataViewSchema.Column[] columns = [score, .. readsEmbedding ? [embedding!.Value] : Array.Empty<DataViewSchema.Column>()];
        using var cursor = data.GetRowCursor(columns);
        var rows = new VectorRows(cursor, columns, batchSize);
        foreach (var (ids, numbers, values) in rows.Chunks(asked, skip, cancellation))
        {
            var parts = Parts(values, ids.Length, numbers);
            yield return new AnswerChunk(ids, parts);
            foreach (var part in parts)
                part.Dispose();
        }
    }

    private static int WidthOf(DataViewSchema.Column column) => ((VectorDataViewType)column.Type).Size;

    private Tensor[] Parts(float[][] values, int rows, long[] numbers)
    {
        using var scope = NewDisposeScope();
        var scores = tensor(values[0].AsMemory(0, rows * WidthOf(score)).ToArray(), [rows, WidthOf(score)]);
        var logits = reader.ToLogits(scores, row => $"row {numbers[row]}{place} (counted from 0)");
        return values.Length == 1
            ? [logits.DetachFromDisposeScope()]
            : [logits.DetachFromDisposeScope(), tensor(values[1].AsMemory(0, rows * EmbeddingLength!.Value).ToArray(), [rows, EmbeddingLength.Value]).DetachFromDisposeScope()];
    }
}
