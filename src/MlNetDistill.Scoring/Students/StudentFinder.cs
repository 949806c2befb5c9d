using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Trainers;
using Microsoft.ML.Transforms;
using Microsoft.ML.Transforms.Onnx;
using MlNetDistill.Computing;

namespace MlNetDistill.Students;

/// <summary>Finds the students in a model: an ONNX model up to the embedding and what follows, or, where there is none, a maximum-entropy model alone.</summary>
/// <param name="catalog">Saves transformers, to read what they do not show.</param>
/// <param name="batchSize">Most rows of a batch.</param>
/// <param name="threads">Threads of a run of ONNX Runtime; 0 for its own choice.</param>
internal sealed class StudentFinder(ModelOperationsCatalog catalog, int batchSize, int threads)
{
    // As a student is exported: StudentChain of MlNetDistill.
    private const string Embedding = "__MlNetDistill.Embedding";

    private int HeadThreads => threads > 0 ? threads : Environment.ProcessorCount;

    /// <summary>The steps of a model, with its students in place of their transformers.</summary>
    /// <returns>A transformer, or a student, for each step.</returns>
    /// <exception cref="InvalidOperationException">There is no student.</exception>
    public IReadOnlyList<(ITransformer? Transformer, StudentPart? Student)> Find(IReadOnlyList<(ITransformer Transformer, DataViewSchema Input)> steps)
    {
        var found = new List<(ITransformer? Transformer, StudentPart? Student)>();
        try
        {
            for (var i = 0; i < steps.Count; i++)
            {
                if (i + 1 < steps.Count && EmbeddingLength(steps[i]) is { } length && HeadOf(steps[i + 1].Transformer, length) is { } head)
                    found.Add((null, WithNetwork(steps[i], steps[++i].Transformer, head)));
                else
                    found.Add((steps[i].Transformer, null));
            }

            if (found.All(step => step.Student is null))
                found = [.. found.Select(step => LinearOf(step.Transformer!) is { } student ? (null, student) : step)];
            foreach (var student in found.Select(step => step.Student).OfType<StudentPart>())
                CheckBatchSize(student.Network);
            return found.Any(step => step.Student is not null) ? found : throw new InvalidOperationException(
                $"The model contains no student of MlNetDistill: neither an ONNX model that gives '{Embedding}', followed by a maximum-entropy model or a normalizer of it, nor a " +
                $"linear maximum-entropy model. It consists of {(steps.Count == 0 ? "no steps" : string.Join(", ", steps.Select(step => NameOf(step.Transformer))))}. " +
                "Give the model that Fit returned, or one that mlContext.Model.Load loaded.");
        }
        catch
        {
            foreach (var (_, student) in found)
                student?.Network.Dispose();
            throw;
        }
    }

    /// <summary>The values of a batch lie in one array.</summary>
    private void CheckBatchSize(StudentNetwork network)
    {
        var most = Array.MaxLength / Math.Max(network.FeatureLength, Math.Max(network.EmbeddingLength, network.ScoreLength));
        if (batchSize > most)
        {
            throw new ArgumentOutOfRangeException(
                "options", FormattableString.Invariant($"BatchSize must be at most {most} for this student, as the values of a batch lie in one array; was {batchSize}."));
        }
    }

    private static string NameOf(ITransformer transformer) => transformer.GetType().Name.Split('`')[0];

    /// <summary>The length of the embeddings that an ONNX model gives, or null.</summary>
    private static int? EmbeddingLength((ITransformer Transformer, DataViewSchema Input) step) => step.Transformer is OnnxTransformer
        && step.Transformer.GetOutputSchema(step.Input)[^1] is { Name: Embedding, Type: VectorDataViewType { Size: > 0 } type } ? type.Size : null;

    private static StudentHead? HeadOf(ITransformer transformer, int embeddingLength) => transformer switch
    {
        ISingleFeaturePredictionTransformer<object> { FeatureColumnName: Embedding, Model: MaximumEntropyModelParameters model } => HeadOf(model),
        LpNormNormalizingTransformer => new UnitLengthHead(embeddingLength),
        _ => null,
    };

    private static SoftmaxHead HeadOf(MaximumEntropyModelParameters model)
    {
        VBuffer<float>[] weights = [];
        model.GetWeights(ref weights, out _);
        float[] biases = [.. model.GetBiases()];
        return new SoftmaxHead(IsIdentity(weights, biases) ? null : new LinearLayer([.. weights.Select(row => row.DenseValues().ToArray())], biases), biases.Length);
    }

    // So it is in a student whose ONNX model has the last layer too.
    private static bool IsIdentity(VBuffer<float>[] weights, float[] biases) =>
        weights[0].Length == weights.Length && biases.All(bias => bias == 0) && weights.Index().All(row => row.Item.Items().ToArray() is [{ Value: 1 } one] && one.Key == row.Index);

    private StudentPart WithNetwork((ITransformer Transformer, DataViewSchema Input) onnx, ITransformer last, StudentHead head)
    {
        var session = new SharedSession(OnnxModelBytes.Read(catalog, onnx.Transformer, onnx.Input), threads);
        return new StudentPart([onnx.Transformer, last], session.Input, Embedding, new StudentNetwork(session, head, batchSize, HeadThreads));
    }

    private StudentPart? LinearOf(ITransformer transformer) =>
        transformer is ISingleFeaturePredictionTransformer<object> { FeatureColumnName: { } features, Model: MaximumEntropyModelParameters model }
            ? new StudentPart([transformer], features, null, new StudentNetwork(null, HeadOf(model), batchSize, HeadThreads))
            : null;
}
