using MlNetDistill.Core;
using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace MlNetDistill.Losses;

/// <summary>
/// Mean over rows of Σ_i 2^-(n-i) Σ (f_s - t)² over the elements where f_s &gt; t or t &gt; 0, with the target t = max(f_t, m_c): the margin feature loss (OFD) that LONDON
/// (Shang et al. 2021) uses, as its authors' code computes it (42Shawn/LONDON). m_c is the margin of channel c, at most 0: a student need not follow
/// responses below it. The last tap counts 1, each one before it half of the next.
/// </summary>
/// <remarks>
/// The authors' taps are outputs of a batch normalization in front of a rectifier, and m_c is the mean negative response that its parameters give
/// (<see cref="MarginsOf"/>). A teacher here may be any network or file, so by default m_c is the mean of the negative values of channel c in the batch, which is what those
/// parameters estimate; it is 0 for taps behind a rectifier, which have none. The student's taps are connected to the teacher's channels where the numbers differ (1×1
/// convolution without bias and batch normalization); of maps of different sizes the larger is average-pooled first. It is a sum over a map: the authors' trainer divides it
/// by 1000.
/// </remarks>
public sealed class MarginFeatureLoss : DistillationLoss
{
    private const double LeastWeight = 1e-12;

    /// <summary>The loss on these pairs of taps.</summary>
    /// <param name="taps">Indices of the stage features, from 0, from input to output: the student's and the teacher's.</param>
    /// <param name="margins">The margins of each pair of taps, one at most 0 for each channel of the teacher's; null to estimate them from each batch.</param>
    public MarginFeatureLoss(IReadOnlyList<(int Student, int Teacher)> taps, IReadOnlyList<IReadOnlyList<float>>? margins = null)
    {
        ArgumentNullException.ThrowIfNull(taps);
        Taps = TapFeatures.ValidateOrder(TapFeatures.Validate([.. taps], nameof(taps)), nameof(taps));
        if (margins is not null && ValidateMargins(margins, taps.Count).FirstOrDefault() is { } fault)
            throw new ArgumentException(fault, nameof(margins));
        Margins = margins is null ? null : [.. margins.Select(of => (IReadOnlyList<float>)[.. of])];
    }

    /// <inheritdoc/>
    public override string Name => "marginFeature";

    /// <inheritdoc/>
    public override ModelOutputs TeacherNeeds => ModelOutputs.StageFeatures;

    /// <inheritdoc/>
    public override ModelOutputs StudentNeeds => ModelOutputs.StageFeatures;

    /// <summary>The pairs of taps.</summary>
    public IReadOnlyList<(int Student, int Teacher)> Taps { get; }

    /// <summary>The margins of each pair of taps; null to estimate them from each batch.</summary>
    [WhenNull("of each batch")]
    public IReadOnlyList<IReadOnlyList<float>>? Margins { get; }

    /// <summary>
    /// The margins of a batch normalization: the mean of the negative part of a normal distribution with mean bias and deviation |weight|; -3 |weight| where at most 0.001 of
    /// it is negative.
    /// </summary>
    /// <param name="weight">The weights of its channels.</param>
    /// <param name="bias">Its biases, as many.</param>
    /// <exception cref="ArgumentException">They are not two vectors of the same length.</exception>
    public static float[] MarginsOf(Tensor weight, Tensor bias)
    {
        Guard.Rank(weight, 1, "one value for each channel", nameof(weight));
        Guard.SameShape(weight, bias);
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        double[] Read(Tensor values) => [.. values.to(float64).cpu().contiguous().data<double>()];
        var (means, deviations) = (Read(bias), Read(weight.abs()));
        var shares = Read(special.ndtr(tensor(means).neg().div(tensor(deviations))));
        return [.. means.Select((mean, c) => (float)Margin(mean, deviations[c], shares[c]))];
    }

    /// <summary>The mean of the negative values of each channel; 0 for a channel without any.</summary>
    /// <param name="teacher">B×C×H×W or B×C.</param>
    /// <param name="weights">B example weights, or null.</param>
    /// <returns>C values of at most 0.</returns>
    public static Tensor EstimateMargins(Tensor teacher, Tensor? weights = null)
    {
        ArgumentNullException.ThrowIfNull(teacher);
        using var noGrad = no_grad();
        long[] others = [.. Enumerable.Range(0, (int)teacher.dim()).Where(axis => axis != 1)];
        var counted = teacher.IsLessThan(0).to(teacher.dtype);
        if (weights is not null)
            counted = counted.mul(weights.to(teacher.dtype).reshape([-1, .. Enumerable.Repeat(1L, (int)teacher.dim() - 1)]));
        return teacher.mul(counted).sum(others).div(counted.sum(others).ClampMin(LeastWeight));
    }

