using MlNetDistill.Networks;

namespace MlNetDistill;

public sealed partial record DistillationOptions
{
    /// <summary>Whether a fit runs modules, methods or losses of the application's own, which may draw from TorchSharp's process-wide generator; this library's do not.</summary>
    internal bool MayDrawFromTorch => Method.MayDrawFromTorch
        || (Teacher?.TrainedNetworks ?? []).Append(Student).Any(network => network.GetType().Assembly != typeof(NetworkSpec).Assembly);
}
