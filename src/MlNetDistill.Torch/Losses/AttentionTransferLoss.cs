using MlNetDistill.Core;
using MlNetDistill.Networks;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MlNetDistill.Losses;

/// <summary>
/// Sum over pairs of taps of mean (a(f_s) - a(f_t))², a(f) = q / max(‖q‖, 1e-12), where q is the mean over channels of f², one vector per row:
/// attention transfer (Zagoruyko and Komodakis 2017), as mdistiller computes it (distillers/AT.py).
/// </summary>
/// <remarks>
/// A map has one attention value per pixel however many channels it has, so no projection is needed. If the sizes differ, the larger map is
/// average-pooled first. The mean over pixels makes the loss small; mdistiller gives it the weight 1000.
/// </remarks>
public sealed class AttentionTransferLoss : DistillationLoss
{
    /// <summary>The loss on these pairs of taps, for example <c>new AttentionTransferLoss((1, 1), (2, 2))</c>.</summary>
    /// <param name="taps">Indices of the stage features, from 0: the student's and the teacher's.</param>
    public AttentionTransferLoss(params (int Student, int Teacher)[] taps) => Taps = TapFeatures.Validate(taps, nameof(taps));

    /// <inheritdoc/>
    public override string Name => "attentionTransfer";

    /// <inheritdoc/>
    public override ModelOutputs TeacherNeeds => ModelOutputs.StageFeatures;

    /// <inheritdoc/>
    public override ModelOutputs StudentNeeds => ModelOutputs.StageFeatures;

    /// <summary>The pairs of taps.</summary>
    public IReadOnlyList<(int Student, int Teacher)> Taps { get; }

    /// <summary>a(f): the mean over channels of f², each row at unit length; a row of zeros stays zero.</summary>
    /// <param name="map">B×C×H×W.</param>
    /// <returns>B×(H·W).</returns>
    /// <exception cref="ArgumentException">It is not B×C×H×W.</exception>
    public static Tensor AttentionMap(Tensor map)
    {
        Guard.Rank(map, 4, "rows×channels×height×width", nameof(map));
        var energy = map.mul(map).mean([1]).flatten(1);
        // Of squares: features of 1e-6, the shortest of UnitRows, have this energy. A longer least length would take small features for zeros.
        return energy.div(energy.norm(1, true, 2).ClampMin(1e-12));
    }

    /// <summary>Mean (a(student) - a(teacher))² of one pair of stage features, as a scalar.</summary>
    /// <param name="student">B×C×H×W.</param>
    /// <param name="teacher">B×C'×H'×W'; a constant, no gradient flows to it.</param>
    /// <exception cref="ArgumentException">One is not B×C×H×W, or the numbers of rows differ.</exception>
    public static Tensor Compute(Tensor student, Tensor teacher)
    {
        Guard.Rank(student, 4, "rows×channels×height×width", nameof(student));
        Guard.Rank(teacher, 4, "rows×channels×height×width", nameof(teacher));
        if (student.shape[0] != teacher.shape[0])
            throw new ArgumentException($"The student has {student.shape[0]} rows, the teacher {teacher.shape[0]}. Give both the same rows.", nameof(teacher));
        (student, teacher) = TapFeatures.PoolToSameSize(student, teacher.detach());
        return functional.mse_loss(AttentionMap(student), AttentionMap(teacher));
    }

    /// <inheritdoc/>
    public override IReadOnlyList<nn.Module<Tensor, Tensor>> CreateProjections(OutputShapes student, OutputShapes teacher, Generator generator)
    {
        foreach (var (from, to) in TapFeatures.Select(Taps, student.StageFeatures, teacher.StageFeatures, this))
        {
            TapFeatures.CheckSameKind(from, to, this);
            if (from.Length != 3)
                throw new InvalidOperationException($"The loss '{Name}' needs maps; the features have shape [{string.Join(", ", from)}].");
        }

        return [];
    }

    /// <inheritdoc/>
    public override IEnumerable<string> Warnings(int classes) => TapFeatures.WarningsOf(Taps, this);

    /// <inheritdoc/>
    public override Tensor Evaluate(LossInputs inputs) => TapFeatures
        .Select(Taps, inputs.Student.StageFeatures, inputs.Teacher.StageFeatures, this)
        .Select(pair => ComputePair(inputs, pair.Student, pair.Teacher))
        .Aggregate((a, b) => a.Add(b));

    private static Tensor ComputePair(LossInputs inputs, Tensor student, Tensor teacher)
    {
        if (inputs.Weights is null)
            return Compute(student, teacher);
        (student, teacher) = TapFeatures.PoolToSameSize(student, teacher.detach());
        return inputs.Mean(StageFeatureLoss.ComputePerRow(AttentionMap(student), AttentionMap(teacher), FeatureReduction.Mean));
    }
}
