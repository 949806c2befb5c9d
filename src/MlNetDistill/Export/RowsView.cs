using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Data;
using MlNetDistill.Reading;
using static TorchSharp.torch;

namespace MlNetDistill.Export;

/// <summary>Rows of a training set as a data view again, and a column of scores as a tensor.</summary>
internal static class RowsView
{
    /// <summary>A view with the feature column, holding the rows at <paramref name="positions"/>, and the other columns the student's chain reads.</summary>
    /// <param name="context">Makes the view.</param>
    /// <param name="set">The rows, images channels first.</param>
    /// <param name="positions">Which of them.</param>
    /// <param name="columns">The student's columns.</param>
    /// <param name="interleaved">Whether the feature column has the channels of a pixel side by side.</param>
    public static IDataView Create(MLContext context, IRowSource set, Tensor positions, TrainerColumns columns, bool interleaved)
    {
        var features = columns.Features;
        using var scope = NewDisposeScope();
        if (set is ISparseSource sparse)
            return KeepScore(context, View(context, [.. ISparseSource.Enumerate(positions).Select(position => new SparseRow { Values = Stored(sparse, position, set.Shape.Length) })], features), columns);
        var planes = set.Gather(positions, set.Device);
        var rows = (interleaved ? planes.permute(0, 2, 3, 1) : planes).reshape(positions.shape[0], -1).cpu();
        var view = set.IsByte
            ? View(context, [.. Enumerable.Range(0, (int)rows.shape[0]).Select(i => new Row<byte> { Values = [.. rows[i].data<byte>()] })], features)
            : View(context, [.. Enumerable.Range(0, (int)rows.shape[0]).Select(i => new Row<float> { Values = [.. rows[i].data<float>()] })], features);
        return KeepScore(context, view, columns);
    }

    // The chain carries an earlier Score column along; its values do not matter here.
    private static IDataView KeepScore(MLContext context, IDataView view, TrainerColumns columns) => columns.KeepsScore && columns.Features.Name != "Score"
        ? context.Transforms.Concatenate("Score", nameof(Row<float>.Kept)).Fit(view).Transform(view)
        : view;

    private static VBuffer<float> Stored(ISparseSource set, long position, int width)
    {
        var (places, elements) = (new List<int>(), new List<float>());
        set.ReadStored(position, (columns, values) =>
        {
            places.AddRange(columns);
            elements.AddRange(values);
        });
        return new(width, places.Count, [.. elements], [.. places]);
    }

    /// <summary>A vector column, rows×length, which is the caller's.</summary>
    public static Tensor ReadScores(IDataView view, string column)
    {
        var found = view.Schema[column];
        var width = ((VectorDataViewType)found.Type).Size;
        using var values = new TensorBuilder<float>(ScalarType.Float32, [width]);
        using var cursor = view.GetRowCursor([found]);
        var get = cursor.GetGetter<VBuffer<float>>(found);
        VBuffer<float> row = default;
        while (cursor.MoveNext())
        {
            get(ref row);
            if (row.Length != width)
                throw VectorLength.CreateError($"Column '{column}'", width, row.Length, $"row {values.Rows} (counted from 0)", "The model that gives it is broken.");
            row.CopyTo(values.NextRow());
        }

        return values.ToTensor();
    }

    private static IDataView View<TRow>(MLContext context, TRow[] rows, DataViewSchema.Column features)
        where TRow : class
    {
        var definition = SchemaDefinition.Create(typeof(TRow));
        var values = definition[nameof(Row<float>.Values)];
        values.ColumnName = features.Name;
        values.ColumnType = features.Type;
        return context.Data.LoadFromEnumerable(rows, definition);
    }

    // Written out, a row of a hundred thousand features would be in memory several times on its way through ML.NET's cursors.
    private sealed class SparseRow
    {
        public VBuffer<float> Values { get; set; }

        public float Kept { get; set; }
    }

    private sealed class Row<T>
    {
        public T[] Values { get; set; } = [];

        public float Kept { get; set; }
    }
}
