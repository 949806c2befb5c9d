using MlNetDistill.Core;
using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace MlNetDistill.Losses;

/// <summary>
/// Which part of a teacher's knowledge a student learns: the probabilities ρ that stand in place of the teacher's p in a loss, see
/// <see cref="DistillationLoss.WithTargets"/>. Tang et al. ("Understanding and Improving Knowledge Distillation", 2020) distinguish three levels: label smoothing, the
/// relations between classes, and the rescaling of each row's gradient by its difficulty. There is no official code, and the exact form of each target is ours, after
/// secondary sources.
/// </summary>
public abstract record TeacherTargets
{
    private protected TeacherTargets()
    {
    }

    /// <summary>A short name for logs and tables.</summary>
    public abstract string Name { get; }

    /// <summary>Whether the targets are computed from the teacher's answers. Label smoothing and class similarity need none.</summary>
    public virtual bool NeedsTeacher => true;

    /// <summary>Whether the targets are computed from one label for each row; rows without a label are left out then.</summary>
    public virtual bool NeedsLabels => false;

    /// <summary>The classes that they were made for, in the order of the labels; null if they are for any, or unknown.</summary>
    internal virtual IReadOnlyList<string>? ClassNames => null;

    /// <summary>ρ = p: all that the teacher knows.</summary>
    public static TeacherTargets Full() => new FullTargets();

    /// <summary>
    /// ρ_y = p_y, every other class (1 - p_y) / (K - 1): how sure the teacher is of the label, row by row, and nothing about the other classes. Each row's
    /// gradient is rescaled as by all of the teacher's knowledge, see <see cref="GradientRescaling"/>.
    /// </summary>
    public static TeacherTargets TrueClass() => new TrueClassTargets();

