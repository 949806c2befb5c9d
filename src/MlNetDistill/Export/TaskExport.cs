using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace MlNetDistill.Export;

/// <summary>What a task adds to the ML.NET form of its students: the transformer that the last layer becomes, and the scores that it must give.</summary>
internal abstract class TaskExport
{
    /// <summary>Name that the last layer's transformer gives its scores; renamed afterwards where another is wanted.</summary>
    public abstract string ScoreColumn { get; }

    /// <summary>What a score is, for messages: "a probability".</summary>
    public abstract string ScoreName { get; }

    /// <summary>Largest difference of a score between a network and its ML.NET form.</summary>
    public abstract double Tolerance { get; }

    /// <summary>The scores of these logits, B×K each.</summary>
    public abstract Tensor Scores(Tensor logits);

    /// <summary>An in-box transformer that computes the scores.</summary>
    /// <param name="context">The context it belongs to.</param>
    /// <param name="biasesThenWeights">The last layer: K biases, then K rows of D weights.</param>
    /// <param name="logitCount">K.</param>
    /// <param name="input">The column that it reads, a vector of D.</param>
    /// <param name="embeddingLength">D.</param>
    public abstract ITransformer CreateHead(MLContext context, VBuffer<float> biasesThenWeights, int logitCount, DataViewSchema.Column input, int embeddingLength);

    /// <summary>The whole network with its scores as an ONNX model for use outside ML.NET, in 32-bit floats or another form.</summary>
    public abstract byte[] WriteOnnx(Network network, string inputName, OnnxForm? form);
}
