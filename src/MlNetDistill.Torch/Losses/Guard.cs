using MlNetDistill.Core;
using MlNetDistill.Data;
using static System.FormattableString;
using static TorchSharp.torch;

namespace MlNetDistill.Losses;

/// <summary>Checks of arguments. The native code's own errors do not name the tensors, and some of them end the process.</summary>
internal static class Guard
{
    public static double Temperature(double value, string parameter) => value > 0 && double.IsFinite(value)
        ? value
        : throw new ArgumentOutOfRangeException(parameter, Invariant($"The temperature must be above 0. It was {value}."));

    public static double Exponent(double value, string parameter) => value > 0 && double.IsFinite(value)
        ? value
        : throw new ArgumentOutOfRangeException(parameter, Invariant($"The exponent must be above 0. It was {value}."));

    public static double Weight(double value, string parameter) => value >= 0 && double.IsFinite(value)
        ? value
        : throw new ArgumentOutOfRangeException(parameter, Invariant($"The weight must be at least 0. It was {value}."));

    public static int Tap(int value, string parameter) => value >= 0
        ? value
        : throw new ArgumentOutOfRangeException(parameter, Invariant($"A tap is the index of a stage feature, from 0. It was {value}."));

    /// <summary>At least one of the two parts of a loss must have a weight above 0.</summary>
    public static void AnyPositiveWeight(double first, double second, string parameter)
    {
        if (first == 0 && second == 0)
            throw new ArgumentOutOfRangeException(parameter, "One of the two weights must be above 0. Both were 0.");
    }

    /// <summary>Values of student and teacher that are compared element by element.</summary>
    public static void SameShape(Tensor student, Tensor teacher)
    {
        ArgumentNullException.ThrowIfNull(student);
        ArgumentNullException.ThrowIfNull(teacher);
        if (!student.shape.AsSpan().SequenceEqual(teacher.shape))
        {
            throw new ArgumentException(
                $"The student's values have the shape {Shape(student)}, the teacher's {Shape(teacher)}. They are compared element by element: give both the same shape.",
                nameof(teacher));
        }
    }

    /// <summary>Logits or probabilities of student and teacher: one row per example, one column per class.</summary>
    public static void SameMatrixShape(Tensor student, Tensor teacher)
    {
        Rank(student, 2, "rows×classes", nameof(student));
        SameShape(student, teacher);
    }

    /// <summary>One vector per row, of any two lengths, for the same rows.</summary>
    public static void SameRowCount(Tensor student, Tensor teacher)
    {
        Rank(student, 2, "rows×values", nameof(student));
        Rank(teacher, 2, "rows×values", nameof(teacher));
        if (student.shape[0] != teacher.shape[0])
            throw new ArgumentException($"The student has {student.shape[0]} rows, the teacher {teacher.shape[0]}. Give both the same rows.", nameof(teacher));
    }

    public static void Rank(Tensor values, int dimensions, string form, string parameter)
    {
        ArgumentNullException.ThrowIfNull(values, parameter);
        if (values.dim() != dimensions)
            throw new ArgumentException($"The shape must be {form}; it is {Shape(values)}.", parameter);
    }

    /// <summary>A class for each row of <paramref name="logits"/>, or <see cref="IRowSource.MissingLabel"/>.</summary>
    public static void Labels(Tensor labels, Tensor logits)
    {
        ArgumentNullException.ThrowIfNull(labels);
        var (rows, classes) = (logits.shape[0], logits.shape[1]);
        if (labels.dim() != 1 || labels.shape[0] != rows || labels.dtype != ScalarType.Int64)
        {
            throw new ArgumentException(
                $"The labels must be {rows} 64-bit class indices, one per row; found {labels.dtype} values of the shape {Shape(labels)}.", nameof(labels));
        }

        using var scope = NewDisposeScope();
        var isWrong = labels.IsLessThan(0).logical_or(labels.IsLessThan(classes).logical_not()).logical_and(labels.IsNotEqualTo(IRowSource.MissingLabel));
        // One number is read from the device, not all labels.
        if (isWrong.any().item<bool>())
        {
            var label = labels.masked_select(isWrong)[0].item<long>();
            throw new ArgumentException(Invariant($"A label must be a class from 0 to {classes - 1}, or {IRowSource.MissingLabel} for a row without a label; one is {label}."), nameof(labels));
        }
    }

    /// <summary>A class for each row of <paramref name="logits"/>; none is missing.</summary>
    public static void EveryLabel(Tensor labels, Tensor logits)
    {
        Labels(labels, logits);
        using var isMissing = labels.IsEqualTo(IRowSource.MissingLabel);
        using var anyIsMissing = isMissing.any();
        if (anyIsMissing.item<bool>())
            throw new ArgumentException("A row has no label, and these targets are computed from the labels. Leave such rows out.", nameof(labels));
    }

    public static string Shape(Tensor values) => values.dim() == 0 ? "of a scalar" : string.Join('×', values.shape);
}
