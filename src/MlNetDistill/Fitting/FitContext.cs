using Microsoft.ML;
using MlNetDistill.Core;
using MlNetDistill.Data;
using MlNetDistill.Diagnostics;
using MlNetDistill.Export;
using MlNetDistill.Methods;
using MlNetDistill.Reading;
using MlNetDistill.Training;
using static TorchSharp.torch;

namespace MlNetDistill.Fitting;

/// <summary>What several trainings over the rows of one fit share.</summary>
/// <param name="Context">Makes the models.</param>
/// <param name="Channel">Receives messages.</param>
/// <param name="Options">The trainer's options, with the number of epochs of a full training.</param>
/// <param name="Columns">The trainer's columns.</param>
/// <param name="Set">All rows.</param>
/// <param name="Split">Which of them are trained on.</param>
/// <param name="Seeds">The seeds of the run.</param>
/// <param name="Device">The device of the rows.</param>
/// <param name="InputSchema">The schema of the trainer's input.</param>
internal sealed record FitContext(
    MLContext Context, WarningChannel Channel, DistillationOptions Options, TrainerColumns Columns, IRowSource Set, DataSplit Split, Seeds Seeds, Device Device, DataViewSchema InputSchema)
{
    /// <summary>Where the states of the trainings are saved; null for nowhere.</summary>
    public FitCheckpoints? Checkpoints { get; init; }

    /// <summary>The time that the networks of the fit may train, all together.</summary>
    public TrainingBudget Budget { get; init; } = new(limit: null);

    /// <summary>The options of the student alone, beside the distilled one.</summary>
    public DistillationOptions OptionsAlone => (Options with { Method = DistillationMethod.LabelsOnly() }).WithoutUnusedTeacher() with
    {
        Teacher = null,
        CompareAlone = false,
        MinimumTeacherAccuracy = null,
        // It has no teacher whose outputs would be kept, and so no need to see the same augmented rows again and again.
        TeacherCache = new(),
        // One that is trained in part only is no fair comparison.
        OnCancellation = CancellationBehavior.Throw,
        OnTimeUp = CancellationBehavior.Throw,
    };

    /// <summary>The networks of a training.</summary>
    /// <param name="channel">Receives its messages.</param>
    /// <param name="options">Its options.</param>
    /// <param name="split">Its rows.</param>
    public FitNetworks CreateNetworks(WarningChannel channel, DistillationOptions options, DataSplit split) => new(channel, options, Columns, Set, split, Seeds, Device) { Budget = Budget };

    /// <summary>Makes a model of a training's network.</summary>
    public FitExport CreateExport(WarningChannel channel, DistillationOptions options, FitNetworks networks) =>
        new(Context, channel, networks, Set, Columns, new MulticlassExport(Columns), InputSchema, Seeds, options);
}
