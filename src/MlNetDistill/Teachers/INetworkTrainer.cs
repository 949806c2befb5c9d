using MlNetDistill.Methods;
using MlNetDistill.Networks;

namespace MlNetDistill.Teachers;

/// <summary>Builds and trains networks over the rows of a fit.</summary>
internal interface INetworkTrainer
{
    /// <summary>Means and deviations of the rows that are trained on.</summary>
    InputStatistics FeatureStatistics { get; }

    /// <summary>What a network is fed in this fit.</summary>
    NetworkInput GetInput(NetworkSpec spec);

    /// <summary>The shapes of the outputs that a network will have.</summary>
    OutputShapes GetShapes(NetworkSpec spec);

    /// <summary>A network with initial weights, on the device of the rows; the caller disposes it.</summary>
    /// <param name="spec">The network.</param>
    /// <param name="purpose">What it is for, which its initial weights depend on.</param>
    /// <param name="input">What it is fed; null for what networks of this fit are fed.</param>
    Network BuildOnDevice(NetworkSpec spec, string purpose, NetworkInput? input = null);

    /// <summary>A trained network, on the device of the rows; the caller disposes it.</summary>
    Network Train(TrainingPlan plan);
}

/// <summary>A network to train in a fit: the teacher or the student.</summary>
/// <param name="Role">What it is called in logs, and what its draws are seeded with.</param>
/// <param name="Spec">The network.</param>
/// <param name="Method">How it learns.</param>
/// <param name="Anchors">From whom.</param>
/// <param name="Epochs">Epochs asked for.</param>
/// <param name="Optimizer">The optimiser asked for.</param>
/// <param name="Schedule">The schedule asked for.</param>
internal sealed record TrainingPlan(
    string Role, NetworkSpec Spec, DistillationMethod Method, IReadOnlyList<Anchor> Anchors, int Epochs, Optimizer Optimizer, LearningRateSchedule Schedule)
{
    /// <summary>Called after every epoch of the run, from 1.</summary>
    public Action<int, Network> AfterEpoch { get; init; } = (_, _) => { };
}