    /// <summary>Mean over rows of Σ (student - t)² where student &gt; t or t &gt; 0, t = max(teacher, margin): one pair of taps, a scalar.</summary>
    /// <param name="student">Features of the student, B×C×H×W or B×C, connected to the teacher's channels.</param>
    /// <param name="teacher">Features of the teacher, of the same shape; a constant, no gradient flows to it.</param>
    /// <param name="margins">C margins, at most 0; null for <see cref="EstimateMargins"/>.</param>
    /// <exception cref="ArgumentException">The shapes differ, or there is not one margin for each channel.</exception>
    public static Tensor Compute(Tensor student, Tensor teacher, Tensor? margins = null) => ComputePerRow(student, teacher, margins, null).mean();

    /// <inheritdoc/>
    public override IReadOnlyList<nn.Module<Tensor, Tensor>> CreateProjections(OutputShapes student, OutputShapes teacher, Generator generator)
    {
        ArgumentNullException.ThrowIfNull(student);
        ArgumentNullException.ThrowIfNull(teacher);
        for (var i = 0; i < Margins?.Count; i++)
        {
            var channels = TapFeatures.Get(teacher.StageFeatures, Taps[i].Teacher, "teacher", this)[0];
            if (Margins[i].Count != channels)
                throw new InvalidOperationException($"The loss '{Name}' has {Margins[i].Count} margins for tap {Taps[i].Teacher} of the teacher, which has {channels} channels. Give one for each channel.");
        }

        return TapConnectors.Create(Taps, student, teacher, this, generator);
    }

    /// <inheritdoc/>
    public override IEnumerable<string> Warnings(int classes) => TapFeatures.WarningsOf(Taps, this);

    /// <inheritdoc/>
    public override Tensor Evaluate(LossInputs inputs)
    {
        ArgumentNullException.ThrowIfNull(inputs);
        var (student, teacher) = TapConnectors.Connect(Taps, inputs, this);
        Tensor? sum = null;
        for (var i = 0; i < student.Length; i++)
        {
            var (ours, theirs) = TapFeatures.PoolToSameSize(student[i], teacher[i]);
            var margins = Margins is null ? null : tensor([.. Margins[i]], theirs.dtype, theirs.device);
            var term = ComputePerRow(ours, theirs, margins, inputs.Weights).MultiplyBy(TapConnectors.Weight(i + 1, student.Length));
            sum = sum is null ? term : sum.Add(term);
        }

        return inputs.Mean(sum!);
    }

    /// <summary>What is wrong with margins for this number of pairs of taps, each as one sentence.</summary>
    internal static IEnumerable<string> ValidateMargins(IReadOnlyList<IReadOnlyList<float>> margins, int taps)
    {
        if (margins.Count != taps)
            yield return $"The margins must be given for each of the {taps} pairs of taps; they were given for {margins.Count}.";
        if (margins.Contains(null!))
            yield return "The margins of a pair of taps are null. Give one for each channel of its teacher's tap, or no margins at all, to estimate them from each batch.";
        foreach (var margin in margins.SelectMany(of => of ?? []).Where(margin => !(margin <= 0 && float.IsFinite(margin))).Take(1))
            yield return FormattableString.Invariant($"A margin is a mean negative response and must be at most 0; one was {margin}.");
    }

    private static Tensor ComputePerRow(Tensor student, Tensor teacher, Tensor? margins, Tensor? weights)
    {
        Guard.SameShape(student, teacher);
        var margin = margins ?? EstimateMargins(teacher.detach(), weights);
        if (margin.dim() != 1 || margin.shape[0] != teacher.shape[1])
            throw new ArgumentException($"The margins must be {teacher.shape[1]} values, one for each channel; they are {Guard.Shape(margin)}.", nameof(margins));
        var target = teacher.detach().maximum(margin.reshape([1, -1, .. Enumerable.Repeat(1L, (int)teacher.dim() - 2)]));
        var counts = student.gt(target).logical_or(target.IsAtMost(0).logical_not());
        var difference = student.sub(target);
        return difference.mul(difference).mul(counts).flatten(1).sum(1);
    }

    private static double Margin(double mean, double deviation, double negativeShare)
    {
        // A channel of weight 0 is constant.
        if (deviation == 0)
            return Math.Min(mean, 0);
        var z = mean / deviation;
        return negativeShare > 0.001 ? mean - (deviation * Math.Exp(-z * z / 2) / Math.Sqrt(2 * Math.PI) / negativeShare) : -3 * deviation;
    }
}
