using Microsoft.ML;
using MlNetDistill.Evaluation;
using MlNetDistill.Export;
using MlNetDistill.Networks;

namespace MlNetDistill;

/// <summary>A student of embeddings as an ML.NET model: it adds a vector of Single of length 1.</summary>
public sealed class EmbeddingTransformer : StudentTransformer
{
    internal EmbeddingTransformer(MLContext context, StudentChain chain, DataViewSchema inputSchema, DistilledEmbedding model)
        : base(context, chain, inputSchema) => Model = model;

    /// <summary>The student's network and how it was trained.</summary>
    public DistilledEmbedding Model { get; }

    /// <summary>Name of the output column with the embeddings.</summary>
    public string OutputColumnName => Chain.Score;

    /// <summary>The rows that it was trained on, by hashes; null in a model that was loaded.</summary>
    internal TrainedRows? TrainedRows { get; init; }

    /// <summary>The student and its columns.</summary>
    public override string ToString() => $"{Model.Spec.Name} from '{FeatureColumnName}' to '{OutputColumnName}'";

    private protected override Network CreateNetwork() => Model.ToNetwork();
}
