using static TorchSharp.torch;

namespace MlNetDistill.Data;

/// <summary>Receives some stored elements of a row.</summary>
/// <param name="columns">Their places, ascending.</param>
/// <param name="values">The elements.</param>
internal delegate void StoredElements(ReadOnlySpan<int> columns, ReadOnlySpan<float> values);

/// <summary>
/// Rows of floats that store only elements other than 0, and give them without the zeros: a pass over them takes the time and the memory of what is stored, and not of the
/// rows written out.
/// </summary>
internal interface ISparseSource
{
    /// <summary>Reads the stored elements of a row, in the order of their places and in one or more pieces; the elements that it does not give are 0. Thread-safe.</summary>
    /// <param name="position">The position of the row.</param>
    /// <param name="read">Reads a piece.</param>
    void ReadStored(long position, StoredElements read);

    /// <summary>Positions as numbers, in order; few of them are in memory at a time.</summary>
    static IEnumerable<long> Enumerate(Tensor positions)
    {
        foreach (var part in Chunks.Split(positions, 1 << 16))
        {
            using var onCpu = part.cpu().DetachFromDisposeScope();
            foreach (var position in onCpu.data<long>().ToArray())
                yield return position;
        }
    }
}
