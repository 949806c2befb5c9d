using System.Runtime.CompilerServices;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using MlNetDistill.Core;

namespace MlNetDistill.Reading;

/// <summary>
/// The steps from loaded rows to a view: steps that compute columns row by row, which can be applied to other rows, and steps that choose or keep rows (filters,
/// splits, shuffles, caches), which other rows pass by.
/// </summary>
internal sealed class ViewSteps
{
    private const string Transform = "Microsoft.ML.Data.IDataTransform, Microsoft.ML.Data";
    private const string Utilities = "Microsoft.ML.Data.ApplyTransformUtils, Microsoft.ML.Data";
    private readonly List<IDataView> _views = [];

    /// <param name="data">The view that the steps lead to.</param>
    public ViewSteps(IDataView data)
    {
        Data = Root = data;
        while (ViewSource.Find(Root) is { } source)
        {
            _views.Add(Root);
            Root = source;
        }
    }

    /// <summary>The view that the steps lead to.</summary>
    public IDataView Data { get; }

    /// <summary>The loaded rows.</summary>
    public IDataView Root { get; }

    /// <summary>The columns of <see cref="Root"/>, by index, that columns of the view are computed from.</summary>
    /// <exception cref="InvalidOperationException">A step is not one of those above.</exception>
    public IReadOnlySet<int> FindInputs(IEnumerable<DataViewSchema.Column> columns)
    {
        var needed = columns.Select(c => c.Index).ToHashSet();
        foreach (var view in _views)
        {
            var source = ViewSource.Find(view)!;
            if (!KeepsColumns(view, source))
                needed = [.. FindInputs(view, source, [.. needed.Select(index => view.Schema[index])]).Select(c => c.Index)];
        }

        return needed;
    }

    /// <summary>Other rows, with the columns of <see cref="Root"/>, after the steps that compute columns.</summary>
    /// <exception cref="InvalidOperationException">A step cannot be applied to other rows.</exception>
    public IDataView Apply(IHostEnvironment environment, IDataView rows)
    {
        foreach (var view in _views.AsEnumerable().Reverse())
        {
            if (KeepsColumns(view, ViewSource.Find(view)!))
                continue;
            CheckIsRowByRow(view);
            try
            {
                rows = (IDataView)ApplyToData(null, environment, view, rows);
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                throw new InvalidOperationException(
                    $"TransferRows: a step before the trainer ({view.GetType().Name}) cannot be applied to other rows: \"{e.GetBaseException().Message}\". " +
                    "Save and load the data after this step, or leave TransferRows out.",
                    e);
            }
        }

        return SameColumns(rows.Schema, Data.Schema) ? rows : throw new InvalidOperationException(
            "TransferRows: the steps before the trainer give other columns for other rows, so these cannot be trained on. Save and load the data after the steps, or leave TransferRows out.");
    }

    /// <summary>
    /// The ids that rows of the view have in <see cref="Root"/>. A cache numbers its rows anew; other steps keep the ids.
    /// </summary>
    public HashSet<RowId> FindRootIds(HashSet<RowId> ids)
    {
        foreach (var view in _views.Where(ViewSource.IsCache))
        {
            var (found, position) = (new HashSet<RowId>(), 0UL);
            using var cursor = ViewSource.Find(view)!.GetRowCursor([]);
            for (var getId = cursor.CreateIdReader(); cursor.MoveNext(); position++)
            {
                if (ids.Contains(new RowId(position, 0)))
                    found.Add(getId());
            }

            ids = found;
        }

        return ids;
    }

    // A filter, a shuffle or a cache has the schema of its source. A cache of some columns copies it.
    private static bool KeepsColumns(IDataView view, IDataView source) => ReferenceEquals(view.Schema, source.Schema) || ViewSource.IsCache(view);

    private static bool AddsRandomNumbers(IDataView view) => view.GetType().Name == "GenerateNumberTransform";

    private static IEnumerable<DataViewSchema.Column> FindInputs(IDataView view, IDataView source, List<DataViewSchema.Column> columns)
    {
        CheckIsRowByRow(view);
        // What TrainTestSplit adds is made from nothing.
        return view is IRowToRowMapper mapper && !AddsRandomNumbers(view)
            ? mapper.GetDependencies(columns)
            : source.Schema.Where(input => columns.Exists(c => c.Name == input.Name && c.Type.Equals(input.Type) && c.IsHidden == input.IsHidden));
    }

    private static void CheckIsRowByRow(IDataView view)
    {
        var isTimeSeries = view.GetType().FullName!.StartsWith("Microsoft.ML.Transforms.TimeSeries", StringComparison.Ordinal);
        if ((view is IRowToRowMapper && !isTimeSeries) || AddsRandomNumbers(view))
            return;
        throw new InvalidOperationException(
            $"TransferRows: a step before the trainer ({view.GetType().Name}) does not compute its columns row by row, so it cannot be applied to rows that are made up. " +
            "Save and load the data after this step, or leave TransferRows out.");
    }

    private static bool SameColumns(DataViewSchema a, DataViewSchema b) =>
        a.Count == b.Count && a.Zip(b).All(pair => pair.First.Name == pair.Second.Name && pair.First.Type.Equals(pair.Second.Type));

    [UnsafeAccessor(UnsafeAccessorKind.StaticMethod, Name = "ApplyTransformToData")]
    [return: UnsafeAccessorType(Transform)]
    private static extern object ApplyToData(
        [UnsafeAccessorType(Utilities)] object? utilities, IHostEnvironment environment, [UnsafeAccessorType(Transform)] object step, IDataView rows);
}
