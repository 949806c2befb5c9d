using System.Numerics.Tensors;
using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Reading;
using static System.FormattableString;

namespace MlNetDistill.Evaluation;

/// <summary>The rows of a view in memory: embeddings of unit length, 4 bytes a value, with their identities.</summary>
/// <param name="Embeddings">For each of the columns read, the rows' embeddings. One that is shorter than 1e-6 is a vector of zeros: its cosine with all others is 0.</param>
/// <param name="Ids">The identities.</param>
/// <param name="Cameras">The cameras; empty if there is no such column.</param>
internal sealed record EmbeddingRows(IReadOnlyList<float[][]> Embeddings, int[] Ids, int[] Cameras)
{
    private const float SmallestLength = 1e-6f;

    public int Count => Ids.Length;

    /// <summary>Reads the rows.</summary>
    /// <param name="data">The view.</param>
    /// <param name="embeddings">The columns of embeddings.</param>
    /// <param name="id">The column of identities.</param>
    /// <param name="camera">The column of cameras, or null.</param>
    /// <param name="ids">Numbers the identities; the same for two views that are compared.</param>
    /// <param name="cameras">Numbers the cameras.</param>
    /// <exception cref="InvalidOperationException">An embedding is NaN or infinite, or of another length; or a row cannot be read.</exception>
    public static EmbeddingRows Read(
        IDataView data, IReadOnlyList<DataViewSchema.Column> embeddings, DataViewSchema.Column id, DataViewSchema.Column? camera, IdReader ids, IdReader cameras) =>
        UnreadableRow.LocateFailure(() =>
        {
            DataViewSchema.Column[] read = [.. embeddings, id, .. camera is { } c ? [c] : Array.Empty<DataViewSchema.Column>()];
            var source = new ViewColumns(data, [.. read.DistinctBy(column => column.Index)], row => $"Row {row} (counted from 0) of the data cannot be read") { RemedyIfDisposed = ViewColumns.KeepTheModel };
            using var cursor = source.Open();
            var getters = embeddings.Select(column => CreateGetter(cursor, column)).ToList();
            var getId = ids.CreateGetter(cursor, id);
            var getCamera = camera is { } of ? cameras.CreateGetter(cursor, of) : null;
            var rows = embeddings.Select(_ => new List<float[]>()).ToList();
            var (idRows, cameraRows) = (new List<int>(), new List<int>());
            for (var row = 0L; cursor.MoveNext(); row++)
            {
                for (var i = 0; i < rows.Count; i++)
                    rows[i].Add(getters[i](row));
                idRows.Add(getId());
                if (getCamera is not null)
                    cameraRows.Add(getCamera());
            }

            return new EmbeddingRows([.. rows.Select(list => list.ToArray())], [.. idRows], [.. cameraRows]);
        });

    /// <summary>Creates the getter of an embedding of unit length, given the number of its row.</summary>
    public static Func<long, float[]> CreateGetter(DataViewRow cursor, DataViewSchema.Column column)
    {
        var get = cursor.GetGetter<VBuffer<float>>(column);
        var length = ((VectorDataViewType)column.Type).Size;
        VBuffer<float> buffer = default;
        return row =>
        {
            get(ref buffer);
            if (buffer.Length != length)
                throw VectorLength.CreateError($"Column '{column.Name}'", length, buffer.Length, Invariant($"row {row} (counted from 0)"), "The model that gives it is broken.");
            var values = new float[length];
            buffer.CopyTo(values);
            return Normalize(values, column.Name, row);
        };
    }

    private static float[] Normalize(float[] values, string column, long row)
    {
        // Scaled first: the squares of large values overflow.
        var largest = values.Length == 0 ? 0 : TensorPrimitives.MaxMagnitude(values);
        if (!float.IsFinite(largest))
        {
            throw new InvalidOperationException(Invariant(
                $"Column '{column}' has NaN or infinity in row {row} (counted from 0), which has no direction. Correct or leave out the row."));
        }

        var scale = Math.Abs(largest);
        if (scale > 0)
            TensorPrimitives.Divide(values, scale, values);
        var norm = TensorPrimitives.Norm<float>(values);
        if ((double)norm * scale < SmallestLength)
            Array.Clear(values);
        else
            TensorPrimitives.Divide(values, norm, values);
        return values;
    }
}
