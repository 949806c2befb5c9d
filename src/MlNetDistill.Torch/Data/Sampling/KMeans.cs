using MlNetDistill.Core;
using static TorchSharp.torch;

namespace MlNetDistill.Data;

/// <summary>
/// Lloyd's k-means from a k-means++ start (Arthur and Vassilvitskii 2007), on the vectors' device. Distances are rows × clusters and computed in
/// chunks.
/// </summary>
internal static class KMeans
{
    private const int MaxRounds = 50;

    // Values computed at a time: 16 MiB as 32-bit floats.
    private const int ChunkValues = 1 << 22;

    /// <summary>The cluster of each row, N 64-bit integers in [0, clusters). A cluster may stay empty if fewer vectors are distinct.</summary>
    /// <param name="vectors">N×D, 32-bit floats.</param>
    /// <param name="clusters">Number of clusters, 1 to N.</param>
    /// <param name="generator">For the start; a CPU generator.</param>
    public static Tensor Assign(Tensor vectors, int clusters, Generator generator)
    {
        using var scope = NewDisposeScope();
        var centres = ChooseInitialCentres(vectors, clusters, generator);
        Tensor? clusterOf = null;
        for (var round = 0; round < MaxRounds; round++)
        {
            using var inner = NewDisposeScope();
            var (nearest, distances) = FindNearest(vectors, centres);
            var settled = clusterOf is not null && nearest.eq(clusterOf).all().item<bool>();
            clusterOf = nearest.MoveToOuterDisposeScope();
            if (settled)
                break;
            centres = UpdateCentres(vectors, clusterOf, distances, clusters).MoveToOuterDisposeScope();
        }

        return clusterOf!.MoveToOuterDisposeScope();
    }

    /// <summary>Rows far from each other: each is drawn by its squared distance to the nearest one drawn before.</summary>
    private static Tensor ChooseInitialCentres(Tensor vectors, int clusters, Generator generator)
    {
        using var scope = NewDisposeScope();
        var draws = rand(clusters, float64, CPU, generator: generator).to(vectors.device);
        var last = vectors.shape[0] - 1;
        var row = draws.narrow(0, 0, 1).MultiplyBy(vectors.shape[0]).to(int64);
        var rows = new List<Tensor> { row };
        var distances = FindNearest(vectors, vectors.index_select(0, row)).Distances;
        for (var i = 1; i < clusters; i++)
        {
            using var inner = NewDisposeScope();
            var sums = distances.to(float64).cumsum(0);
            row = searchsorted(sums, draws.narrow(0, i, 1).mul(sums.narrow(0, last, 1)), right: true).Clamp(0, last);
            rows.Add(row.MoveToOuterDisposeScope());
            distances = distances.minimum(FindNearest(vectors, vectors.index_select(0, row)).Distances).MoveToOuterDisposeScope();
        }

        return vectors.index_select(0, cat(rows)).MoveToOuterDisposeScope();
    }

    /// <summary>For each row the nearest center and the squared distance to it.</summary>
    private static (Tensor Centre, Tensor Distances) FindNearest(Tensor vectors, Tensor centres)
    {
        using var scope = NewDisposeScope();
        var lengths = centres.mul(centres).sum(1).unsqueeze(0);
        var doubled = centres.t().MultiplyBy(2);
        var (found, distances) = (new List<Tensor>(), new List<Tensor>());
        foreach (var rows in vectors.split(GetChunkRows(centres.shape[0])))
        {
            using var inner = NewDisposeScope();
            // ‖x - c‖² = ‖x‖² + ‖c‖² - 2x·c; ‖x‖² does not matter for which is nearest.
            var (least, centre) = lengths.sub(rows.mm(doubled)).min(1);
            found.Add(centre.MoveToOuterDisposeScope());
            distances.Add(least.Add(rows.mul(rows).sum(1)).ClampMin(0).MoveToOuterDisposeScope());
        }

        return (cat(found).MoveToOuterDisposeScope(), cat(distances).MoveToOuterDisposeScope());
    }

    /// <summary>The mean of each cluster; an empty one starts again at one of the rows farthest from their centers.</summary>
    private static Tensor UpdateCentres(Tensor vectors, Tensor clusterOf, Tensor distances, int clusters)
    {
        using var scope = NewDisposeScope();
        var sums = zeros(clusters, vectors.shape[1], float32, vectors.device);
        var counts = zeros(clusters, float32, vectors.device);
        var numbers = TensorArithmetic.Range(clusters, vectors.device).unsqueeze(0);
        var chunk = GetChunkRows(clusters);
        foreach (var (rows, assigned) in vectors.split(chunk).Zip(clusterOf.split(chunk)))
        {
            using var inner = NewDisposeScope();
            // A product with 0s and 1s instead of a scatter: scattering adds in any order on a GPU.
            var members = assigned.unsqueeze(1).eq(numbers).to(float32);
            sums.AddInPlace(members.t().mm(rows));
            // Not sum(0): the 0 would be interpreted as a ScalarType (bytes).
            counts.AddInPlace(members.sum([0]));
        }

        var means = sums.div(counts.ClampMin(1).unsqueeze(1));
        var empty = counts.IsEqualTo(0).nonzero().reshape(-1);
        if (empty.shape[0] > 0)
        {
            var (_, farthest) = distances.topk((int)empty.shape[0]);
            means.index_copy_(0, empty, vectors.index_select(0, farthest));
        }

        return means.MoveToOuterDisposeScope();
    }

    private static long GetChunkRows(long columns) => Math.Max(1, ChunkValues / columns);
}
