using MlNetDistill.Data;
using static TorchSharp.torch;

namespace MlNetDistill.Training;

/// <summary>What the loop is told once for all phases.</summary>
internal sealed record LoopSettings
{
    public double? GradientClipping { get; init; }

    /// <summary>Rows scored at a time when validating: a step's worth fits where training fits.</summary>
    public int ScoringBatchSize { get; init; } = 128;

    public EarlyStopping? EarlyStopping { get; init; }

    /// <summary>The teacher's logits for the held-out rows where these have no labels to judge the student by; else null.</summary>
    public Tensor? HeldOutTeacherLogits { get; init; }

    public CancellationBehavior OnCancellation { get; init; }

    public CancellationToken CancellationToken { get; init; }

    /// <summary>Shows rows augmented, or null to show them as they are: positions and the number of the view, a new one in every epoch.</summary>
    public Func<Tensor, int, Batch>? View { get; init; }

    public Action<TrainingProgress> Report { get; init; } = _ => { };

    /// <summary>Whether the network has learnt something before the first phase.</summary>
    public bool StartsTrained { get; init; }

    /// <summary>Told what a user should know before a stage, and of an epoch that went wrong.</summary>
    public Action<string> Warn { get; init; } = _ => { };

    /// <summary>Called after every epoch with its number, from 1.</summary>
    public Action<int> AfterEpoch { get; init; } = _ => { };
}
