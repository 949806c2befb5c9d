using MlNetDistill.Core;
using MlNetDistill.Data;
using MlNetDistill.Losses;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Training;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

/// <summary>A training in two phases, of hints and with a teacher that trains, which breaks off in some batch and goes on from its folder.</summary>
internal sealed class BreakableTraining(string folder)
{
    public const int EpochsOfPhase = 3;

    /// <summary>72 of 96 rows are trained on.</summary>
    public const int BatchesPerEpoch = 5;

    public CheckpointOptions Options { get; init; } = new() { Interval = TimeSpan.Zero };

    public NonFiniteHandling OnNonFinite { get; init; } = NonFiniteHandling.SkipBatch();

    /// <summary>The step, from 0, whose loss in the first phase is not a number, the first time.</summary>
    public long? SpoiltStep { get; init; }

    public EarlyStopping? EarlyStopping { get; init; }

    /// <summary>The learning rate of the first phase.</summary>
    public double LearningRate { get; init; } = 0.05;

    /// <summary>A loss of the first phase, beside that of the labels and of the hints.</summary>
    public DistillationLoss? MoreLoss { get; init; }

    /// <summary>The optimizer of the teacher in the second phase.</summary>
    public Optimizer TeacherOptimizer { get; init; } = Optimizer.Sgd(0.05, 0.9, false);

    public Action BeforeBatch { get; init; } = () => { };

    /// <summary>The last state that a phase reported: every tensor and every counter.</summary>
    public Dictionary<string, double[]> LastTensors { get; private set; } = [];

    public List<string> LastCounters { get; } = [];

    public List<string> Warnings { get; } = [];

    public double[] Weights { get; private set; } = [];

    public string[] History { get; private set; } = [];

    public TimeSpan Elapsed { get; private set; }

    /// <summary>Batches trained here.</summary>
    public int Batches { get; private set; }

    /// <summary>How many epochs had ended where the training went on, and whether all; null if it did not go on.</summary>
    public (int Epochs, bool All)? WentOn { get; private set; }

    /// <param name="breaksIn">The batch, from 1, before which the power fails; null for none.</param>
    public BreakableTraining Train(int? breaksIn = null)
    {
        using var set = Toy.Clouds(rows: 96, noise: 1);
        using var drawing = new Generator(5);
        using var split = DataSplit.ByFraction(set, 0.25, drawing);
        using var teaching = new Teaching(NetworkSpec.Mlp(12), set);
        using var student = Runs.Student(NetworkSpec.Mlp(5), set);
        var isSpoilt = false;
        TrainingLoop? loop = null;
        using var running = loop = new TrainingLoop(student, new MulticlassTask(student.LogitCount), set, split, new Seeds(1), "student", new LoopSettings
        {
            Checkpoints = new RunCheckpoints(folder, "student", Options, Warnings.Add) { Continues = (epochs, all) => WentOn = (epochs, all), DrawsFromProcess = true },
            OnCancellation = CancellationBehavior.ReturnBest,
            OnNonFinite = OnNonFinite,
            EarlyStopping = EarlyStopping,
            MeasureTraining = true,
            Warn = Warnings.Add,
            Report = _ => Look(loop!.State),
            View = (positions, _) =>
            {
                BeforeBatch();
                if (++Batches == breaksIn)
                    throw new PowerFailureException();
                return Batch.Gather(set, positions);
            },
        });
        var hints = new CrossEntropyLoss() + new HintLoss((0, 0)) + new SpoiltLoss(() =>
        {
            var spoils = !isSpoilt && loop.State.Steps == SpoiltStep;
            isSpoilt |= spoils;
            return spoils;
        });
        loop.Run([
            Runs.Stage(EpochsOfPhase, MoreLoss is null ? hints : hints + MoreLoss, teaching.Teacher, optimizer: Optimizer.Sgd(LearningRate), name: "hints"),
            new BilevelStage(Runs.Stage(EpochsOfPhase, new CrossEntropyLoss() + new KdLoss(2), teaching.Teacher, name: "both"), TeacherOptimizer, 0.05) { QuizShare = 0.25 },
        ]);
        (Weights, Elapsed) = (Runs.State(student), loop.State.Elapsed);
        History = [.. loop.State.History.Select(Describe)];
        return this;
    }

    private static string Describe(TrainingProgress epoch) => FormattableString.Invariant(
        $"{epoch.Stage} {epoch.Epoch} {epoch.LearningRate:R} {epoch.Validation?.Quality:R} {epoch.Validation?.Loss:R} {string.Join(' ', epoch.Losses.Select(loss => FormattableString.Invariant($"{loss.Key} {loss.Value:R}")))} ") +
        FormattableString.Invariant($"{epoch.MeanGradientNorm:R} {epoch.LargestGradientNorm:R} {epoch.LargestLogit:R} {epoch.SkippedBatches} {epoch.TimesGoneBack}");

    private void Look(TrainingState state)
    {
        using var scope = NewDisposeScope();
        var stage = state.Stage!;
        LastTensors = state.Tensors().ToDictionary(t => t.Key, t => Near.Values(t.Value));
        LastCounters.Clear();
        LastCounters.AddRange([
            $"{state.Phases} {state.Epochs} {state.Steps} {state.Best.Result} {string.Join(' ', state.Warnings)}",
            $"{stage.Name} {stage.IsFirst} {stage.Epoch} {stage.Step} {string.Join(' ', stage.FirstLosses!)} {stage.Best.Result}",
            $"{stage.QualityToBeat} {stage.LastImprovement} {stage.Warned} {stage.IsStopped} {stage.SkippedBatches} {stage.TimesGoneBack} {stage.RateFactor}",
            $"{stage.OptimizerSteps} {stage.TeacherOptimizerSteps}",
        ]);
    }

    /// <summary>The cross-entropy; not a number where it is spoilt.</summary>
    private sealed class SpoiltLoss(Func<bool> isSpoilt) : DistillationLoss
    {
        public override string Name => "spoilt";

        public override ModelOutputs TeacherNeeds => ModelOutputs.None;

        public override Tensor Evaluate(LossInputs inputs) => nn.functional.cross_entropy(inputs.Student.Logits, inputs.Labels).MultiplyBy(isSpoilt() ? double.NaN : 0.1);
    }
}
