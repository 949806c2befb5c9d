using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace MlNetDistill.Teachers;

/// <summary>Checks the outputs of an imported model and converts them to the form that losses read.</summary>
internal static class ImportedOutputs
{
    /// <summary>The outputs as 32-bit floats: B×K logits, B×D embedding, B×C×H×W or B×D stage features.</summary>
    /// <exception cref="InvalidOperationException">The outputs have another type or shape.</exception>
    public static NetworkOutput Validate(NetworkOutput raw, long rows, string model, bool givesEmbeddings) => raw.Map(
        logits => givesEmbeddings ? ToVectors(logits, rows, model, "embeddings", "N×D") : ToVectors(logits, rows, model, "class scores", "N×K"),
        embedding => ToVectors(embedding, rows, model, "embedding", "N×D"),
        (stage, i) => ToStageFeature(stage, rows, model, i));

    public static OutputShapes GetShapes(NetworkOutput output) => new(
        (int)output.Logits.shape[1],
        output.Available.HasFlag(ModelOutputs.Embedding) ? (int)output.Embedding.shape[1] : null,
        output.Available.HasFlag(ModelOutputs.StageFeatures) ? [.. output.StageFeatures.Select(s => s.shape[1..])] : []);

    /// <summary>Concatenates the rows of several outputs.</summary>
    public static NetworkOutput Concatenate(IReadOnlyList<NetworkOutput> parts) => parts.Count == 1 ? parts[0] : parts[0].Map(
        _ => cat([.. parts.Select(p => p.Logits)]),
        _ => cat([.. parts.Select(p => p.Embedding)]),
        (_, i) => cat([.. parts.Select(p => p.StageFeatures[i])]));

    private static Tensor ToVectors(Tensor value, long rows, string model, string what, string form)
    {
        CheckAlive(value, model, what);
        var shape = value.shape;
        // A map of one pixel, as convolutional heads give it, counts as a vector.
        if (shape.Length < 2 || shape[0] != rows || shape[1] == 0 || shape.Skip(2).Any(d => d != 1))
            throw CreateError(value, rows, model, what, $"{form} (or {form}×1×1)");
        return ToFloats(value, rows, model, what).reshape(rows, shape[1]);
    }

    private static Tensor ToStageFeature(Tensor value, long rows, string model, int position)
    {
        CheckAlive(value, model, $"stage output {position}");
        return value.shape is { Length: 2 or 4 } shape && shape[0] == rows && !shape.Contains(0)
            ? ToFloats(value, rows, model, $"stage output {position}")
            : throw CreateError(value, rows, model, $"stage output {position}", "N×C×H×W or N×D");
    }

    private static void CheckAlive(Tensor value, string model, string what)
    {
        if (value is null)
            throw new InvalidOperationException($"{model} returns null as {what}; it must return a tensor.");
        if (value.IsInvalid)
            throw new InvalidOperationException($"{model} returns as {what} a tensor that is disposed. Move it out of the dispose scope (MoveToOuterDisposeScope).");
    }

    private static Tensor ToFloats(Tensor value, long rows, string model, string what) => value.dtype switch
    {
        ScalarType.Float32 or ScalarType.Float64 or ScalarType.Float16 or ScalarType.BFloat16 => value.to(float32),
        _ => throw CreateError(value, rows, model, what, "floating-point scores, not class indices"),
    };

    private static InvalidOperationException CreateError(Tensor value, long rows, string model, string what, string expected) => new(
        $"{model} gives as {what} {ModelInput.TypeName(value.dtype)} [{string.Join(", ", value.shape)}] for {rows} row{(rows == 1 ? "" : "s")}; it must be " +
        $"{expected}. Choose another output of the model, or export the model with such an output.");
}
