using Microsoft.ML;
using Microsoft.ML.Data;

namespace MlNetDistill.Schema;

/// <summary>
/// The trainer's output schema before fitting. The shape's column constructor is internal to ML.NET, so public in-box estimators with the
/// same outputs supply it.
/// </summary>
internal static class TrainerSchemaShape
{
    private const string Prefix = "__MlNetDistill.";
    private const string AsSingle = Prefix + "Single";
    private static readonly string[] InBoxOutputs = ["Score", "PredictedLabel"];

    public static SchemaShape Output(MLContext context, SchemaShape input, DistillationOptions options)
    {
        var features = Require(input, options.FeatureColumnName, "feature");
        Require(input, options.LabelColumnName, "label");
        if (options.ExampleWeightColumnName is { } weight)
            Require(input, weight, "example weight");
        var isByte = features.ItemType == NumberDataViewType.Byte;
        string[] outputs = [options.ScoreColumnName, options.PredictedLabelColumnName];
        string[] kept = [.. InBoxOutputs.Except(outputs).Where(name => Find(input, name) is not null)];
        string[] surplus =
        [
            .. isByte ? [AsSingle] : Array.Empty<string>(),
            .. InBoxOutputs.Except(outputs).Except(kept),
            .. kept.Select(Kept),
            .. InBoxOutputs.Select(New),
        ];
        var estimator = new EstimatorChain<ITransformer>();
        if (isByte)
            Add(context.Transforms.Conversion.ConvertType(AsSingle, features.Name, DataKind.Single));
        Copy(kept.Select(name => (Kept(name), name)));
        Add(context.MulticlassClassification.Trainers.LbfgsMaximumEntropy(
            options.LabelColumnName, isByte ? AsSingle : features.Name, options.ExampleWeightColumnName));
        // By way of new names, as one of the outputs may be called what the other was.
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

    private static SchemaShape.Column Require(SchemaShape shape, string name, string role) => Find(shape, name) ?? throw new ArgumentOutOfRangeException(
        "inputSchema", $"The {role} column '{name}' is not in the schema. Its columns are {string.Join(", ", shape.Select(c => $"'{c.Name}'"))}.");

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
