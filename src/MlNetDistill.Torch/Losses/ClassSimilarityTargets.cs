using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using MlNetDistill.Core;
using TorchSharp;
using static TorchSharp.torch;

namespace MlNetDistill.Losses;

/// <summary>ρ = softmax(similarities of the label's class / τ), the same for all rows of a class.</summary>
internal sealed record ClassSimilarityTargets : TeacherTargets
{
    private const int HashLength = 16;

    // Within 32-bit floats, in which a logarithm below would be that of a probability of 0, and 0 times its logarithm no number.
    private const double LeastLogarithm = -1e30;
    private readonly double[][] _logProbabilities;
    private readonly ConcurrentDictionary<(ScalarType Type, DeviceType Device, int Index), Tensor> _matrices = [];
    private readonly double _temperature;
    private readonly string _hash;

    public ClassSimilarityTargets(double[,] similarities, double temperature, IReadOnlyList<string>? classNames)
    {
        var classes = similarities.GetLength(0);
        if (similarities.GetLength(1) != classes || classes == 0)
            throw new ArgumentException($"The similarities must be a square matrix, a row and a column for each class; found {classes}×{similarities.GetLength(1)}.", nameof(similarities));
        if (similarities.Cast<double>().Any(value => !double.IsFinite(value)))
            throw new ArgumentException("A similarity is NaN or infinite. Give a finite number for each pair of classes.", nameof(similarities));
        _temperature = temperature;
        _hash = Fingerprint.Compute(MemoryMarshal.AsBytes(similarities.Cast<double>().ToArray().AsSpan()))[..HashLength];
        _logProbabilities = [.. Enumerable.Range(0, classes).Select(row => LogSoftmax([.. Enumerable.Range(0, classes).Select(c => similarities[row, c] / temperature)]))];
        if (_logProbabilities.SelectMany(row => row).Any(value => !(value >= LeastLogarithm)))
        {
            throw new ArgumentException(FormattableString.Invariant(
                $"Similarities divided by the temperature {temperature} overflow: they are {similarities.Cast<double>().Min():G3} to {similarities.Cast<double>().Max():G3}. Give similarities of about 1, as cosines are, or a higher temperature."), nameof(similarities));
        }

        if (classNames is not null && (classNames.Count != classes || classNames.Distinct().Count() != classes || classNames.Contains(null!)))
            throw new ArgumentException($"The class names must be {classes} different ones, in the order of the rows; they are {string.Join(", ", classNames.Select(name => $"'{name}'"))}.", nameof(classNames));
        ClassNames = classNames is null ? null : [.. classNames];
    }

    public override string Name => FormattableString.Invariant($"class similarity (temperature {_temperature})");

    public bool Equals(ClassSimilarityTargets? other) => other is not null && (_temperature, _hash) == (other._temperature, other._hash);

    public override int GetHashCode() => HashCode.Combine(_temperature, _hash);

    internal override IReadOnlyList<string>? ClassNames { get; }

    public override bool NeedsTeacher => false;

    public override bool NeedsLabels => true;

    private protected override Tensor Compute(Tensor teacher, Tensor labels)
    {
        if (teacher.shape[1] != _logProbabilities.Length)
            throw new InvalidOperationException($"The similarities are of {_logProbabilities.Length} classes, and there are {teacher.shape[1]}. Give a matrix with a row and a column for each class, in the order of the labels.");
        // Copied to a device once: to copy the rows of a batch there, its labels would have to be read from it.
        return _matrices.GetOrAdd((teacher.dtype, teacher.device_type, teacher.device_index), _ => CreateMatrix(teacher.dtype, teacher.device)).index_select(0, labels);
    }

    private Tensor CreateMatrix(ScalarType type, Device device)
    {
        using var mode = new TrainingMode();
        double[] values = [.. _logProbabilities.SelectMany(row => row)];
        return tensor(values, [_logProbabilities.Length, _logProbabilities.Length], type, device).DetachFromDisposeScope();
    }

    // The name alone is that of every matrix, and a search takes what it has trained before by this text.
    private protected override string Describe() => FormattableString.Invariant($"class similarity (temperature {_temperature}, matrix {_hash})");

    private static double[] LogSoftmax(double[] values)
    {
        var largest = values.Max();
        var logSum = largest + Math.Log(values.Sum(value => Math.Exp(value - largest)));
        return [.. values.Select(value => value - logSum)];
    }
}
