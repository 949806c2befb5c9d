using System.Reflection;
using System.Runtime.CompilerServices;
using Microsoft.ML;

namespace MlNetDistill.Reading;

/// <summary>Finds the view that a view was made from.</summary>
internal static class ViewSource
{
    // ML.NET keeps it internal: in ML.NET 5.0.0 a step's view has it as IDataTransform.Source, and a cache as a field. In a version without these, a view has no source.
    private const string Transform = "Microsoft.ML.Data.IDataTransform, Microsoft.ML.Data";
    private const string Cache = "Microsoft.ML.Data.CacheDataView, Microsoft.ML.Data";
    private const string CustomFilter = "Microsoft.ML.Transforms.CustomMappingFilterBase`1";
    private static readonly Type? TransformType = Type.GetType(Transform);
    private static readonly Type? CacheType = Type.GetType(Cache);

    /// <summary>The view that a view was made from; null for a view of data, and for one that does not expose it.</summary>
    public static IDataView? Find(IDataView view) => view switch
    {
        RepeatedRows repeated => repeated.Data,
        FilteredRows filtered => filtered.Data,
        _ when TransformType?.IsInstanceOfType(view) == true => Source(view),
        _ when IsCache(view) => Cached(view),
        _ => Filtered(view),
    };

    /// <summary>Whether a view is ML.NET's cache, whose rows have their positions as ids.</summary>
    public static bool IsCache(IDataView view) => CacheType?.IsInstanceOfType(view) == true;

    // FilterByCustomPredicate gives a generic view that is no IDataTransform; its base class has its source.
    private static IDataView? Filtered(IDataView view)
    {
        var type = view.GetType();
        while (type is not null && type.FullName?.StartsWith(CustomFilter, StringComparison.Ordinal) != true)
            type = type.BaseType;
        return type?.GetField("Input", BindingFlags.Instance | BindingFlags.NonPublic)?.GetValue(view) as IDataView;
    }

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "get_Source")]
    private static extern IDataView Source([UnsafeAccessorType(Transform)] object view);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_subsetInput")]
    private static extern ref IDataView Cached([UnsafeAccessorType(Cache)] object view);
}
