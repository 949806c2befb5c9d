using static TorchSharp.torch;

namespace MlNetDistill.Training;

/// <summary>Checks the outputs of the student at the end of a stage: losses are computed before each step, so they do not show the effect of the last step.</summary>
internal sealed class OutputCheck(Tensor training, int batchSize) : ITrainingObserver
{
    public void StageEnds(StageRun run) => Check(run);

    /// <exception cref="NonFiniteLossException">Outputs are NaN or infinite.</exception>
    public void Check(StageRun run)
    {
        using var scope = NewDisposeScope();
        var some = training.narrow(0, 0, Math.Min(batchSize, training.shape[0]));
        if (!Scoring.Logits(run.Student, run.Set, some, batchSize).isfinite().all().item<bool>())
            throw NonFiniteCauses.CreateException([.. run.Stage.Loss.Terms.Select(t => t.Loss.Name)], run);
    }
}
