using System.Numerics.Tensors;

namespace MlNetDistill.Evaluation;

/// <summary>Cosines of queries with every row of a gallery, a block of queries at a time on every processor.</summary>
internal static class Similarities
{
    // A row of the gallery is read from memory once for so many queries.
    private const int BlockRows = 16;

    /// <summary>Calls <paramref name="use"/> with each query and its cosines, from several threads at once.</summary>
    /// <param name="queries">Embeddings of unit length.</param>
    /// <param name="gallery">Embeddings of unit length.</param>
    /// <param name="use">Gets the number of a query and its cosines with the gallery, which are overwritten afterwards.</param>
    public static void ForEachQuery(float[][] queries, float[][] gallery, Action<int, float[]> use)
    {
        var blocks = (queries.Length + BlockRows - 1) / BlockRows;
        Parallel.For(0, blocks, () => CreateBuffers(gallery.Length), (block, _, scores) =>
        {
            var (from, to) = (block * BlockRows, Math.Min(queries.Length, (block + 1) * BlockRows));
            for (var j = 0; j < gallery.Length; j++)
            {
                for (var i = from; i < to; i++)
                    scores[i - from][j] = TensorPrimitives.Dot<float>(queries[i], gallery[j]);
            }

            for (var i = from; i < to; i++)
                use(i, scores[i - from]);
            return scores;
        }, _ => { });
    }

    private static float[][] CreateBuffers(int length)
    {
        var buffers = new float[BlockRows][];
        for (var i = 0; i < BlockRows; i++)
            buffers[i] = new float[length];
        return buffers;
    }
}
