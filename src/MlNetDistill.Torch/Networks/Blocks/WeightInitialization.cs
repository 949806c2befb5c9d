using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MlNetDistill.Networks;

/// <summary>
/// Initial parameters drawn from an explicit generator. TorchSharp's own modules draw from the process-wide generator, so that a student would depend on what else
/// the application draws, and would change the application's draws.
/// </summary>
public static class WeightInitialization
{
    /// <summary>A new parameter of the given shape, drawn from U(±<paramref name="bound"/>): 32-bit floats on the CPU, whatever TorchSharp's defaults are.</summary>
    /// <exception cref="InvalidOperationException">It needs more memory than is available to the process.</exception>
    public static Parameter Uniform(double bound, Generator generator, params long[] shape)
    {
        ArgumentNullException.ThrowIfNull(generator);
        ArgumentNullException.ThrowIfNull(shape);
        using var noGrad = no_grad();
        var values = empty(shape, float32, WeightMemory.Reserve(shape));
        return new Parameter(values.device_type == DeviceType.META ? values : values.uniform_(-bound, bound, generator));
    }

    internal static Tensor Zeros(int length) => zeros(length, float32, WeightMemory.Reserve(length));

    internal static Tensor Ones(int length) => ones(length, float32, WeightMemory.Reserve(length));

    /// <summary>
    /// Initializes the weights of TorchSharp modules again, so that they depend only on the seed: every matrix or kernel of each module, and its biases, from
    /// U(±1/√f), where f is the number of inputs of one output (PyTorch's default for linear layers and convolutions). Other vectors, for example those of a
    /// normalization, are not changed.
    /// </summary>
    public static void Reinitialize(nn.Module module, Generator generator)
    {
        ArgumentNullException.ThrowIfNull(module);
        ArgumentNullException.ThrowIfNull(generator);
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        foreach (var part in module.modules().Prepend(module))
        {
            double? bound = null;
            // Matrices first: a bias uses the bound of its matrix, in whatever order they are declared.
            foreach (var (name, parameter) in part.named_parameters(recurse: false).OrderByDescending(p => p.parameter.dim() >= 2))
            {
                if (parameter.dim() >= 2)
                    bound = 1 / Math.Sqrt(parameter.numel() / parameter.shape[0]);
                else if (bound is null || !name.Contains("bias", StringComparison.OrdinalIgnoreCase))
                    continue;
                parameter.uniform_(-bound.Value, bound.Value, generator);
            }
        }
    }
}
