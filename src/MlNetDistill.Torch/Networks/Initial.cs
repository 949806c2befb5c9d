using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MlNetDistill.Networks;

/// <summary>
/// Parameters drawn from a generator of our own: TorchSharp's modules draw from the process-wide one, which would make a student depend on
/// what else the application draws, and change the application's draws.
/// </summary>
internal static class Initial
{
    public static Parameter Uniform(double bound, Generator generator, params long[] shape)
    {
        using var noGrad = no_grad();
        return new Parameter(empty(shape).uniform_(-bound, bound, generator));
    }
}
