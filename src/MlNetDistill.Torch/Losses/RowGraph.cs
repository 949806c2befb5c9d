using MlNetDistill.Core;
using static TorchSharp.torch;

namespace MlNetDistill.Losses;

/// <summary>The graph over the rows of a batch that <see cref="GraphKdLoss"/> compares, as a B×B matrix.</summary>
internal static class RowGraph
{
    /// <summary>The graph of two rows is [[0, 1], [1, 0]] whatever their features, and one row has no edge.</summary>
    public const long LeastRows = 3;

    // The gradient of d^(-1/2) grows without bound as d falls.
    private const double LeastDegree = 1e-6;

    /// <summary>One vector per row: B×… to B×D.</summary>
    public static Tensor Flatten(Tensor features, string parameter) => features.dim() >= 2
        ? features.flatten(1)
        : throw new ArgumentException($"The features must be rows×values or rows×channels×height×width; they are {Guard.Shape(features)}.", parameter);

    /// <summary>M · D^(-1/2) A D^(-1/2): A holds the cosines between rows, 0 on the diagonal and for pairs that are not known; M is the mask.</summary>
    /// <param name="features">B×D.</param>
    /// <param name="signed">What to do with negative features; that there are none if it is an error is checked before.</param>
    /// <param name="known">B×B, 1 for pairs of rows that belong to the graph, else 0; null for all.</param>
    /// <param name="mask">M, B×B; null for all edges.</param>
    public static Tensor Adjacency(Tensor features, SignedFeatures signed, Tensor? known, Tensor? mask)
    {
        var cosines = features.Cosines();
        if (signed == SignedFeatures.ClampCosines)
            cosines = cosines.relu();
        var index = TensorArithmetic.Range(features.shape[0], features.device);
        cosines = cosines.mul(index.unsqueeze(1).ne(index));
        if (known is not null)
            cosines = cosines.mul(known);
        // An isolated row has no part in the degrees of others either, or a gradient would reach it through them.
        var isolated = cosines.detach().sum(1).IsAtMost(LeastDegree);
        cosines = cosines.MaskedFill(isolated.unsqueeze(0).logical_or(isolated.unsqueeze(1)), 0);
        var degree = cosines.sum(1);
        // 0 for isolated rows, and so is their gradient.
        var scale = degree.MaskedFill(degree.IsAtMost(LeastDegree), double.PositiveInfinity).rsqrt();
        var adjacency = cosines.mul(scale.unsqueeze(0)).mul(scale.unsqueeze(1));
        return mask is null ? adjacency : adjacency.mul(mask);
    }

    /// <summary>1 where both rows have a label, else 0; B×B.</summary>
    public static Tensor KnownPairs(Tensor labels, ScalarType type)
    {
        var known = labels.IsLessThan(0).logical_not().to(type);
        return known.unsqueeze(0).mul(known.unsqueeze(1));
    }

    /// <summary>1 for the edges to compare, else 0; B×B.</summary>
    public static Tensor ClassMask(Tensor labels, GraphEdges edges, ScalarType type)
    {
        var (rows, columns) = (labels.unsqueeze(1), labels.unsqueeze(0));
        return (edges == GraphEdges.SameClass ? rows.eq(columns) : rows.ne(columns)).to(type);
    }

    /// <summary>1 where one of two rows is among the k largest entries of the other's row, else 0; B×B.</summary>
    public static Tensor NeighbourMask(Tensor adjacency, int k)
    {
        using var noGrad = no_grad();
        var rows = adjacency.shape[0];
        var index = TensorArithmetic.Range(rows, adjacency.device);
        // A row is not its own neighbour. A stable order, so that equal entries, which rectified features often have, are ordered by index.
        var others = adjacency.MaskedFill(index.unsqueeze(1).eq(index), double.NegativeInfinity);
        var nearest = others.sort(1, descending: true, stable: true).Indices.narrow(1, 0, k);
        var listed = zeros_like(adjacency).scatter(1, nearest, ones_like(nearest).to(adjacency.dtype));
        return listed.maximum(listed.t());
    }

    public static Tensor Power(Tensor adjacency, int power)
    {
        var result = adjacency;
        for (var i = 1; i < power; i++)
            result = result.mm(adjacency);
        return result;
    }

    /// <summary>Throws if a feature is negative.</summary>
    public static void CheckNotNegative(Tensor features, string whose)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        DeferredChecks.ThrowIfBelow0(features.min(), value => CreateNegativeError(value, whose));
    }

    /// <param name="value">The negative feature.</param>
    /// <param name="whose">The network.</param>
    public static InvalidOperationException CreateNegativeError(double value, string whose) => new(
        FormattableString.Invariant($"Graph-based distillation needs features of at least 0, as after a rectifier; one of the {whose}'s is {value:G3}. ") +
        "With negative cosines the sum of a row of the graph can be negative, and its root does not exist. Choose another tap, or set signed to SignedFeatures.ClampCosines, which sets negative cosines to 0.");
}
