using MlNetDistill.Core;
using MlNetDistill.Data;
using static TorchSharp.torch;

namespace MlNetDistill.Teachers;

/// <summary>
/// The directions that keep most of the cosines between embeddings: the leading eigenvectors of their second moments at unit length, without subtracting a mean, because
/// a cosine is measured from the origin (principal components of uncentred data; Eckart and Young 1936: no other projection to as many values has closer inner products).
/// </summary>
internal static class EmbeddingAxes
{
    private const int RowsAtATime = 8192;

    /// <summary>The axes as columns, D'×<paramref name="length"/>, and the share of the embeddings' squared length that they keep.</summary>
    /// <param name="embeddings">N×D'.</param>
    /// <param name="positions">The rows that count.</param>
    /// <param name="length">Number of axes, less than D'.</param>
    /// <returns>32-bit floats on the embeddings' device, in the current dispose scope. The same embeddings give the same axes.</returns>
    public static (Tensor Axes, double Kept) Find(Tensor embeddings, Tensor positions, int length)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var width = embeddings.shape[1];
        var moments = zeros(width, width, float64, embeddings.device);
        foreach (var part in Chunks.Split(positions, RowsAtATime))
        {
            using var inner = NewDisposeScope();
            var unit = embeddings.index_select(0, part).to(float64).NormalizeRows();
            moments.AddInPlace(unit.t().mm(unit));
        }

        var (values, vectors) = linalg.eigh(moments.cpu());
        // Eigenvalues are in ascending order.
        var leading = vectors.narrow(1, width - length, length).flip(1);
        var kept = values.narrow(0, width - length, length).sum().item<double>() / values.sum().ClampMin(double.Epsilon).item<double>();
        // The sign of an eigenvector is free.
        var largest = leading.gather(0, leading.abs().argmax(0, true));
        return (leading.mul(largest.sign()).to(float32).to(embeddings.device).MoveToOuterDisposeScope(), kept);
    }
}
