using Microsoft.ML;
using MlNetDistill.Core;
using MlNetDistill.Data;
using MlNetDistill.Diagnostics;
using MlNetDistill.Reading;
using static TorchSharp.torch;

namespace MlNetDistill.Fitting;

/// <summary>What the trainings of a search share of their fit.</summary>
/// <param name="Context">Makes the models.</param>
/// <param name="Channel">Receives messages.</param>
/// <param name="Options">The trainer's options, with the number of epochs of a full training.</param>
/// <param name="Columns">The trainer's columns.</param>
/// <param name="Set">All rows.</param>
/// <param name="Split">Which of them are trained on.</param>
/// <param name="Seeds">The seeds of the run.</param>
/// <param name="Device">The device of the rows.</param>
/// <param name="InputSchema">The schema of the trainer's input.</param>
internal sealed record TrialContext(
    MLContext Context, WarningChannel Channel, DistillationOptions Options, TrainerColumns Columns, IRowSource Set, DataSplit Split, Seeds Seeds, Device Device, DataViewSchema InputSchema);
