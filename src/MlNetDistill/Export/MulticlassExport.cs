using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Networks;
using MlNetDistill.Reading;
using static TorchSharp.torch;

namespace MlNetDistill.Export;

/// <summary>A classifier: its last layer becomes a maximum-entropy predictor, whose scores are the classes' probabilities.</summary>
/// <param name="columns">The student's columns.</param>
internal sealed class MulticlassExport(TrainerColumns columns) : TaskExport
{
    public override string ScoreColumn => "Score";

    public override string ScoreName => "a probability";

    public override double Tolerance => 1e-4;

    public override Tensor Scores(Tensor logits) => logits.softmax(1);

    public override ITransformer CreateHead(MLContext context, VBuffer<float> biasesThenWeights, int logitCount, DataViewSchema.Column input, int embeddingLength)
    {
        // The training schema: the input, and the label, whose key values become annotations of the outputs.
        var schema = new DataViewSchema.Builder();
        schema.AddColumn(input.Name, input.Type);
        schema.AddColumn(columns.ClassKey.Name, columns.ClassKey.Type, columns.ClassKey.Annotations);
        return InBox.MaximumEntropyHead(
            InBox.EnvironmentOf(context.MulticlassClassification.Trainers),
            biasesThenWeights,
            logitCount,
            embeddingLength,
            schema.ToSchema(),
            input.Name,
            columns.ClassKey.Name,
            columns.PredictedLabel);
    }

    public override byte[] WriteOnnx(Network network, string inputName, OnnxForm? form) => OnnxExport.WriteClassifier(network, inputName, form);
}
