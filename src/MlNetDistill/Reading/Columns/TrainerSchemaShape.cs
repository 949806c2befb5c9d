using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Alignment;

namespace MlNetDistill.Reading;

/// <summary>
/// The trainer's output schema before fitting. The constructor of a schema shape's column is internal to ML.NET, so the columns come from ML.NET's own estimators
/// with the same outputs.
/// </summary>
internal static class TrainerSchemaShape
{
    private const string Prefix = "__MlNetDistill.";
    private const string AsSingle = Prefix + "Single";
    private static readonly string[] InBoxOutputs = ["Score", "PredictedLabel"];

    public static SchemaShape Output(MLContext context, SchemaShape input, DistillationOptions options)
    {
        // ML.NET's chains request the schema before they fit, so wrong types can be reported here.
        var features = RequireInputs(input, options);
        var isByte = features.ItemType == NumberDataViewType.Byte;
        string[] outputs = [options.ScoreColumnName, options.PredictedLabelColumnName];
        string[] kept = [.. InBoxOutputs.Except(outputs).Where(name => Find(input, name) is not null)];
        string[] surplus =
        [
            .. isByte ? [AsSingle] : Array.Empty<string>(),
            .. options.LabelColumnName is null ? [ClassColumn.Name] : Array.Empty<string>(),
            .. InBoxOutputs.Except(outputs).Except(kept),
            .. kept.Select(Kept),
            .. InBoxOutputs.Select(New),
        ];
        var estimator = new EstimatorChain<ITransformer>();
        if (isByte)
            Add(context.Transforms.Conversion.ConvertType(AsSingle, features.Name, DataKind.Single));
        if (options.LabelColumnName is null)
        {
            Add(context.Transforms.CustomMapping<NoColumns, ClassName>((_, _) => { }, null));
            Add(context.Transforms.Conversion.MapValueToKey(ClassColumn.Name));
        }

        Copy(kept.Select(name => (Kept(name), name)));
        Add(context.MulticlassClassification.Trainers.LbfgsMaximumEntropy(
            options.LabelColumnName ?? ClassColumn.Name, isByte ? AsSingle : features.Name, options.ExampleWeightColumnName));
        // Through temporary names, because one output may get the name that the other had.
        Copy(InBoxOutputs.Select(name => (New(name), name)));
        Copy(kept.Select(name => (name, Kept(name))));
        Copy(outputs.Zip(InBoxOutputs, (output, name) => (output, New(name))));
        Add(context.Transforms.DropColumns(surplus));
        return estimator.GetOutputSchema(input);

        void Add(IEstimator<ITransformer> step) => estimator = estimator.Append(step);

        void Copy(IEnumerable<(string To, string From)> columns)
        {
            foreach (var (to, from) in columns)
                Add(context.Transforms.CopyColumns(to, from));
        }

        static string Kept(string name) => $"{Prefix}Kept.{name}";
        static string New(string name) => $"{Prefix}New.{name}";
    }

    /// <summary>The output schema of a trainer of embeddings.</summary>
    public static SchemaShape EmbeddingOutput(MLContext context, SchemaShape input, EmbeddingOptions options)
    {
        var features = RequireInputs(input, options.ToRowOptions());
        var estimator = new EstimatorChain<ITransformer>();
        if (features.ItemType == NumberDataViewType.Byte)
        {
            return estimator.Append(context.Transforms.Conversion.ConvertType(AsSingle, features.Name, DataKind.Single))
                .Append(context.Transforms.NormalizeLpNorm(options.OutputColumnName, AsSingle))
                .Append(context.Transforms.DropColumns(AsSingle)).GetOutputSchema(input);
        }

        return estimator.Append(context.Transforms.NormalizeLpNorm(options.OutputColumnName, features.Name)).GetOutputSchema(input);
    }

    /// <summary>Checks the columns that are read.</summary>
    /// <returns>The feature column.</returns>
    private static SchemaShape.Column RequireInputs(SchemaShape input, DistillationOptions options)
    {
        var features = Require(input, options.FeatureColumnName, "feature", nameof(options.FeatureColumnName), c => c.RequireFeatures());
        if (options.LabelColumnName is { } label)
            Require(input, label, "label", nameof(options.LabelColumnName), c => c.RequireLabel());
        if (options.ExampleWeightColumnName is { } weight)
            Require(input, weight, "example weight", nameof(options.ExampleWeightColumnName), c => c.RequireWeight());
        if (options.ValidationColumnName is { } validation)
            Require(input, validation, "validation", nameof(options.ValidationColumnName), c => c.RequireValidation());
        return features;
    }

    private static SchemaShape.Column Require(SchemaShape shape, string name, string role, string option, Action<ColumnCheck> check)
    {
        var column = Find(shape, name) ?? throw ColumnCheck.Missing(name, role, option, shape.Select(c => c.Name));
        check(ColumnCheck.FromColumn(column));
        return column;
    }

    private static SchemaShape.Column? Find(SchemaShape shape, string name)
    {
        foreach (var column in shape)
        {
            if (column.Name == name)
                return column;
        }

        return null;
    }

    private sealed class NoColumns;

    /// <summary>Replaces a missing label: ML.NET's estimator needs one, a key with values, as the teacher's classes have names.</summary>
    private sealed class ClassName
    {
        [ColumnName(ClassColumn.Name)]
        public string Name { get; set; } = "";
    }
}
