using MlNetDistill.Core;
using MlNetDistill.Networks;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MlNetDistill.Losses;

/// <summary>
/// Σ_i 2^-(n-i) · mean over rows of (σ_i^s - σ_i^t)², i = 1 … n - 1: Lipschitz-guided distillation (Shang et al. 2021, LONDON). σ_i is the largest singular value of a row's
/// transmitting matrix G_i = F_i F_(i+1)ᵀ / (H·W), which stands for the Lipschitz constant of the part of the network between two taps. F is a tap as channels×positions;
/// the larger map of a pair is average-pooled to the size of the next. As in the authors' code (42Shawn/LONDON), the last pair counts 1/2, each one before it half of the next.
/// </summary>
/// <remarks>
/// In the authors' code this term trains nothing: its power iteration runs without gradient, its result included. This library builds the term that the paper's abstract describes,
/// with a gradient. Of vectors, σ is the product of their lengths. Of maps it is found by power iteration from a vector of ones; value and gradient come from the last product, with the vector held constant, so they approach the exact
/// σ and its gradient u vᵀ as the iteration converges. A matrix with σ below 1e-6 has σ = 0 and no gradient (NaN in the authors' code);
/// so has one of which every column sums to exactly 0, because the iteration starts at a right angle to it. Also unlike that code, all taps are
/// connected to the teacher's channels before they are paired, the iteration starts at the same vector in every step, and the teacher stays in eval mode.
/// </remarks>
public sealed class LipschitzLoss : DistillationLoss
{
    /// <summary>Steps of the power iteration, unless set.</summary>
    internal const int DefaultIterations = 20;
    private const double LeastSquare = 1e-12;

    /// <summary>The loss between consecutive taps, with connectors of its own.</summary>
    /// <param name="taps">Indices of the stage features, from 0, from input to output: the student's and the teacher's; at least two pairs.</param>
    /// <param name="iterations">Steps of the power iteration, at least 1; the authors' code has 5 or 10.</param>
    /// <param name="relative">Whether differences are relative: see <see cref="IsRelative"/>.</param>
    public LipschitzLoss(IReadOnlyList<(int Student, int Teacher)> taps, int iterations = DefaultIterations, bool relative = false)
        : this(taps, null, iterations, relative)
    {
    }

    /// <summary>The loss between the taps of <paramref name="connected"/>, connected by its connectors; both must be terms of the same sum.</summary>
    /// <param name="connected">The loss that owns the connectors.</param>
    /// <param name="iterations">Steps of the power iteration, at least 1.</param>
    /// <param name="relative">Whether differences are relative: see <see cref="IsRelative"/>.</param>
    public LipschitzLoss(MarginFeatureLoss connected, int iterations = DefaultIterations, bool relative = false)
        : this(connected?.Taps ?? throw new ArgumentNullException(nameof(connected)), connected, iterations, relative)
    {
    }

    private LipschitzLoss(IReadOnlyList<(int Student, int Teacher)> taps, MarginFeatureLoss? connected, int iterations, bool relative)
    {
        ArgumentNullException.ThrowIfNull(taps);
        Taps = TapFeatures.ValidateOrder(TapFeatures.Validate([.. taps], nameof(taps)), nameof(taps));
        if (taps.Count < 2)
            throw new ArgumentOutOfRangeException(nameof(taps), "Lipschitz constants are those of the parts between two taps; give at least two pairs of taps. One was given.");
        ArgumentOutOfRangeException.ThrowIfLessThan(iterations, 1);
        Connected = connected;
        Iterations = iterations;
        IsRelative = relative;
    }

    /// <inheritdoc/>
    public override string Name => "lipschitz";

    /// <inheritdoc/>
    public override ModelOutputs TeacherNeeds => ModelOutputs.StageFeatures;

    /// <inheritdoc/>
    public override ModelOutputs StudentNeeds => ModelOutputs.StageFeatures;

    /// <summary>The pairs of taps, from input to output.</summary>
    public IReadOnlyList<(int Student, int Teacher)> Taps { get; }

    /// <summary>The loss whose connectors are used; null for its own.</summary>
    [WhenNull("its own")]
    public MarginFeatureLoss? Connected { get; }

    /// <summary>Steps of the power iteration.</summary>
    public int Iterations { get; }

