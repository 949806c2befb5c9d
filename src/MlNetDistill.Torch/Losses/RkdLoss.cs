using MlNetDistill.Core;
using MlNetDistill.Networks;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MlNetDistill.Losses;

/// <summary>
/// w_d · mean over pairs of ℓ(d_s, d_t) + w_a · mean over triples of ℓ(cos_s, cos_t): relational knowledge distillation (Park et al. 2019). ℓ is
/// the smooth L1 loss, d the distance of two rows divided by the mean distance in the batch, cos the cosine of the angle between two rows as seen
/// from a third. As in mdistiller, distillers/RKD.py: means over all B² and B³ entries, squared distances at least 1e-12, the diagonal 0.
/// </summary>
/// <remarks>
/// Unlike the reference: if two rows are closer than 1e-6, their cosines are 0 and give no gradient; the reference divides by 1e-12 there, and its
/// gradient reaches 1e11. The angles need B³ numbers, so use batches of about a hundred rows at most.
/// </remarks>
public sealed class RkdLoss : DistillationLoss
{
    private const double NoDistance = 1e-6;
    private const double LeastMean = 1e-12;

    /// <summary>The loss with its two relations; the weights are mdistiller's.</summary>
    /// <param name="distanceWeight">w_d, at least 0.</param>
    /// <param name="angleWeight">w_a, at least 0.</param>
    /// <param name="on">Which output of student and teacher is compared: <see cref="ModelOutputs.Embedding"/> or <see cref="ModelOutputs.Logits"/>.</param>
    /// <param name="squared">Whether distances are squared.</param>
    public RkdLoss(double distanceWeight = 25, double angleWeight = 50, ModelOutputs on = ModelOutputs.Embedding, bool squared = false)
    {
        DistanceWeight = Guard.Weight(distanceWeight, nameof(distanceWeight));
        AngleWeight = Guard.Weight(angleWeight, nameof(angleWeight));
        Guard.AnyPositiveWeight(distanceWeight, angleWeight, nameof(angleWeight));
        On = RowFeatures.Validate(on, nameof(on));
        Squared = squared;
    }

    /// <inheritdoc/>
    public override string Name => "rkd";

    /// <inheritdoc/>
    public override ModelOutputs TeacherNeeds => On;

    /// <inheritdoc/>
    public override ModelOutputs StudentNeeds => On;

    /// <inheritdoc/>
    public override bool CanUseWeights => false;

    /// <summary>w_d, the weight of distances.</summary>
    public double DistanceWeight { get; }

    /// <summary>w_a, the weight of angles.</summary>
    public double AngleWeight { get; }

    /// <summary>Which output is compared.</summary>
    public ModelOutputs On { get; }

    /// <summary>Whether distances are squared.</summary>
    public bool Squared { get; }

    /// <summary>w_d · mean ℓ(d_s, d_t) + w_a · mean ℓ(cos_s, cos_t), a scalar.</summary>
    /// <param name="student">The student's features, B×D.</param>
    /// <param name="teacher">The teacher's features, B×D', of any width; a constant, no gradient flows to it.</param>
    /// <param name="distanceWeight">w_d.</param>
    /// <param name="angleWeight">w_a.</param>
    /// <param name="squared">Whether distances are squared.</param>
    /// <exception cref="ArgumentException">One is not B×D, or the numbers of rows differ.</exception>
    public static Tensor Compute(Tensor student, Tensor teacher, double distanceWeight = 25, double angleWeight = 50, bool squared = false)
    {
        Guard.SameRowCount(student, teacher);
        var studentPairs = new RowPairs(student);
        var teacherPairs = new RowPairs(teacher.detach());
        Tensor Distances() => functional.smooth_l1_loss(studentPairs.Distances(squared), teacherPairs.Distances(squared)).MultiplyBy(distanceWeight);
        Tensor Angles() => functional.smooth_l1_loss(studentPairs.Cosines(), teacherPairs.Cosines()).MultiplyBy(angleWeight);
        if (angleWeight == 0)
            return Distances();
        return distanceWeight == 0 ? Angles() : Distances().Add(Angles());
    }

    /// <inheritdoc/>
    public override Tensor Evaluate(LossInputs inputs) => Compute(
        RowFeatures.Select(inputs.Student, On), RowFeatures.Select(inputs.Teacher, On), DistanceWeight, AngleWeight, Squared);

    // All pairs of rows of one batch.
    private readonly struct RowPairs
    {
        private readonly Tensor _features;
        private readonly Tensor _distances;

        public RowPairs(Tensor features)
        {
            _features = features;
            // From differences, not from inner products, which lose precision for rows that are close.
            _distances = cdist(features, features, 2, compute_mode.donot_use_mm_for_euclid_dist);
        }

        // Divided by their mean, which excludes the diagonal; 0 for a single row.
        public Tensor Distances(bool squared)
        {
            var rows = _distances.shape[0];
            var index = TensorArithmetic.Range(rows, _distances.device);
            var least = _distances.ClampMin(NoDistance);
            var distances = (squared ? least.mul(least) : least).mul(index.unsqueeze(1).ne(index));
            return distances.div(distances.sum().DivideBy(Math.Max(1, rows * (rows - 1))).ClampMin(LeastMean));
        }

        // Entry [i, j, k] is the cosine at row i between the directions to j and k: (x_j - x_i)·(x_k - x_i) / (d_ij d_ik). Multiplied out, it
        // needs B³ numbers, where the differences would need B³·D. The products of close rows cancel in 32 bits, so they are computed in 64.
        public Tensor Cosines()
        {
            var features = _features.to(ScalarType.Float64);
            var centred = features.sub(features.mean([0]));
            var products = centred.mm(centred.t());
            var toFirst = products.sub(products.diagonal().unsqueeze(1));
            var numerators = products.unsqueeze(0).sub(toFirst.unsqueeze(1)).sub(products.unsqueeze(2));
            // 0 for rows that coincide; the gradient through the reciprocal of infinity is 0 as well.
            var inverses = _distances.MaskedFill(_distances.IsAtMost(NoDistance), double.PositiveInfinity).reciprocal().to(ScalarType.Float64);
            return numerators.mul(inverses.unsqueeze(2)).mul(inverses.unsqueeze(1)).to(_features.dtype);
        }
    }
}
