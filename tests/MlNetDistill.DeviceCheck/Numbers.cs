using static TorchSharp.torch;

namespace MlNetDistill.DeviceCheck;

/// <summary>Numbers of tensors, and how far they are apart.</summary>
internal static class Numbers
{
    public static double[] Read(Tensor tensor)
    {
        using var scope = NewDisposeScope();
        return tensor.detach().cpu().to(float64).contiguous().data<double>().ToArray();
    }

    /// <summary>The largest difference, as a share of the largest value.</summary>
    public static double Difference(IReadOnlyList<double> expected, IReadOnlyList<double> found)
    {
        Fault.If(expected.Count != found.Count, $"{found.Count} values instead of {expected.Count}");
        Fault.If(found.Any(v => !double.IsFinite(v)), "values that are not finite");
        var scale = expected.Select(Math.Abs).DefaultIfEmpty(0).Max();
        return expected.Zip(found, (a, b) => Math.Abs(a - b)).DefaultIfEmpty(0).Max() / Math.Max(scale, 1e-12);
    }

    /// <summary>Normal numbers, the same for the same seed.</summary>
    public static Tensor Normal(ulong seed, params long[] shape)
    {
        using var generator = new Generator(seed);
        using var noGrad = no_grad();
        return empty(shape, dtype: float64).normal_(0, 1, generator);
    }

    public static string Text(double value) => value.ToString("0.0e+0", System.Globalization.CultureInfo.InvariantCulture);
}
