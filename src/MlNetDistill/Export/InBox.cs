using System.Collections.Immutable;
using System.Reflection;
using System.Runtime.CompilerServices;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using Microsoft.ML.Trainers;

namespace MlNetDistill.Export;

/// <summary>
/// The few members of ML.NET that are not public and that a student needs: the environment behind a catalog, the constructors of its
/// maximum-entropy predictor, which a student's last layer becomes, the models in a one-versus-all model, to know what kind of teacher it is, and the writer of a
/// model that is saved. Checked against ML.NET 5.0.1; unchanged since 1.7.
/// </summary>
internal static class InBox
{
    // An accessor cannot return a field of an internal type.
    private static readonly FieldInfo? Writer = typeof(ModelSaveContext).GetField("Repository", BindingFlags.Instance | BindingFlags.NonPublic);

    private const string Environment = "Microsoft.ML.Runtime.IHostEnvironmentInternal, Microsoft.ML.Core";

    public static IHostEnvironment EnvironmentOf(TrainCatalogBase.CatalogInstantiatorBase catalog) => GetEnvironment(catalog);

    public static IHostEnvironment EnvironmentOf(ModelOperationsCatalog catalog) => GetEnvironment(catalog);

    public static IHostEnvironment EnvironmentOf(TransformsCatalog catalog) => GetEnvironment(catalog);

    public static int? GpuDeviceIdOf(IHostEnvironment environment) => GetGpuDeviceId(environment);

    public static bool FallbackToCpuOf(IHostEnvironment environment) => GetFallbackToCpu(environment);

    public static string TempFilePathOf(IHostEnvironment environment) => GetTempFilePath(environment);

    /// <summary>
    /// A predictor softmax(W·x + b) over <paramref name="featureColumn"/> as ML.NET's own trainers give it.
    /// </summary>
    /// <param name="environment">The environment it belongs to.</param>
    /// <param name="biasesThenWeights">K biases, then K rows of D weights.</param>
    /// <param name="classes">K.</param>
    /// <param name="features">D.</param>
    /// <param name="schema">Has the feature and the label column; the label's key values become annotations of the outputs.</param>
    /// <param name="featureColumn">Name of the feature column.</param>
    /// <param name="labelColumn">Name of the label column.</param>
    /// <param name="predictedLabelColumn">Name of the predicted-label column; the scores are always called Score.</param>
    public static ITransformer MaximumEntropyHead(
        IHostEnvironment environment,
        VBuffer<float> biasesThenWeights,
        int classes,
        int features,
        DataViewSchema schema,
        string featureColumn,
        string labelColumn,
        string predictedLabelColumn)
    {
        var model = NewModel(environment, biasesThenWeights, classes, features, null, null);
        return Transformer<MaximumEntropyModelParameters>.New(environment, model, schema, featureColumn, labelColumn, "Score", predictedLabelColumn);
    }

    /// <summary>What <c>Model.Save</c> writes the parts of a model with; null in a version of ML.NET that has no such field, where only a save that fails would need it.</summary>
    public static IDisposable? WriterOf(ModelSaveContext context) => (IDisposable?)Writer?.GetValue(context);

    /// <summary>The binary models of a one-versus-all model.</summary>
    public static IReadOnlyList<object> SubModelsOf(OneVersusAllModelParameters model) => GetSubModels(model);

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "get_SubModelParameters")]
    private static extern ImmutableArray<object> GetSubModels(OneVersusAllModelParameters model);

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "Microsoft.ML.Data.IInternalCatalog.get_Environment")]
    private static extern IHostEnvironment GetEnvironment(TrainCatalogBase.CatalogInstantiatorBase catalog);

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "Microsoft.ML.Data.IInternalCatalog.get_Environment")]
    private static extern IHostEnvironment GetEnvironment(ModelOperationsCatalog catalog);

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "Microsoft.ML.Data.IInternalCatalog.get_Environment")]
    private static extern IHostEnvironment GetEnvironment(TransformsCatalog catalog);

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "get_GpuDeviceId")]
    private static extern int? GetGpuDeviceId([UnsafeAccessorType(Environment)] object environment);

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "get_FallbackToCpu")]
    private static extern bool GetFallbackToCpu([UnsafeAccessorType(Environment)] object environment);

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "get_TempFilePath")]
    private static extern string GetTempFilePath([UnsafeAccessorType(Environment)] object environment);

    [UnsafeAccessor(UnsafeAccessorKind.Constructor)]
    private static extern MaximumEntropyModelParameters NewModel(
        IHostEnvironment environment, in VBuffer<float> weights, int classes, int features, string[]? labelNames, ModelStatisticsBase? statistics);

    private static class Transformer<TModel>
        where TModel : class
    {
        [UnsafeAccessor(UnsafeAccessorKind.Constructor)]
        public static extern MulticlassPredictionTransformer<TModel> New(
            IHostEnvironment environment,
            TModel model,
            DataViewSchema schema,
            string featureColumn,
            string labelColumn,
            string scoreColumn,
            string predictedLabelColumn);
    }
}
