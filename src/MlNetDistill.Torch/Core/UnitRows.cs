using static TorchSharp.torch;

namespace MlNetDistill.Core;

/// <summary>Vectors as directions.</summary>
internal static class UnitRows
{
    /// <summary>A shorter vector has no meaningful direction in single precision.</summary>
    public const double SmallestLength = 1e-6;

    /// <summary>
    /// x / ‖x‖ along the last axis. A vector shorter than 1e-6 becomes 0 and gets no gradient; x / max(‖x‖, 1e-12) would give it a gradient of 1e12.
    /// </summary>
    public static Tensor NormalizeRows(this Tensor features)
    {
        var length = features.norm((int)features.dim() - 1, true, 2);
        return features.div(length.MaskedFill(length.IsAtMost(SmallestLength), double.PositiveInfinity));
    }

    /// <summary>The cosine of every two rows: B×D to B×B. 0 with a row that is shorter than 1e-6.</summary>
    public static Tensor Cosines(this Tensor rows)
    {
        var unit = rows.NormalizeRows();
        return unit.mm(unit.t());
    }
}
