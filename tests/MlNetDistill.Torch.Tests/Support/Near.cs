using static TorchSharp.torch;

namespace MlNetDistill.Tests;

/// <summary>Comparisons of floating-point results.</summary>
internal static class Near
{
    /// <summary>|actual - expected| ≤ relative · |expected| + absolute; NaN equals NaN and infinities equal themselves.</summary>
    public static void Value(double actual, double expected, double relative, double absolute, string what)
    {
        if (double.IsFinite(expected))
            Assert.That(actual, Is.EqualTo(expected).Within((relative * Math.Abs(expected)) + absolute), what);
        else
            Assert.That(actual, Is.EqualTo(expected), what);
    }

    /// <summary>Element by element, relative to the largest expected magnitude.</summary>
    public static void Array(IReadOnlyList<double> actual, IReadOnlyList<double> expected, double relative, double absolute, string what)
    {
        Assert.That(actual, Has.Count.EqualTo(expected.Count), what);
        Assert.That(actual, Has.All.Matches<double>(double.IsFinite), what);
        var scale = expected.Max(Math.Abs);
        var worst = actual.Zip(expected).Max(pair => Math.Abs(pair.First - pair.Second));
        Assert.That(worst, Is.LessThanOrEqualTo((relative * scale) + absolute), $"{what}: largest difference, where values reach {scale}");
    }

    /// <summary>A tensor's values, row by row.</summary>
    public static double[] Values(Tensor value)
    {
        using var scope = NewDisposeScope();
        return value.detach().to(float64).cpu().contiguous().reshape(-1).data<double>().ToArray();
    }
}