    /// <summary>
    /// Whether the mean of (σ_i^s - σ_i^t)² is divided by that of (σ_i^s)² + (σ_i^t)², for each i. σ grows with the scale and the number of the features, over several orders of magnitude
    /// from network to network; divided, a weight means the same for all of them, and a pair of taps of which the teacher's σ is 0 teaches nothing. Not part of the published loss.
    /// </summary>
    public bool IsRelative { get; }

    /// <summary>G = F Gᵀ / positions of each row: how the channels of one tap pass into those of the next.</summary>
    /// <param name="first">B×C×H×W or B×C; a larger map is average-pooled to the size of <paramref name="second"/>.</param>
    /// <param name="second">The next tap, B×C'×H'×W' or B×C', not larger.</param>
    /// <returns>B×C×C'.</returns>
    /// <exception cref="ArgumentException">The numbers of rows differ, or the second map is larger than the first.</exception>
    public static Tensor TransmittingMatrix(Tensor first, Tensor second)
    {
        ArgumentNullException.ThrowIfNull(first);
        ArgumentNullException.ThrowIfNull(second);
        var (from, to) = (AsMap(first, nameof(first)), AsMap(second, nameof(second)));
        if (from.shape[0] != to.shape[0])
            throw new ArgumentException($"The first tap has {from.shape[0]} rows, the second {to.shape[0]}. Give both the same rows.", nameof(second));
        if (Grows(from.shape[1..], to.shape[1..]))
            throw new ArgumentException($"The second map ({Guard.Shape(second)}) is larger than the first ({Guard.Shape(first)}). Give the taps from input to output.", nameof(second));
        if (from.shape[2] != to.shape[2] || from.shape[3] != to.shape[3])
            from = functional.adaptive_avg_pool2d(from, [to.shape[2], to.shape[3]]);
        return from.flatten(2).bmm(to.flatten(2).transpose(1, 2)).DivideBy(to.shape[2] * to.shape[3]);
    }

    /// <summary>σ of each matrix by power iteration from a vector of ones; its gradient is that of the last product.</summary>
    /// <param name="matrices">B×M×N.</param>
    /// <param name="iterations">Number of products with G Gᵀ, at least 1.</param>
    /// <returns>B values of at least 0; 0 below 1e-6.</returns>
    /// <exception cref="ArgumentException">They are not B×M×N.</exception>
    public static Tensor LargestSingularValue(Tensor matrices, int iterations = DefaultIterations)
    {
        Guard.Rank(matrices, 3, "rows×values×values", nameof(matrices));
        ArgumentOutOfRangeException.ThrowIfLessThan(iterations, 1);
        return Root(Multiply(matrices, FindDirection(matrices.detach(), iterations - 1)).flatten(1).norm(1, false, 2));
    }

    /// <summary>Σ_i 2^-(n-i) · mean over rows of (σ_i^s - σ_i^t)², a scalar.</summary>
    /// <param name="student">The student's n taps, from input to output, at least two.</param>
    /// <param name="teacher">The teacher's n taps, of any widths; constants, no gradient flows to them.</param>
    /// <param name="iterations">Steps of the power iteration, at least 1.</param>
    /// <exception cref="ArgumentException">The numbers of taps differ, or there are fewer than two.</exception>
    public static Tensor Compute(IReadOnlyList<Tensor> student, IReadOnlyList<Tensor> teacher, int iterations = DefaultIterations) =>
        Sum(student, teacher, iterations, perRow => perRow.mean(), relative: false);

    /// <inheritdoc/>
    public override IReadOnlyList<nn.Module<Tensor, Tensor>> CreateProjections(OutputShapes student, OutputShapes teacher, Generator generator)
    {
        ArgumentNullException.ThrowIfNull(student);
        ArgumentNullException.ThrowIfNull(teacher);
        CheckShrinks([.. Taps.Select(t => t.Student)], student, "student");
        CheckShrinks([.. Taps.Select(t => t.Teacher)], teacher, "teacher");
        return Connected is null ? TapConnectors.Create(Taps, student, teacher, this, generator) : [];
    }

    /// <inheritdoc/>
    public override IEnumerable<string> Warnings(int classes) => Connected is null ? TapFeatures.WarningsOf(Taps, this) : [];

    internal override DistillationLoss? NeededTerm => Connected;

    /// <inheritdoc/>
    public override Tensor Evaluate(LossInputs inputs)
    {
        ArgumentNullException.ThrowIfNull(inputs);
        var (student, teacher) = TapConnectors.Connect(Taps, inputs, (DistillationLoss?)Connected ?? this);
        return Sum(student, teacher, Iterations, inputs.Mean, IsRelative);
    }

