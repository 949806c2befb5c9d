using static TorchSharp.torch;

namespace MlNetDistill.Data;

/// <summary>An augmentation that changes features and leaves labels alone. Derive your own from it.</summary>
public abstract record FeatureAugmentation : Augmentation
{
    /// <summary>Returns the changed rows: a tensor of the same shape, bytes or 32-bit floats.</summary>
    /// <param name="features">B×(shape of a row), bytes or 32-bit floats, as the augmentations before this one left them; not to be changed in place.</param>
    /// <param name="draws">
    /// Random numbers for these rows. With numbers from elsewhere the result would depend on the batch, and the teacher could be given another view than the student.
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
            throw new InvalidOperationException($"The augmentation {this} returned {(after is null ? "null" : "a disposed tensor")} instead of rows; it must return a tensor.");
        if (after.dtype is not (ScalarType.Float32 or ScalarType.Byte) || !after.shape.SequenceEqual(before.shape))
        {
            throw new InvalidOperationException(
                $"The augmentation {this} returned {after.dtype} [{string.Join(", ", after.shape)}] for rows [{string.Join(", ", before.shape)}]; it must return Float32 or Byte of the same shape.");
        }
    }
}
