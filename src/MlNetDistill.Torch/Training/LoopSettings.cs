using MlNetDistill.Data;
using static TorchSharp.torch;

namespace MlNetDistill.Training;

/// <summary>Settings of a training loop, the same for all its phases.</summary>
internal sealed record LoopSettings
{
    public double? GradientClipping { get; init; }

    /// <summary>Rows scored at a time in validation.</summary>
    public int ScoringBatchSize { get; init; } = 128;

    public EarlyStopping? EarlyStopping { get; init; }

    /// <summary>The teacher's logits for the held-out rows if these have no labels; else null.</summary>
    public Tensor? HeldOutTeacherLogits { get; init; }

    public CancellationBehavior OnCancellation { get; init; }

    public CancellationToken CancellationToken { get; init; }

    /// <summary>Creates augmented batches from positions and the number of the view, which is new in every epoch; null if rows are not augmented.</summary>
    public Func<Tensor, int, Batch>? View { get; init; }

    public Action<TrainingProgress> Report { get; init; } = _ => { };

    /// <summary>Whether the network was trained before the first phase.</summary>
    public bool StartsTrained { get; init; }

    /// <summary>Receives warnings about a stage before it trains and about its epochs.</summary>
    public Action<string> Warn { get; init; } = _ => { };

    /// <summary>Called after every epoch with its number, from 1.</summary>
    public Action<int> AfterEpoch { get; init; } = _ => { };
}