    /// <summary>The <paramref name="count"/> largest probabilities; the other classes share what is left equally.</summary>
    /// <param name="count">k, at least 1; if there are no more classes than that, all are kept.</param>
    public static TeacherTargets TopK(int count)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        return new TopTargets(count);
    }

    /// <summary>
    /// ρ = softmax(cosine similarity of the label's class with each class / <paramref name="temperature"/>), from the rows of the last layer of a network: how similar
    /// classes are, the same for all rows of a class.
    /// </summary>
    /// <param name="teacher">
    /// The network; its logits must be in the order of the labels. Of a network of <c>DistilledStudent.ToNetwork</c> with class names, a fit checks that.
    /// </param>
    /// <param name="temperature">The divisor, above 0; 0.3 is our choice.</param>
    /// <exception cref="ArgumentException">The network's body ends in the logits, so it has no last layer to read.</exception>
    public static TeacherTargets ClassSimilarity(Network teacher, double temperature = 0.3)
    {
        ArgumentNullException.ThrowIfNull(teacher);
        return teacher.Head.IsIdentity
            ? throw new ArgumentException("The network's body ends in the logits, so it has no last linear layer. Give the similarities of the classes as a matrix.", nameof(teacher))
            : ClassSimilarity(CosineSimilarities(teacher.Head.Weight), temperature, teacher.ClassNames);
    }

    /// <summary>The same with given similarities.</summary>
    /// <param name="similarities">K×K, row y for the label y, in the order of the label's keys: classes are not reordered by name. Larger is more similar.</param>
    /// <param name="temperature">The divisor, above 0.</param>
    /// <param name="classNames">The classes of the rows, so that a fit checks that its label has them in this order; null to leave that to you.</param>
    /// <exception cref="ArgumentException">The matrix is not square, a number is not finite or overflows when it is divided, or there is not one name for each class.</exception>
    public static TeacherTargets ClassSimilarity(double[,] similarities, double temperature = 0.3, IReadOnlyList<string>? classNames = null)
    {
        ArgumentNullException.ThrowIfNull(similarities);
        Guard.Temperature(temperature, nameof(temperature));
        return new ClassSimilarityTargets(similarities, temperature, classNames);
    }

    /// <summary>ρ = (1 - ε) one-hot(y) + ε / K: label smoothing, which needs no teacher.</summary>
    /// <param name="share">ε, above 0 and below 1.</param>
    public static TeacherTargets Smoothed(double share = 0.1) => share is > 0 and < 1
        ? new SmoothedTargets(share)
        : throw new ArgumentOutOfRangeException(nameof(share), FormattableString.Invariant($"The share must be above 0 and below 1. It was {share}."));

    /// <summary>The cosines between the rows of a matrix, in double precision; 0 for a row shorter than 1e-6, and 1 with itself otherwise.</summary>
    /// <param name="weights">K×D, for example the weights of a teacher's last linear layer.</param>
    /// <exception cref="ArgumentException">The weights are not K×D.</exception>
    public static double[,] CosineSimilarities(Tensor weights)
    {
        Guard.Rank(weights, 2, "classes×features", nameof(weights));
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var (classes, cosines) = ((int)weights.shape[0], weights.detach().to(float64).Cosines().contiguous().cpu().data<double>().ToArray());
        var matrix = new double[classes, classes];
        Buffer.BlockCopy(cosines, 0, matrix, 0, cosines.Length * sizeof(double));
        return matrix;
    }

    /// <summary>log ρ, B×K, without gradient.</summary>
    /// <param name="teacher">The teacher's log-probabilities, B×K, at the temperature of the loss. Where <see cref="NeedsTeacher"/> is false, only their shape and type are read.</param>
    /// <param name="labels">B class indices, 64-bit. Where <see cref="NeedsLabels"/> is true, each must be a class.</param>
    /// <exception cref="ArgumentException">The shapes do not match, or a label is missing or not a class.</exception>
    public Tensor LogProbabilities(Tensor teacher, Tensor labels)
    {
        Guard.Rank(teacher, 2, "rows×classes", nameof(teacher));
        if (NeedsLabels)
            Guard.EveryLabel(labels, teacher);
        return LogProbabilitiesOfChecked(teacher, labels);
    }

    /// <summary>The same for labels that were checked before.</summary>
    internal Tensor LogProbabilitiesOfChecked(Tensor teacher, Tensor labels)
    {
        using var noGrad = no_grad();
        return Compute(teacher.detach(), labels);
    }

    /// <summary>Its name and settings; numbers that are too many to be listed have a hash.</summary>
    public sealed override string ToString() => Describe();

    private protected virtual string Describe() => Name;

    private protected abstract Tensor Compute(Tensor teacher, Tensor labels);

    private sealed record FullTargets : TeacherTargets
    {
        public override string Name => "full";

        private protected override Tensor Compute(Tensor teacher, Tensor labels) => teacher.alias();
    }

    private sealed record TrueClassTargets : TeacherTargets
    {
        public override string Name => "true class";

        public override bool NeedsLabels => true;

        private protected override Tensor Compute(Tensor teacher, Tensor labels)
        {
            LabelledClass.RequireTwoClasses(teacher, "A target of the true class");
            var isLabel = LabelledClass.Mask(labels, teacher);
            var (_, rest, _) = LabelledClass.Split(teacher, isLabel);
            return where(isLabel, teacher, rest.Add(-Math.Log(teacher.shape[1] - 1)));
        }
    }

    private sealed record TopTargets(int Count) : TeacherTargets
    {
        public override string Name => FormattableString.Invariant($"top {Count}");

        private protected override Tensor Compute(Tensor teacher, Tensor labels)
        {
            var classes = teacher.shape[1];
            if (Count >= classes)
                return teacher.alias();
            var (_, kept) = teacher.topk(Count, 1);
            var isKept = zeros_like(teacher).scatter(1, kept, ones_like(teacher)).to(@bool);
            var rest = teacher.MaskedFill(isKept, double.NegativeInfinity).logsumexp(1, true);
            return where(isKept, teacher, rest.Add(-Math.Log(classes - Count)));
        }
    }

    private sealed record SmoothedTargets(double Share) : TeacherTargets
    {
        public override string Name => FormattableString.Invariant($"smoothed {Share}");

        public override bool NeedsTeacher => false;

        public override bool NeedsLabels => true;

        private protected override Tensor Compute(Tensor teacher, Tensor labels)
        {
            var others = Share / teacher.shape[1];
            return zeros_like(teacher).Add(Math.Log(others)).MaskedFill(LabelledClass.Mask(labels, teacher), Math.Log(1 - Share + others));
        }
    }
}
