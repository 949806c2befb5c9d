using Microsoft.ML;
using Microsoft.ML.Data;

namespace MlNetDistill.Schema;

/// <summary>
/// The trainer's output schema before fitting. The shape's column constructor is internal to ML.NET, so public in-box estimators with the
/// same outputs supply it.
/// </summary>
internal static class TrainerSchemaShape
{
    private const string AsSingle = "__MlNetDistill.Single";

    public static SchemaShape Output(MLContext context, SchemaShape input, DistillationOptions options)
    {
        // ML.NET's chains ask for the schema before they fit, so what can be told of the types by then is told here, in our words.
        var features = Require(input, options.FeatureColumnName, "feature", nameof(options.FeatureColumnName), c => c.IsFeatures());
        Require(input, options.LabelColumnName, "label", nameof(options.LabelColumnName), c => c.IsLabel());
        if (options.ExampleWeightColumnName is { } weight)
            Require(input, weight, "example weight", nameof(options.ExampleWeightColumnName), c => c.IsWeight());
        if (options.ValidationColumnName is { } validation)
            Require(input, validation, "validation", nameof(options.ValidationColumnName), c => c.IsValidation());
        var isByte = features.ItemType == NumberDataViewType.Byte;
        var estimator = new EstimatorChain<ITransformer>();
        var score = options.ScoreColumnName;
        var kept = score == "Score" ? null : Find(input, "Score") is null ? null : "__MlNetDistill.Score";
        if (isByte)
            estimator = estimator.Append<ITransformer>(context.Transforms.Conversion.ConvertType(AsSingle, features.Name, DataKind.Single));
        if (kept is not null)
            estimator = estimator.Append<ITransformer>(context.Transforms.CopyColumns(kept, "Score"));
        estimator = estimator.Append<ITransformer>(context.MulticlassClassification.Trainers.LbfgsMaximumEntropy(
            options.LabelColumnName, isByte ? AsSingle : features.Name, options.ExampleWeightColumnName));
        if (score != "Score")
            estimator = estimator.Append<ITransformer>(context.Transforms.CopyColumns(score, "Score"));
        if (options.PredictedLabelColumnName != "PredictedLabel")
            estimator = estimator.Append<ITransformer>(context.Transforms.CopyColumns(options.PredictedLabelColumnName, "PredictedLabel"));
        if (kept is not null)
            estimator = estimator.Append<ITransformer>(context.Transforms.CopyColumns("Score", kept));
        string[] surplus =
        [
            .. isByte ? [AsSingle] : Array.Empty<string>(),
            .. kept is not null ? [kept] : Array.Empty<string>(),
            .. score != "Score" && kept is null ? ["Score"] : Array.Empty<string>(),
            .. options.PredictedLabelColumnName != "PredictedLabel" && Find(input, "PredictedLabel") is null ? ["PredictedLabel"] : Array.Empty<string>(),
        ];
        return (surplus.Length == 0 ? estimator : estimator.Append<ITransformer>(context.Transforms.DropColumns(surplus))).GetOutputSchema(input);
    }

    private static SchemaShape.Column Require(SchemaShape shape, string name, string role, string option, Action<ColumnCheck> check)
    {
        var column = Find(shape, name) ?? throw ColumnCheck.Missing(name, role, option, shape.Select(c => c.Name));
        check(ColumnCheck.Of(column));
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
}
