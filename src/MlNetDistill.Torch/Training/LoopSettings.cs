using MlNetDistill.Data;
using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace MlNetDistill.Training;

/// <summary>Settings of a training loop, for all its phases.</summary>
internal sealed record LoopSettings
{
    public double? GradientClipping { get; init; }

    /// <summary>What to do where losses or gradients are NaN or infinite.</summary>
    public NonFiniteHandling OnNonFinite { get; init; } = NonFiniteHandling.Stop;

    /// <summary>Whether losses are checked some steps later; null for what suits the device.</summary>
    public bool? DefersChecks { get; init; }

    /// <summary>Whether gradients and logits are measured.</summary>
    public bool MeasureTraining { get; init; }

    /// <summary>The precision of the passes of training; scoring is in 32-bit floats.</summary>
    public TrainingPrecision Precision { get; init; }

    /// <summary>Rows scored at a time in validation.</summary>
    public int ScoringBatchSize { get; init; } = 128;

    public EarlyStopping? EarlyStopping { get; init; }

    /// <summary>The teacher's logits for the held-out rows if these have no labels; else null.</summary>
    public Tensor? HeldOutTeacherLogits { get; init; }

    public CancellationBehavior OnCancellation { get; init; }

    public CancellationToken CancellationToken { get; init; }

    /// <summary>The time that this and the other networks of the fit may train.</summary>
    public TrainingBudget Budget { get; init; } = new(limit: null);

    public CancellationBehavior OnTimeUp { get; init; } = CancellationBehavior.ReturnBest;

    /// <summary>What to do if the time is used up and nothing is returned; null for what a student needs.</summary>
    public string? TimeUpAdvice { get; init; }

    /// <summary>Whether a training that is ended early may return the best of all its epochs.</summary>
    public bool MayReturnBest => OnCancellation == CancellationBehavior.ReturnBest || (Budget.Limit is not null && OnTimeUp == CancellationBehavior.ReturnBest);

    /// <summary>The teacher's name in messages.</summary>
    public string TeacherName { get; init; } = "teacher";

    /// <summary>Creates an augmented batch from positions and the number of the view (another one in each epoch); null without augmentation.</summary>
    public Func<Tensor, int, Batch>? View { get; init; }

    public Action<TrainingProgress> Report { get; init; } = _ => { };

    /// <summary>Whether the network was trained before the first phase.</summary>
    public bool StartsTrained { get; init; }

    /// <summary>Receives warnings about a stage before it trains and about its epochs.</summary>
    public Action<string> Warn { get; init; } = _ => { };

    /// <summary>Where the state of the run is saved, and an interrupted run continues; null for neither.</summary>
    public RunCheckpoints? Checkpoints { get; init; }

    /// <summary>Called after every epoch with its number, from 1.</summary>
    public Action<int> AfterEpoch { get; init; } = _ => { };
}
