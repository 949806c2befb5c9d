using MlNetDistill.Core;
using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace MlNetDistill.Losses;

/// <summary>
/// Mean over taps of Σ_ij (N_s - N_t)²: graph-based relational distillation (Lassance et al. 2019), as the authors' code computes it (cadurosar/graph_kd, utils.py).
/// Each network has a graph over the B rows of the batch. Its adjacency A holds the cosines of all pairs of rows, with 0 on the diagonal; N = D^(-1/2) A D^(-1/2), where the
/// diagonal D holds the row sums of A. Optional masks keep some of the edges; a power p then compares paths of p edges.
/// </summary>
/// <remarks>
/// The graphs are B×B whatever the widths, so no projection is needed. The authors' students have the weight 25. It is a sum over B² entries, each of the order 1/B, so it
/// hardly depends on the size of the batch; but N depends on all rows of the batch, and the graph of two rows is the same for all features, so a batch must have at least
/// three rows. Unlike the original, a row whose cosines sum to less than 1e-6 is isolated: it has no edges and gets no gradient (the original gives NaN); and the mean
/// is over the number of taps (the original always divides by 3). The masks are applied after the normalization, as in the original.
/// </remarks>
public sealed class GraphKdLoss : DistillationLoss
{
    /// <summary>The loss on some taps, or on the embeddings.</summary>
    /// <param name="taps">Indices of the stage features, from 0: the student's and the teacher's. Null to compare the embeddings.</param>
    /// <param name="power">p, at least 1: entries of N^p are compared.</param>
    /// <param name="neighbours">
    /// k, at least 1: only edges between a row and its k nearest rows in the teacher's graph are compared, those in which either row lists the other. Of equal entries those
    /// with the smaller index count as nearer. Null, or at least B - 1, for all edges.
    /// </param>
    /// <param name="edges">Which edges are compared; other than <see cref="GraphEdges.All"/> needs labels, and rows without a label are left out.</param>
    /// <param name="signed">What to do with negative features.</param>
    public GraphKdLoss(
        IReadOnlyList<(int Student, int Teacher)>? taps = null,
        int power = 1,
        int? neighbours = null,
        GraphEdges edges = GraphEdges.All,
        SignedFeatures signed = SignedFeatures.Throw)
    {
        Taps = taps is null ? null : TapFeatures.Validate([.. taps], nameof(taps));
        ArgumentOutOfRangeException.ThrowIfLessThan(power, 1);
        if (neighbours is { } k)
            ArgumentOutOfRangeException.ThrowIfLessThan(k, 1, nameof(neighbours));
        Power = power;
        Neighbours = neighbours;
        Edges = Enum.IsDefined(edges) ? edges : throw new ArgumentOutOfRangeException(nameof(edges), edges, "The edges must be All, SameClass or DifferentClass.");
        Signed = Enum.IsDefined(signed) ? signed : throw new ArgumentOutOfRangeException(nameof(signed), signed, "What to do with signed features must be Throw or ClampCosines.");
    }

    /// <inheritdoc/>
    public override string Name => "graphKd";

    /// <inheritdoc/>
    public override ModelOutputs TeacherNeeds => Taps is null ? ModelOutputs.Embedding : ModelOutputs.StageFeatures;

    /// <inheritdoc/>
    public override ModelOutputs StudentNeeds => TeacherNeeds;

    /// <inheritdoc/>
    public override bool CanUseWeights => false;

    /// <inheritdoc/>
    public override bool NeedsHardLabels => Edges != GraphEdges.All;

    /// <inheritdoc/>
    public override bool NeedsLabels => Edges != GraphEdges.All;

    /// <summary>The pairs of taps; null for the embeddings.</summary>
    [WhenNull("the embeddings")]
    public IReadOnlyList<(int Student, int Teacher)>? Taps { get; }

    /// <summary>p, the power of the adjacency.</summary>
    public int Power { get; }

    /// <summary>k, the number of neighbours in the teacher's graph; null for all rows.</summary>
    [WhenNull("all")]
    public int? Neighbours { get; }

    /// <summary>Which edges are compared.</summary>
    public GraphEdges Edges { get; }

    /// <summary>What to do with negative features.</summary>
    public SignedFeatures Signed { get; }

    /// <summary>Σ_ij (N_s^p - N_t^p)² of one pair of features, a scalar.</summary>
    /// <param name="student">The student's features, B×…, B at least 3.</param>
    /// <param name="teacher">The teacher's features, B×…, of any shape; a constant, no gradient flows to it.</param>
    /// <param name="power">p, at least 1.</param>
    /// <param name="neighbours">k, or null for all rows.</param>
    /// <param name="signed">What to do with negative features.</param>
    /// <param name="labels">B class indices; needed if <paramref name="edges"/> is not <see cref="GraphEdges.All"/>. Negative for a row without a label.</param>
    /// <param name="edges">Which edges are compared.</param>
    /// <exception cref="ArgumentException">The numbers of rows differ, there are fewer than three, or labels are needed and missing.</exception>
    /// <exception cref="InvalidOperationException">Features are negative, and <paramref name="signed"/> is <see cref="SignedFeatures.Throw"/>.</exception>
    public static Tensor Compute(
        Tensor student,
        Tensor teacher,
        int power = 1,
        int? neighbours = null,
        SignedFeatures signed = SignedFeatures.Throw,
        Tensor? labels = null,
        GraphEdges edges = GraphEdges.All) => Compute(student, teacher, power, neighbours, signed, labels, edges, RowGraph.CheckNotNegative);

