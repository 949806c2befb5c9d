using MlNetDistill.Core;
using MlNetDistill.Data;
using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace MlNetDistill.Losses;

/// <summary>
/// Logits with a class for each pixel, as a segmentation network of your own gives them: each pixel becomes a row, so that every loss on logits can be used as it is,
/// <c>new DistLoss(1).Evaluate(DenseLogits.ToRows(student, teacher, labels, ignoreLabel: 255))</c>.
/// </summary>
/// <remarks>
/// As in hunto/DIST_KD (2418f18), ignored pixels have no label, but the teacher still teaches them: terms that read labels leave them out, KD and DIST do not.
/// Only the losses are offered for pixels, no trainer: ML.NET has neither a column of labels nor a metric for them.
/// </remarks>
public static class DenseLogits
{
    /// <summary>The inputs of a loss, with a row for each pixel: image by image, and in an image line by line.</summary>
    /// <param name="student">The student's logits, B×K×H×W.</param>
    /// <param name="teacher">The teacher's logits, B×K×H×W, a constant; null for a loss of the labels alone.</param>
    /// <param name="labels">A class for each pixel, B×H×W, 64-bit; null without labels.</param>
    /// <param name="ignoreLabel">The value of pixels without a label, for example 255.</param>
    /// <param name="checkLabels">
    /// Whether to check that each label is a class or <paramref name="ignoreLabel"/>, for which a GPU waits: false in a loop over labels that were checked once. Without the
    /// check, other labels end in an error of libtorch, on a GPU for the whole process.
    /// </param>
    /// <exception cref="ArgumentException">The shapes do not match, or a label is neither a class nor <paramref name="ignoreLabel"/>.</exception>
    public static LossInputs ToRows(Tensor student, Tensor? teacher, Tensor? labels = null, long ignoreLabel = IRowSource.MissingLabel, bool checkLabels = true)
    {
        Guard.Rank(student, 4, "images×classes×height×width", nameof(student));
        if (teacher is not null)
            CheckSameShape(student, teacher);
        var rows = ToRows(student);
        var flat = labels is null
            ? zeros(rows.shape[0], int64, rows.device).AddInteger(IRowSource.MissingLabel)
            : Flatten(labels, student, rows, ignoreLabel, checkLabels);
        return new LossInputs(
            NetworkOutput.FromLogits(rows), teacher is null ? null : NetworkOutput.FromLogits(ToRows(teacher.detach())), flat, hasMissingLabels: true)
        {
            HasNoLabels = labels is null,
            // Either here or, so it says, by the caller.
            LabelsAreChecked = true,
        };
    }

    /// <summary>B×K×H×W to (B·H·W)×K: a row for each pixel.</summary>
    /// <param name="logits">Logits, B×K×H×W.</param>
    /// <exception cref="ArgumentException">The logits are not B×K×H×W.</exception>
    public static Tensor ToRows(Tensor logits)
    {
        Guard.Rank(logits, 4, "images×classes×height×width", nameof(logits));
        return logits.permute(0, 2, 3, 1).reshape(-1, logits.shape[1]);
    }

    private static Tensor Flatten(Tensor labels, Tensor student, Tensor rows, long ignoreLabel, bool checkLabels)
    {
        long[] expected = [student.shape[0], .. student.shape[2..]];
        if (labels.dtype != ScalarType.Int64 || !labels.shape.AsSpan().SequenceEqual(expected))
        {
            throw new ArgumentException(
                $"The labels must be 64-bit class indices of the shape {string.Join('×', expected)}, one for each pixel; found {labels.dtype} values of the shape {Guard.Shape(labels)}.", nameof(labels));
        }

        var flat = labels.flatten();
        flat = flat.MaskedFill(flat.IsEqualTo(ignoreLabel), IRowSource.MissingLabel);
        if (checkLabels)
            Guard.Labels(flat, rows);
        return flat;
    }

    private static void CheckSameShape(Tensor student, Tensor teacher)
    {
        if (!student.shape.AsSpan().SequenceEqual(teacher.shape))
        {
            throw new ArgumentException(
                $"The student's logits have the shape {Guard.Shape(student)}, the teacher's {Guard.Shape(teacher)}. Give both the same images and classes, and interpolate the " +
                "smaller map to the size of the larger.",
                nameof(teacher));
        }
    }
}
