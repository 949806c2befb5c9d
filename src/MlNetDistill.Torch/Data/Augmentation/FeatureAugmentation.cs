using MlNetDistill.Core;
using static TorchSharp.torch;

namespace MlNetDistill.Data;

/// <summary>An augmentation that changes features and leaves labels alone. Derive your own from it.</summary>
public abstract record FeatureAugmentation : Augmentation
{
    // Of the largest value, between two results for the same row: far above rounding.
    private const double Tolerance = 1e-4;

    /// <summary>
    /// Rows changed: a tensor of the same shape, bytes or 32-bit floats; floats where the rows are floats. Each row depends on itself and on <paramref name="draws"/> alone: of the
    /// first batch some rows are augmented twice, and different values are an error.
    /// </summary>
    /// <param name="features">B×(shape of a row), bytes or 32-bit floats, as the augmentations before this one left them; not to be changed in place.</param>
    /// <param name="draws">
    /// Random numbers for these rows. With numbers from elsewhere the result would depend on the batch, and the teacher could be given another view than the student.
    /// </param>
    protected abstract Tensor Apply(Tensor features, RowDraws draws);

    internal sealed override ViewedRows Apply(ViewedRows rows, ViewStep step)
    {
        // Taken before the rows are given away, as the augmentation may dispose of them.
        var (type, shape) = (rows.Features.dtype, rows.Features.shape);
        var places = shape[0] > 1 && step.CheckedAugmentations.Add(step.Index) ? EverySecondFromTheLast(shape[0], step.Positions.device) : null;
        var some = places is null ? null : rows.Features.index_select(0, places);
        var changed = Apply(rows.Features, new RowDraws(step));
        Check(type, shape, changed);
        if (places is not null)
            CompareWithAnotherBatch(changed.index_select(0, places), Apply(some!, new RowDraws(step with { Positions = step.Positions.index_select(0, places) })));
        return rows with { Features = changed };
    }

    /// <summary>Fewer rows, in another order and with other neighbours.</summary>
    private static Tensor EverySecondFromTheLast(long rows, Device device) =>
        TensorArithmetic.Range((rows + 1) / 2, device).MultiplyByInteger(-2).AddInteger(rows - 1);

    private void CompareWithAnotherBatch(Tensor expected, Tensor found)
    {
        using var scope = NewDisposeScope();
        Check(expected.dtype, expected.shape, found);
        var (before, after) = (expected.to(float32).nan_to_num(), found.to(float32).nan_to_num());
        // Rounding to bytes may go either way.
        var tolerance = expected.dtype == ScalarType.Byte ? 1 : Tolerance * before.abs().max().item<float>();
        if (!(before.sub(after).abs().max().item<float>() <= tolerance))
        {
            throw new InvalidOperationException(
                $"The augmentation {this} gave different values for the same rows when it was applied to them again, in another order and in a smaller batch. " +
                "Take random numbers from the RowDraws that Apply is given, not from torch or System.Random, and compute each row from itself alone.");
        }
    }

    private void Check(ScalarType type, long[] shape, Tensor? after)
    {
        if (after is null || after.IsInvalid)
            throw new InvalidOperationException($"The augmentation {this} returned {(after is null ? "null" : "a disposed tensor")} instead of rows; it must return a tensor.");
        if (after.dtype is not (ScalarType.Float32 or ScalarType.Byte) || !after.shape.SequenceEqual(shape))
        {
            throw new InvalidOperationException(
                $"The augmentation {this} returned {after.dtype} [{string.Join(", ", after.shape)}] for rows [{string.Join(", ", shape)}]; it must return Float32 or Byte of the same shape.");
        }

        // What comes after it would be rounded to bytes as well.
        if (type == ScalarType.Float32 && after.dtype == ScalarType.Byte)
            throw new InvalidOperationException($"The augmentation {this} returned {after.dtype} for rows of {type}, which rounds them to whole numbers from 0 to 255; return {type}, for example by to(float32).");
    }
}
