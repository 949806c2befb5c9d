using static TorchSharp.torch;

namespace MlNetDistill.Data;

/// <summary>Some rows of a source: the input of one training step or query.</summary>
/// <param name="Set">The source they are from.</param>
/// <param name="Positions">Their positions in it, B 64-bit integers.</param>
/// <param name="Features">B×(shape of a row).</param>
/// <param name="Labels">B class indices; <see cref="IRowSource.MissingLabel"/> where a row has none.</param>
/// <param name="Weights">B example weights, or null.</param>
/// <param name="View">Number of the view: which augmentation of the rows this is; 0 for the rows as they are.</param>
public sealed record Batch(IRowSource Set, Tensor Positions, Tensor Features, Tensor Labels, Tensor? Weights, int View = 0)
{
    /// <summary>
    /// Label shares, B×K 32-bit floats, where mixup or CutMix mixed rows; else null. A row sums to 1, to less where one of its parts has no label.
    /// </summary>
    public Tensor? SoftLabels { get; init; }

    /// <summary>Number and shape of its rows.</summary>
    public override string ToString() => $"{Positions.shape[0]} rows of {Set.Shape}, view {View}";

    /// <summary>Gathers rows of a source as they are. The tensors belong to the current dispose scope.</summary>
    public static Batch Gather(IRowSource set, Tensor positions)
    {
        ArgumentNullException.ThrowIfNull(set);
        ArgumentNullException.ThrowIfNull(positions);
        return new(set, positions, set.Gather(positions, set.Device), set.Labels.index_select(0, positions), set.Weights?.index_select(0, positions));
    }
}
