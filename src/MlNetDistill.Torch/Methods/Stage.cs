using MlNetDistill.Data;
using MlNetDistill.Losses;
using MlNetDistill.Networks;
using MlNetDistill.Teachers;

namespace MlNetDistill.Methods;

/// <summary>A phase in which the student alone trains: one teacher, one loss, a number of epochs.</summary>
/// <param name="Name">Its name in logs and progress.</param>
/// <param name="Teacher">The teacher, or null where the loss needs none.</param>
/// <param name="Loss">The loss; the projections that it creates live as long as the stage.</param>
/// <param name="Sampler">Rows to batches; see <see cref="Sampler"/>.</param>
/// <param name="Epochs">Epochs, at least 1.</param>
/// <param name="Optimizer">A fresh optimizer of this kind is made for the stage.</param>
/// <param name="Schedule">The learning rate over the stage.</param>
public sealed record Stage(
    string Name, StageTeacher? Teacher, DistillationLoss Loss, Sampler Sampler, int Epochs, Optimizer Optimizer, LearningRateSchedule Schedule)
    : TrainingPhase(Name, Epochs)
{
    internal override Stage StudentStage => this;

    internal override bool ReadsTeacher => Teacher is not null;

    /// <summary>What it trains, on which loss and for how long.</summary>
    public override string ToString() => $"{base.ToString()} on {Loss}, trains: {Trains}";

    /// <summary>
    /// Rows to batches. A <see cref="ShuffledSampler"/> makes batches of exactly the same size if the loss compares the rows of a batch
    /// (its <see cref="DistillationLoss.CanUseWeights"/> is false).
    /// </summary>
    public Sampler Sampler
    {
        // A stage without one of them is refused before it is trained.
        get => Loss is null ? field : field?.ForLoss(!Loss.CanUseWeights)!;
        init;
    } = Sampler;

    /// <summary>The part of the student that trains; the rest is frozen: no gradient, batch normalization in eval mode.</summary>
    public NetworkPart Trains { get; init; } = NetworkPart.Whole;

    /// <summary>Whether the student's last layer becomes a copy of the teacher's before the first step.</summary>
    internal bool CopiesLastLayer { get; init; }

    /// <summary>Whether no row trained on has a label; the loss then has no terms over labels.</summary>
    internal bool HasNoLabels { get; init; }

    /// <summary>The first epoch, from 1, that may be the best one, and the first after which training may stop early.</summary>
    public int JudgedFrom { get; init; } = 1;
}
