using static System.FormattableString;

namespace MlNetDistill.Training;

/// <summary>Says at the end of a stage how many of its batches were not learnt from.</summary>
internal sealed class SkippedBatchesWarning(Action<string> warn) : ITrainingObserver
{
    public void StageEnds(StageRun run)
    {
        // The first has a warning of its own.
        if (run.State.SkippedBatches > 1)
            warn(Invariant($"Stage '{run.Stage.Name}': {run.State.SkippedBatches} of {run.State.Step} batches were skipped, because losses or gradients were NaN or infinite."));
    }
}
