using static TorchSharp.torch;

namespace MlNetDistill.Data;

/// <summary>An augmentation that changes features and leaves labels alone. Derive from it for one of your own.</summary>
public abstract record FeatureAugmentation : Augmentation
{
    /// <summary>Rows changed: a tensor of the same shape, bytes or 32-bit floats.</summary>
    /// <param name="features">B×(shape of a row), bytes or 32-bit floats, as the augmentations before this one left them; not to be changed in place.</param>
    /// <param name="draws">
    /// Random numbers for these rows. With others a row's look would depend on the batch it is in, and a teacher that is asked about it could be shown another.
    /// </param>
    protected abstract Tensor Apply(Tensor features, RowDraws draws);

    internal sealed override ViewedRows Apply(ViewedRows rows, ViewStep step)
    {
        var changed = Apply(rows.Features, new RowDraws(step));
        Check(rows.Features, changed);
        return rows with { Features = changed };
    }

    private void Check(Tensor before, Tensor? after)
    {
        if (after is null || after.IsInvalid)
            throw new InvalidOperationException($"The augmentation {this} gave {(after is null ? "null" : "a tensor that it has disposed of")} in place of rows; it must give a tensor.");
        if (after.dtype is not (ScalarType.Float32 or ScalarType.Byte) || !after.shape.SequenceEqual(before.shape))
        {
            throw new InvalidOperationException(
                $"The augmentation {this} gave {after.dtype} [{string.Join(", ", after.shape)}] for rows [{string.Join(", ", before.shape)}]; it must give Float32 or Byte of the same shape.");
        }
    }
}
