using static TorchSharp.torch;

namespace MlNetDistill.Networks;

/// <summary>The outputs that a network or a teacher can compute for a batch.</summary>
[Flags]
public enum ModelOutputs
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>Scores before softmax, B×K.</summary>
    Logits = 1,

    /// <summary>The pooled vector before the last layer, B×D.</summary>
    Embedding = 2,

    /// <summary>The outputs of parts of the backbone: maps, or vectors in a perceptron.</summary>
    StageFeatures = 4,
}

/// <summary>The requested outputs of one forward pass.</summary>
/// <param name="logits">Scores before softmax, B×K, or null.</param>
/// <param name="embedding">The vector the last layer reads, B×D, or null.</param>
/// <param name="stageFeatures">Stage features, from input to output: B×C×H×W maps, or B×D vectors in a perceptron.</param>
public sealed class NetworkOutput(Tensor? logits = null, Tensor? embedding = null, IReadOnlyList<Tensor>? stageFeatures = null)
{
    /// <summary>Scores before softmax, B×K.</summary>
    /// <exception cref="InvalidOperationException">They were not requested.</exception>
    public Tensor Logits => logits ?? throw NotRequested(ModelOutputs.Logits);

    /// <summary>The vector the last layer reads, B×D.</summary>
    /// <exception cref="InvalidOperationException">It was not requested.</exception>
    public Tensor Embedding => embedding ?? throw NotRequested(ModelOutputs.Embedding);

    /// <summary>Stage features, from input to output: B×C×H×W maps, or B×D vectors in a perceptron; as many as were computed.</summary>
    /// <exception cref="InvalidOperationException">They were not requested.</exception>
    public IReadOnlyList<Tensor> StageFeatures => stageFeatures ?? throw NotRequested(ModelOutputs.StageFeatures);

    /// <summary>The outputs that are available.</summary>
    public ModelOutputs Available =>
        (logits is null ? ModelOutputs.None : ModelOutputs.Logits)
        | (embedding is null ? ModelOutputs.None : ModelOutputs.Embedding)
        | (stageFeatures is null ? ModelOutputs.None : ModelOutputs.StageFeatures);

    /// <summary>Any of the outputs, for its number of rows and its type.</summary>
    internal Tensor Any => logits ?? embedding ?? stageFeatures![0];

    /// <summary>All available outputs.</summary>
    internal IEnumerable<Tensor> All => new[] { logits, embedding }.OfType<Tensor>().Concat(stageFeatures ?? []);

    /// <summary>Whether there are logits that require a gradient.</summary>
    internal bool LogitsRequireGradient => logits?.requires_grad == true;

    internal static NetworkOutput FromLogits(Tensor logits) => new(logits);

    /// <summary>Applies <paramref name="change"/> to every available output.</summary>
    internal NetworkOutput Map(Func<Tensor, Tensor> change) => Map(change, change, (stage, _) => change(stage));

    /// <summary>Applies a function to each available output; that of stage features receives their index too.</summary>
    internal NetworkOutput Map(Func<Tensor, Tensor> ofLogits, Func<Tensor, Tensor> ofEmbedding, Func<Tensor, int, Tensor> ofStage) => new(
        logits is null ? null : ofLogits(logits), embedding is null ? null : ofEmbedding(embedding), stageFeatures?.Select(ofStage).ToArray());

    private static InvalidOperationException NotRequested(ModelOutputs kind) => new(
        $"No {kind} was computed in this step. A loss that reads it from the student must include it in StudentNeeds, from the teacher in TeacherNeeds.");
}

/// <summary>The outputs that a network or a teacher can compute, and their sizes.</summary>
/// <param name="LogitCount">Number of logits K.</param>
/// <param name="EmbeddingLength">Length D of the embedding; null if there is none.</param>
/// <param name="StageFeatures">Dimensions of each stage feature without the batch axis: [C, H, W] of a map, [D] of a vector; empty if there are none.</param>
public sealed record OutputShapes(int LogitCount, int? EmbeddingLength, IReadOnlyList<long[]> StageFeatures)
{
    /// <summary>The shapes of a network or teacher with logits only.</summary>
    /// <param name="logitCount">Number of logits K.</param>
    public OutputShapes(int logitCount)
        : this(logitCount, null, [])
    {
    }

    /// <summary>The outputs with their sizes.</summary>
    public override string ToString() => string.Join(
        ", ",
        (string[])[$"{LogitCount} logits", .. EmbeddingLength is { } length ? [$"an embedding of {length}"] : Array.Empty<string>(),
            .. StageFeatures.Count > 0 ? [$"stage features {string.Join(", ", StageFeatures.Select(f => string.Join('×', f)))}"] : Array.Empty<string>()]);

    /// <summary>The outputs that are available.</summary>
    public ModelOutputs Available =>
        ModelOutputs.Logits
        | (EmbeddingLength is null ? ModelOutputs.None : ModelOutputs.Embedding)
        | (StageFeatures.Count == 0 ? ModelOutputs.None : ModelOutputs.StageFeatures);

    /// <summary>Whether the embedding is known to be the mean over the last stage feature, a map.</summary>
    internal bool PoolsLastTap { get; init; }
}
