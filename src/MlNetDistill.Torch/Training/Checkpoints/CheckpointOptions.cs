using MlNetDistill.Core;

namespace MlNetDistill.Training;

/// <summary>When the state of a training is saved to its checkpoint directory, how many states are kept, and what happens if the directory belongs to another training.</summary>
public sealed record CheckpointOptions
{
    /// <summary>The fault of options that have none.</summary>
    internal const string Missing = "Checkpoints must be set; new CheckpointOptions() saves once a minute.";

    /// <summary>Time between two checkpoints, at least 0: one is saved after the first training step after that time, also in the middle of an epoch
    /// (with <see cref="NonFiniteHandling.GoBack"/> at the end of the epoch, to which training may go back). One minute by default; null for none by time.</summary>
    public TimeSpan? Interval { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>A checkpoint is also saved after every so many epochs of a stage, at least 1; null, the default, for none by epochs.</summary>
    public int? EveryEpochs { get; init; }

    /// <summary>Checkpoints that are kept of each network, at least 1; 2 by default, so that there is another if the last one is damaged. Each has the weights of the best epoch so far too.</summary>
    public int Keep { get; init; } = 2;

    /// <summary>What to do if the checkpoints are those of a training with other options, rows or teacher, or of another version of the library.</summary>
    public ChangedTraining WhenChanged { get; init; } = ChangedTraining.Refuse;

    /// <summary>Its settings, on one line if they fit.</summary>
    public override string ToString() => SettingText.Describe(this);

    /// <summary>What is wrong with these settings.</summary>
    internal IEnumerable<string> Validate(string name) =>
    [
        .. Faults.Unless(!(Interval < TimeSpan.Zero), $"{name}.{nameof(Interval)} must be at least 0, or null; was {Interval}."),
        .. Faults.Unless(Interval is not null || EveryEpochs is not null, $"{name} must have an Interval or EveryEpochs; both were null."),
        .. Faults.AtLeast(1, $"{name}.{nameof(EveryEpochs)}", EveryEpochs),
        .. Faults.AtLeast(1, $"{name}.{nameof(Keep)}", Keep),
        .. Faults.Defined($"{name}.{nameof(WhenChanged)}", WhenChanged),
    ];

    /// <summary>Whether a checkpoint is due after an epoch.</summary>
    internal bool IsDueAfter(int epoch) => EveryEpochs is { } every && epoch % every == 0;
}

/// <summary>What to do with the checkpoints of a training that was another one.</summary>
public enum ChangedTraining
{
    /// <summary>Throw <see cref="InvalidOperationException"/>, which says what changed.</summary>
    Refuse,

    /// <summary>
    /// Delete the checkpoints and train from the beginning. They are deleted when everything has been checked that can be before training, with those of a teacher's route in a folder of
    /// its own.
    /// </summary>
    StartOver,

    /// <summary>Train from the beginning, with a student that starts from the last weights in the checkpoints, which are deleted. Its network must be the same.</summary>
    WarmStart,
}
