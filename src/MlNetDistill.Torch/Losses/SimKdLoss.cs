using MlNetDistill.Networks;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MlNetDistill.Losses;

/// <summary>What <see cref="SimKdLoss"/> compares.</summary>
public enum SimKdFeatures
{
    /// <summary>The embeddings: vectors, or pooled maps. For any network.</summary>
    Embedding,

    /// <summary>The maps of the last taps, as in the authors' code, for networks whose embedding is the mean of that map: ResNets and VGG.</summary>
    LastMap,
}

/// <summary>
/// Mean (f_s - f_t)² over all elements: SimKD (Chen et al. 2022; DefangChen/SimKD), between the student's projected embedding or last map and the teacher's. The larger of two
/// maps is average-pooled first. <see cref="NetworkSpec.Projected"/> gives a student its projection, and <c>DistillationMethod.SimKd</c> the teacher's last layer.
/// </summary>
public sealed class SimKdLoss : DistillationLoss
{
    /// <summary>The loss.</summary>
    /// <param name="on">What is compared.</param>
    public SimKdLoss(SimKdFeatures on = SimKdFeatures.Embedding) => On = Enum.IsDefined(on) ? on : throw new ArgumentOutOfRangeException(nameof(on), on, "SimKD compares Embedding or LastMap.");

    /// <inheritdoc/>
    public override string Name => "simKd";

    /// <inheritdoc/>
    public override ModelOutputs TeacherNeeds => On == SimKdFeatures.Embedding ? ModelOutputs.Embedding : ModelOutputs.StageFeatures;

    /// <summary>The features that are compared, and the logits, by which the student is judged on held-out rows.</summary>
    public override ModelOutputs StudentNeeds => TeacherNeeds | ModelOutputs.Logits;

    /// <summary>What is compared.</summary>
    public SimKdFeatures On { get; }

    /// <summary>Mean (student - teacher)² over all elements, a scalar.</summary>
    /// <param name="student">The student's projected features, B×D or B×C×H×W.</param>
    /// <param name="teacher">The teacher's, of as many values or channels; a constant, no gradient flows to it. The larger map is average-pooled.</param>
    /// <exception cref="ArgumentException">The shapes differ in more than the size of the maps.</exception>
    public static Tensor Compute(Tensor student, Tensor teacher)
    {
        (student, teacher) = Align(student, teacher);
        return functional.mse_loss(student, teacher);
    }

    /// <inheritdoc/>
    public override IReadOnlyList<nn.Module<Tensor, Tensor>> CreateProjections(OutputShapes student, OutputShapes teacher, Generator generator)
    {
        ArgumentNullException.ThrowIfNull(student);
        ArgumentNullException.ThrowIfNull(teacher);
        // The projection belongs to the student, which keeps it.
        var (ours, theirs) = (RowFeatures.Length(student, ModelOutputs.Embedding, this), RowFeatures.Length(teacher, ModelOutputs.Embedding, this));
        if (ours != theirs)
        {
            throw new InvalidOperationException(FormattableString.Invariant(
                $"SimKD keeps the teacher's last layer, which reads an embedding of {theirs} values; the student's has {ours}. Give the student as NetworkSpec.Projected(student, {theirs})."));
        }

        if (On == SimKdFeatures.LastMap)
            CheckMaps(student, teacher);
        return [];
    }

    /// <inheritdoc/>
    public override Tensor Evaluate(LossInputs inputs)
    {
        ArgumentNullException.ThrowIfNull(inputs);
        var (student, teacher) = On == SimKdFeatures.Embedding
            ? (inputs.Student.Embedding, inputs.Teacher.Embedding)
            : (inputs.Student.StageFeatures[^1], inputs.Teacher.StageFeatures[^1]);
        (student, teacher) = Align(student, teacher);
        return inputs.Weights is null
            ? functional.mse_loss(student, teacher)
            : inputs.Mean(StageFeatureLoss.ComputePerRow(student, teacher, FeatureReduction.Mean));
    }

    private static (Tensor Student, Tensor Teacher) Align(Tensor student, Tensor teacher)
    {
        ArgumentNullException.ThrowIfNull(student);
        ArgumentNullException.ThrowIfNull(teacher);
        (student, teacher) = TapFeatures.PoolToSameSize(student, teacher.detach());
        Guard.SameShape(student, teacher);
        return (student, teacher);
    }

    private static void CheckMaps(OutputShapes student, OutputShapes teacher)
    {
        foreach (var (whose, shapes) in new[] { ("student", student), ("teacher", teacher) })
        {
            var shape = shapes.StageFeatures.LastOrDefault([]);
            if (shape.Length != 3 || shape[0] != shapes.EmbeddingLength)
            {
                throw new InvalidOperationException(
                    $"SimKD on the last maps needs a {whose} whose last tap is the map that is pooled to its embedding of {shapes.EmbeddingLength}; its last tap is [{string.Join(", ", shape)}]. Use SimKdFeatures.Embedding.");
            }
        }
    }
}
