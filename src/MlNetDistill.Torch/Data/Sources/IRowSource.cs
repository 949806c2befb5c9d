using MlNetDistill.Core;
using static TorchSharp.torch;

namespace MlNetDistill.Data;

/// <summary>
/// The rows of a run: where training, teachers and samplers get them from. Rows are addressed by position, from 0 to <see cref="Count"/> - 1, and identified to
/// the outside by their <see cref="RowId"/>. Features may lie anywhere (in one tensor, in several, in a file) and are gathered for some rows at a time;
/// labels and weights, 12 bytes a row, are held whole. Disposing a source frees what it holds.
/// </summary>
public interface IRowSource : IDisposable
{
    /// <summary>The label of a row that has none.</summary>
    const long MissingLabel = -100;

    /// <summary>Number of rows N.</summary>
    long Count { get; }

    /// <summary>Shape of one row.</summary>
    InputShape Shape { get; }

    /// <summary>Type of the features: <see cref="ScalarType.Byte"/> or <see cref="ScalarType.Float32"/>.</summary>
    ScalarType ElementType { get; }

    /// <summary>Identity of each row.</summary>
    RowIds RowIds { get; }

    /// <summary>N labels, 64-bit integers, of a classifier the class indices from 0; <see cref="MissingLabel"/> where a row has none. On <see cref="Device"/>; they stay the source's.</summary>
    Tensor Labels { get; }

    /// <summary>N example weights, 32-bit floats, or null where all rows weigh the same. On <see cref="Device"/>; they stay the source's.</summary>
    Tensor? Weights { get; }

    /// <summary>Whether some rows have no label.</summary>
    bool HasMissingLabels { get; }

    /// <summary>Where labels and weights are, and where the run computes. Features may lie elsewhere.</summary>
    Device Device { get; }

    /// <summary>Moves labels and weights to a device, and features too where the source keeps them on the device.</summary>
    /// <param name="device">The new <see cref="Device"/>.</param>
    void MoveTo(Device device);

    /// <summary>Copies the features of some rows to a device.</summary>
    /// <param name="positions">B positions, 64-bit integers on any device; a position may come more than once.</param>
    /// <param name="device">Where the features are wanted.</param>
    /// <returns>B×(shape of a row) of the source's <see cref="ElementType"/>, in the order of the positions, in the current dispose scope.</returns>
    Tensor Gather(Tensor positions, Device device);

    /// <summary>Copies single elements of rows to a device: element j of each result from a row of its own.</summary>
    /// <remarks>A source that can read single elements should do so; without an implementation of its own, whole rows are gathered, some at a time.</remarks>
    /// <param name="positions">B×L positions, where L is the number of elements of a row.</param>
    /// <param name="device">Where the elements are wanted.</param>
    /// <returns>B×L of the source's <see cref="ElementType"/>, in the current dispose scope.</returns>
    Tensor GatherElements(Tensor positions, Device device) => ElementGathering.FromRows(this, positions, device);

    /// <summary>
    /// Part <paramref name="rank"/> of <paramref name="shards"/>: rows <paramref name="rank"/>, <paramref name="rank"/> + <paramref name="shards"/> and so on, as
    /// data are often sorted by class and every shard should hold all classes. The shards of all ranks hold every row exactly once.
    /// </summary>
    /// <param name="rank">Number of the shard, from 0 to <paramref name="shards"/> - 1.</param>
    /// <param name="shards">Number of shards, from 1 to <see cref="Count"/>.</param>
    /// <returns>A source of its own, which the caller disposes; this source must live as long.</returns>
    /// <exception cref="ArgumentOutOfRangeException">There is no such shard.</exception>
    IRowSource Shard(int rank, int shards);
}
