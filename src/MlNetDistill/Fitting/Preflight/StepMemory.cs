using MlNetDistill.Networks;
using TorchSharp;

namespace MlNetDistill.Fitting;

/// <summary>Throws before training if a step does not fit into memory.</summary>
internal static class StepMemory
{
    /// <exception cref="InvalidOperationException">The step does not fit.</exception>
    public static void Check(Network network, string name, DistillationOptions options, long trainingRows)
    {
        // The free memory of a GPU is not known here.
        if (network.Head.Weight.device_type != DeviceType.CPU)
            return;
        var rows = options.Sampling.RowsPerBatch(options.BatchSize, trainingRows);
        // Weights, their gradients, and the activations of each row.
        var bytes = (2 * (Int128)network.ParameterCount * sizeof(float)) + ((Int128)rows * network.CountActivationsPerRow() * (options.Precision == TrainingPrecision.BFloat16 ? sizeof(short) : sizeof(float)));
        if (bytes > WeightMemory.Available)
            throw WeightMemory.CreateError(FormattableString.Invariant($"A training step of {name} on {rows} rows"), bytes, "Lower BatchSize, or take a smaller network.");
    }
}