    private static Tensor Compute(
        Tensor student, Tensor teacher, int power, int? neighbours, SignedFeatures signed, Tensor? labels, GraphEdges edges, Action<Tensor, string> checkNotNegative)
    {
        ArgumentNullException.ThrowIfNull(student);
        ArgumentNullException.ThrowIfNull(teacher);
        (student, teacher) = (RowGraph.Flatten(student, nameof(student)), RowGraph.Flatten(teacher, nameof(teacher)));
        Guard.SameRowCount(student, teacher);
        ArgumentOutOfRangeException.ThrowIfLessThan(power, 1);
        if (edges != GraphEdges.All && labels is null)
            throw new ArgumentException($"The edges {edges} are chosen by labels: give them, one for each row.", nameof(labels));
        if (student.shape[0] < RowGraph.LeastRows)
        {
            throw new ArgumentException(
                $"Graph-based distillation needs batches of at least {RowGraph.LeastRows} rows; this one has {student.shape[0]}. The graph of two rows is the same whatever their features. Use a larger batch size.",
                nameof(student));
        }

        if (signed == SignedFeatures.Throw)
        {
            checkNotNegative(teacher, "teacher");
            checkNotNegative(student, "student");
        }

        var mask = edges == GraphEdges.All ? null : RowGraph.ClassMask(labels!, edges, student.dtype);
        var known = edges == GraphEdges.All ? null : RowGraph.KnownPairs(labels!, student.dtype);
        var theirs = RowGraph.Adjacency(teacher.detach(), signed, known, mask);
        var ours = RowGraph.Adjacency(student, signed, known, mask);
        if (neighbours is { } k && k < student.shape[0] - 1)
        {
            var nearest = RowGraph.NeighbourMask(theirs, k);
            (ours, theirs) = (ours.mul(nearest), theirs.mul(nearest));
        }

        var difference = RowGraph.Power(ours, power).sub(RowGraph.Power(theirs, power));
        return difference.mul(difference).sum();
    }

    /// <inheritdoc/>
    public override IEnumerable<string> Warnings(int classes) => TapFeatures.WarningsOf(Taps, this);

    internal override IEnumerable<string> BatchWarnings(int batchSize)
    {
        if (Neighbours >= batchSize - 1)
        {
            yield return FormattableString.Invariant(
                $"The loss '{Name}' compares the edges to the {Neighbours} nearest rows, and a batch of {batchSize} rows has {batchSize - 1} others: all edges are compared. Give fewer neighbours, or null for all.");
        }
    }

    /// <inheritdoc/>
    public override Tensor Evaluate(LossInputs inputs)
    {
        ArgumentNullException.ThrowIfNull(inputs);
        var labels = Edges == GraphEdges.All ? null : inputs.Labels;
        if (Taps is null)
            return ComputePair((inputs.Student.Embedding, inputs.Teacher.Embedding), 0);
        Tensor[] values = [.. TapFeatures.Select(Taps, inputs.Student.StageFeatures, inputs.Teacher.StageFeatures, this).Select(ComputePair)];
        return values.Length == 1 ? values[0] : values.Aggregate((a, b) => a.Add(b)).DivideBy(values.Length);

        Tensor ComputePair((Tensor Student, Tensor Teacher) pair, int at) => Compute(pair.Student, pair.Teacher, Power, Neighbours, Signed, labels, Edges, (values, whose) =>
        {
            if (inputs.Checks is { } checks)
                checks.RequireAtLeast0((this, at, whose), values, value => RowGraph.CreateNegativeError(value, whose));
            else
                RowGraph.CheckNotNegative(values, whose);
        });
    }

    /// <inheritdoc/>
    public override IReadOnlyList<nn.Module<Tensor, Tensor>> CreateProjections(OutputShapes student, OutputShapes teacher, Generator generator)
    {
        ArgumentNullException.ThrowIfNull(student);
        ArgumentNullException.ThrowIfNull(teacher);
        // No projection is needed; a missing tap or embedding is found before training.
        if (Taps is null)
            _ = (RowFeatures.Length(student, ModelOutputs.Embedding, this), RowFeatures.Length(teacher, ModelOutputs.Embedding, this));
        else
            _ = TapFeatures.Select(Taps, student.StageFeatures, teacher.StageFeatures, this).ToList();
        return [];
    }
}

/// <summary>Which edges of the graphs over a batch are compared.</summary>
public enum GraphEdges
{
    /// <summary>All.</summary>
    All,

    /// <summary>Edges between rows of the same class.</summary>
    SameClass,

    /// <summary>Edges between rows of different classes.</summary>
    DifferentClass,
}

/// <summary>What graph-based distillation does if features are negative: the root of a row's sum of cosines does not exist if the sum is negative.</summary>
public enum SignedFeatures
{
    /// <summary>An exception is thrown.</summary>
    Throw,

    /// <summary>Negative cosines become 0: rows that point away from each other have no edge. This is a choice of this library.</summary>
    ClampCosines,
}
