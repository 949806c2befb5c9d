using Microsoft.ML;
using MlNetDistill.Computing;

namespace MlNetDistill.Students;

/// <summary>A student in a model: neighbouring transformers of ML.NET, and the same function in batches.</summary>
/// <param name="transformers">The ONNX model up to the embedding, if there is one, and what follows.</param>
/// <param name="features">Name of the column that they read.</param>
/// <param name="embedding">Name of the column between them; null if there is only one transformer.</param>
/// <param name="network">The function.</param>
internal sealed class StudentPart(IReadOnlyList<ITransformer> transformers, string features, string? embedding, StudentNetwork network)
{
    public string Features => features;

    public string? Embedding => embedding;

    public StudentNetwork Network => network;

    /// <summary>The columns of a view, followed by those that the student adds.</summary>
    public DataViewSchema GetOutputSchema(DataViewSchema input) => transformers.Aggregate(input, (schema, transformer) => transformer.GetOutputSchema(schema));
}
