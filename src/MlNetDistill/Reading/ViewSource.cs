using System.Runtime.CompilerServices;
using Microsoft.ML;

namespace MlNetDistill.Reading;

/// <summary>
/// The view that a view was made from. ML.NET keeps it, and shows it to itself alone: checked against ML.NET 5.0.0, where a step's view has it as
/// <c>IDataTransform.Source</c> and a cache as a field. Where another version does not, a view has no source.
/// </summary>
internal static class ViewSource
{
    private const string Transform = "Microsoft.ML.Data.IDataTransform, Microsoft.ML.Data";
    private const string Cache = "Microsoft.ML.Data.CacheDataView, Microsoft.ML.Data";
    private static readonly Type? TransformType = Type.GetType(Transform);
    private static readonly Type? CacheType = Type.GetType(Cache);

    /// <summary>The view that a view was made from; null for a view of data, and for one that does not say it.</summary>
    public static IDataView? Of(IDataView view) => view switch
    {
        RepeatedRows repeated => repeated.Data,
        FilteredRows filtered => filtered.Data,
        _ when TransformType?.IsInstanceOfType(view) == true => Source(view),
        _ when CacheType?.IsInstanceOfType(view) == true => Cached(view),
        _ => null,
    };

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "get_Source")]
    private static extern IDataView Source([UnsafeAccessorType(Transform)] object view);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_subsetInput")]
    private static extern ref IDataView Cached([UnsafeAccessorType(Cache)] object view);
}
