using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Alignment;
using MlNetDistill.Cache;
using MlNetDistill.Core;
using MlNetDistill.Networks;
using MlNetDistill.Reading;
using static TorchSharp.torch;

namespace MlNetDistill.Teachers;

/// <summary>A view that holds a teacher's answers, and how to read them.</summary>
/// <param name="data">The view.</param>
/// <param name="score">The column of scores.</param>
/// <param name="embedding">The column of embeddings, or null.</param>
/// <param name="reader">Reads the scores.</param>
/// <param name="place">What messages say after a row number, where the view is only a part of the data.</param>
/// <param name="model">What messages call the model that computes the answers; null where they are data.</param>
internal sealed class ScoredView(IDataView data, DataViewSchema.Column score, DataViewSchema.Column? embedding, ScoreReader reader, string place, string? model)
{
    /// <summary>Length of the embeddings, or null where there are none.</summary>
    public int? EmbeddingLength => embedding is { } column ? WidthOf(column) : null;

    /// <summary>The answers to the rows that <paramref name="asked"/> holds, in the view's order, without the first <paramref name="skip"/> of them. Each chunk lives until the next is asked for.</summary>
    /// <param name="asked">Rows asked about. Others, left out of training for NaN features, say, may well have no usable score, and are not scored.</param>
    /// <param name="kept">What to read.</param>
    /// <param name="skip">Rows that are known already; they are passed over.</param>
    /// <param name="batchSize">Rows of a chunk.</param>
    /// <param name="cancellation">Stops the reading.</param>
    /// <exception cref="InvalidOperationException">A score is NaN, infinite or not of the stated kind, or the model fails on a row.</exception>
    public IEnumerable<OutputChunk> Read(IReadOnlySet<RowId> asked, ModelOutputs kept, long skip, int batchSize, CancellationToken cancellation) =>
        UnreadableRow.Named(Chunks(asked, kept, skip, batchSize, cancellation));

    private IEnumerable<OutputChunk> Chunks(IReadOnlySet<RowId> asked, ModelOutputs kept, long skip, int batchSize, CancellationToken cancellation)
    {
        var readsEmbedding = kept.HasFlag(ModelOutputs.Embedding);
        DataViewSchema.Column[] columns = [score, .. readsEmbedding ? [embedding!.Value] : Array.Empty<DataViewSchema.Column>()];
        var source = new RowSource(data, columns, row => model is null
            ? $"Row {row}{place} (counted from 0) of the data cannot be read"
            : $"The teacher ({model}) fails on row {row}{place} (counted from 0)")
        {
            Wanted = asked,
            RemedyIfDisposed = model is null ? null : RowSource.KeepTheModel,
        };
        using var cursor = source.Open();
        var rows = new VectorRows(cursor, columns, batchSize, (column, row, found) => VectorLength.Fault(
            $"The teacher's column '{columns[column].Name}'", WidthOf(columns[column]), found, RowName(row), Remedy));
        foreach (var (ids, numbers, values) in rows.Chunks(asked, skip, cancellation))
        {
            var parts = Parts(values, ids.Length, numbers);
            yield return new OutputChunk(ids, parts);
            foreach (var part in parts)
                part.Dispose();
        }
    }

    private const string Remedy = "Correct or leave out the row; where the column is in the data, MissingFeatures.Drop leaves such rows out.";

    private static int WidthOf(DataViewSchema.Column column) => ((VectorDataViewType)column.Type).Size;

    private Tensor[] Parts(float[][] values, int rows, long[] numbers)
    {
        using var scope = NewDisposeScope();
        var scores = tensor(values[0].AsMemory(0, rows * WidthOf(score)).ToArray(), [rows, WidthOf(score)], device: CPU);
        var logits = reader.ToLogits(scores, row => RowName(numbers[row]));
        return values.Length == 1
            ? [logits.DetachFromDisposeScope()]
            : [logits.DetachFromDisposeScope(), Embeddings(values[1].AsSpan(0, rows * EmbeddingLength!.Value), EmbeddingLength.Value, numbers).DetachFromDisposeScope()];
    }

    private Tensor Embeddings(ReadOnlySpan<float> values, int length, long[] numbers)
    {
        for (var i = 0; i < values.Length; i++)
        {
            if (!float.IsFinite(values[i]))
            {
                throw new InvalidOperationException(FormattableString.Invariant(
                    $"The teacher's column '{embedding!.Value.Name}' must hold finite embeddings; {RowName(numbers[i / length])} has {values[i]} at {i % length}. {Remedy}"));
            }
        }

        return tensor(values.ToArray(), [values.Length / length, length], device: CPU);
    }

    private string RowName(long row) => $"row {row}{place} (counted from 0)";
}