    private static Tensor Sum(IReadOnlyList<Tensor> student, IReadOnlyList<Tensor> teacher, int iterations, Func<Tensor, Tensor> mean, bool relative)
    {
        ArgumentNullException.ThrowIfNull(student);
        ArgumentNullException.ThrowIfNull(teacher);
        if (student.Count != teacher.Count || student.Count < 2)
            throw new ArgumentException($"The student has {student.Count} taps, the teacher {teacher.Count}. Give both the same number, at least two.", nameof(student));
        Tensor? sum = null;
        for (var i = 1; i < student.Count; i++)
        {
            var ours = OfPair(student[i - 1], student[i], iterations);
            var theirs = OfPair(teacher[i - 1].detach(), teacher[i].detach(), iterations);
            var difference = ours.sub(theirs);
            var term = mean(difference.mul(difference));
            // In [0, 1], with no gradient at a teacher's σ of 0, which says nothing about a scale.
            if (relative)
                term = term.div(mean(ours.mul(ours)).Add(mean(theirs.mul(theirs))).ClampMin(LeastSquare));
            term = term.MultiplyBy(TapConnectors.Weight(i, student.Count));
            sum = sum is null ? term : sum.Add(term);
        }

        return sum!;
    }

    /// <summary>σ of the part between two taps. Of vectors G has rank one, and σ is the product of their lengths: no matrix and no iteration is needed.</summary>
    private static Tensor OfPair(Tensor first, Tensor second, int iterations) => first.dim() == 2 && second.dim() == 2 && first.shape[0] == second.shape[0]
        ? Root(SquaredLength(first).mul(SquaredLength(second)))
        : LargestSingularValue(TransmittingMatrix(first, second), iterations);

    private static Tensor SquaredLength(Tensor vectors) => vectors.mul(vectors).sum(1);

    /// <summary>The root of σ²; 0 without a gradient for the least ones, as the gradient of a root at 0 is infinite.</summary>
    private static Tensor Root(Tensor squares)
    {
        var vanishes = squares.IsAtMost(LeastSquare);
        return squares.MaskedFill(vanishes, 1).sqrt().MaskedFill(vanishes, 0);
    }

    private static Tensor FindDirection(Tensor matrices, int products)
    {
        using var noGrad = no_grad();
        var direction = ones([matrices.shape[0], matrices.shape[1], 1], matrices.dtype, matrices.device);
        // Each product is scaled to unit length; without one, the ones are.
        if (products == 0)
            return direction.DivideBy(Math.Sqrt(matrices.shape[1]));
        for (var i = 0; i < products; i++)
        {
            direction = Multiply(matrices, direction);
            var length = direction.norm(1, true, 2);
            direction = direction.div(length.MaskedFill(length.IsAtMost(0), double.PositiveInfinity));
        }

        return direction;
    }

    private static Tensor Multiply(Tensor matrices, Tensor vectors) => matrices.bmm(matrices.transpose(1, 2).bmm(vectors));

    private static Tensor AsMap(Tensor feature, string parameter) => feature.dim() switch
    {
        4 => feature,
        2 => feature.unsqueeze(2).unsqueeze(3),
        _ => throw new ArgumentException($"A tap must be rows×channels×height×width or rows×values; it is {Guard.Shape(feature)}.", parameter),
    };

    private void CheckShrinks(int[] taps, OutputShapes shapes, string whose)
    {
        foreach (var (before, after) in taps.Zip(taps.Skip(1)))
        {
            var from = TapFeatures.Get(shapes.StageFeatures, before, whose, this);
            var to = TapFeatures.Get(shapes.StageFeatures, after, whose, this);
            if (Grows(from, to))
            {
                throw new InvalidOperationException(
                    $"The loss '{Name}' pairs tap {before} of the {whose} [{string.Join(", ", from)}] with its tap {after} [{string.Join(", ", to)}], which is larger. Give the taps from input to output.");
            }
        }
    }

    // [C, H, W], or [C] of a vector.
    private static bool Grows(long[] from, long[] to)
    {
        long[] Size(long[] shape) => shape.Length == 3 ? shape[1..] : [1, 1];
        return Size(from).Zip(Size(to)).Any(sides => sides.Second > sides.First);
    }
}
