using MlNetDistill.Core;
using static TorchSharp.torch;

namespace MlNetDistill.Data;

/// <summary>
/// The rows that training, teachers and samplers read. Rows are addressed by position, from 0 to <see cref="Count"/> - 1, and have a <see cref="RowId"/> that other data
/// refer to. Features may be anywhere (in one tensor, in several, in a file) and are gathered for some rows at a time; labels and weights, 12 bytes per row, are in
/// memory. Disposing a source frees its tensors.
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

    /// <summary>N labels, 64-bit integers (class indices from 0 for a classifier); <see cref="MissingLabel"/> for a row without one. On <see cref="Device"/>; the source owns them.</summary>
    Tensor Labels { get; }

    /// <summary>N example weights, 32-bit floats; null if all rows have the same weight. On <see cref="Device"/>; the source owns them.</summary>
    Tensor? Weights { get; }

    /// <summary>Whether some rows have no label.</summary>
    bool HasMissingLabels { get; }

    /// <summary>The device of labels and weights, on which training runs. Features may be on another.</summary>
    Device Device { get; }

    /// <summary>
    /// The blocks in which the source reads its rows; null where any row is read as fast as its neighbour. <see cref="BatchSampling.Shuffled"/> then shuffles blocks, and
    /// rows only among those of <see cref="RowBlocks.Together"/> blocks.
    /// </summary>
    RowBlocks? Blocks => null;

    /// <summary>Moves labels and weights to a device, and features too if the source keeps them there.</summary>
    /// <param name="device">The new <see cref="Device"/>.</param>
    void MoveTo(Device device);

    /// <summary>Copies the features of some rows to a device.</summary>
    /// <param name="positions">B positions, 64-bit integers on any device; a position may occur more than once.</param>
    /// <param name="device">The device of the result.</param>
    /// <returns>B×(shape of a row) of the source's <see cref="ElementType"/>, in the order of the positions, in the current dispose scope.</returns>
    Tensor Gather(Tensor positions, Device device);

    /// <summary>Copies single elements of rows to a device; each element of a result row may come from another row.</summary>
    /// <remarks>Override this if the source can read single elements; the default implementation gathers whole rows, some at a time.</remarks>
    /// <param name="positions">B×L positions, where L is the number of elements of a row.</param>
    /// <param name="device">The device of the result.</param>
    /// <returns>B×L of the source's <see cref="ElementType"/>, in the current dispose scope.</returns>
    Tensor GatherElements(Tensor positions, Device device) => ElementGathering.FromRows(this, positions, device);

    /// <summary>
    /// Part <paramref name="rank"/> of <paramref name="shards"/>: rows <paramref name="rank"/>, <paramref name="rank"/> + <paramref name="shards"/> and so on, because
    /// data are often sorted by class and every shard should have all classes. Every row is in exactly one shard.
    /// </summary>
    /// <param name="rank">Number of the shard, from 0 to <paramref name="shards"/> - 1.</param>
    /// <param name="shards">Number of shards, from 1 to <see cref="Count"/>.</param>
    /// <returns>A new source, which the caller disposes. Do not dispose this source before it.</returns>
    /// <exception cref="ArgumentOutOfRangeException">There is no such shard.</exception>
    IRowSource Shard(int rank, int shards);
}
