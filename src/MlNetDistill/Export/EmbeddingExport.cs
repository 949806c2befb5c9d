using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Core;
using MlNetDistill.Networks;
using MlNetDistill.Reading;
using static TorchSharp.torch;

namespace MlNetDistill.Export;

/// <summary>An embedding: the whole network is the ONNX model, and ML.NET's normalizer scales its output to length 1.</summary>
/// <param name="columns">The student's columns; the scores are the embeddings.</param>
internal sealed class EmbeddingExport(TrainerColumns columns) : TaskExport
{
    public override string ScoreColumn => columns.Score;

    public override string ScoreName => "a value of the embedding";

    public override double Tolerance => 1e-4;

    public override Tensor Scores(Tensor logits) => logits.NormalizeRows();

    public override ITransformer CreateHead(MLContext context, VBuffer<float> biasesThenWeights, int logitCount, DataViewSchema.Column input, int embeddingLength)
    {
        var schema = new DataViewSchema.Builder();
        schema.AddColumn(input.Name, input.Type);
        return context.Transforms.NormalizeLpNorm(columns.Score, input.Name).Fit(new EmptyView(schema.ToSchema()));
    }

    public override byte[] WriteOnnx(Network network, string inputName, OnnxForm? form) => OnnxExport.WriteEmbedding(network, inputName, columns.Score, form);
}
