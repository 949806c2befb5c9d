using MlNetDistill.Methods;
using MlNetDistill.Networks;

namespace MlNetDistill.Teachers;

/// <summary>Builds and trains networks on the rows of a fit.</summary>
internal interface INetworkTrainer
{
    /// <summary>Means and standard deviations of the training rows.</summary>
    InputStatistics FeatureStatistics { get; }

    /// <summary>The input of a network in this fit.</summary>
    NetworkInput GetInput(NetworkSpec spec);

    /// <summary>The shapes of the outputs that a network will have.</summary>
    OutputShapes GetShapes(NetworkSpec spec);

    /// <summary>A network with initial weights, on the device of the rows; the caller disposes it.</summary>
    /// <param name="spec">The network.</param>
    /// <param name="purpose">Seeds its initial weights.</param>
    /// <param name="input">Its input; null for the input of networks in this fit.</param>
    Network BuildOnDevice(NetworkSpec spec, string purpose, NetworkInput? input = null);

    /// <summary>Where a route that is trained keeps its checkpoints, so that an interrupted training can continue; null if it cannot.</summary>
    KeptRoute? Route { get; }

    /// <summary>A trained network, on the device of the rows; the caller disposes it.</summary>
    Network Train(TrainingPlan plan);
}

/// <summary>A network to train in a fit: the teacher or the student.</summary>
/// <param name="Role">Its name in logs, which also seeds its random draws.</param>
/// <param name="Spec">The network.</param>
/// <param name="Method">The method that trains it.</param>
/// <param name="Anchors">The teachers it learns from; none if it learns from labels.</param>
/// <param name="Epochs">Number of epochs.</param>
/// <param name="Optimizer">The optimiser.</param>
/// <param name="Schedule">The learning-rate schedule.</param>
internal sealed record TrainingPlan(
    string Role, NetworkSpec Spec, DistillationMethod Method, IReadOnlyList<Anchor> Anchors, int Epochs, Optimizer Optimizer, LearningRateSchedule Schedule)
{
    /// <summary>Called after every epoch with its number, from 1.</summary>
    public Action<int, Network> AfterEpoch { get; init; } = (_, _) => { };

    /// <summary>The name of its checkpoints.</summary>
    public string CheckpointName { get; init; } = Role;

    /// <summary>Called before training, if it continues one that was interrupted, with the number of epochs that had ended.</summary>
    public Action<int> Continues { get; init; } = _ => { };
}

/// <summary>Where a route keeps its checkpoints.</summary>
/// <param name="Folder">The folder.</param>
/// <param name="Run">The name of the training in them.</param>
internal sealed record KeptRoute(string Folder, string Run)
{
    /// <summary>The names of the trainings that this one replaces, whose checkpoints are deleted with them.</summary>
    public IReadOnlyList<string> Replaced { get; init; } = [];
}
