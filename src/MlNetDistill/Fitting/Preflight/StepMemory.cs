using MlNetDistill.Networks;
using TorchSharp;

namespace MlNetDistill.Fitting;

/// <summary>Refuses a training step that cannot fit into memory before it is made.</summary>
internal static class StepMemory
{
    /// <param name="network">The network, which is to be trained where it is.</param>
    /// <param name="name">What it is called.</param>
    /// <param name="options">The settings of the fit.</param>
    /// <param name="trainingRows">Rows trained on.</param>
    /// <exception cref="InvalidOperationException">The step does not fit.</exception>
    public static void Check(Network network, string name, DistillationOptions options, long trainingRows)
    {
        // What a GPU has free only its driver knows.
        if (network.Head.Weight.device_type != DeviceType.CPU)
            return;
        var rows = options.Sampling.RowsPerBatch(options.BatchSize, trainingRows);
        // Weights and their gradients, and what each row leaves behind.
        var bytes = ((2 * (Int128)network.ParameterCount) + ((Int128)rows * network.CountActivationsPerRow())) * sizeof(float);
        if (bytes > WeightMemory.Available)
            throw WeightMemory.CreateError(FormattableString.Invariant($"A training step of {name} on {rows} rows"), bytes, "Lower BatchSize, or take a smaller network.");
    }
}
