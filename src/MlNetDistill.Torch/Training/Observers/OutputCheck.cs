using static TorchSharp.torch;

namespace MlNetDistill.Training;

/// <summary>Looks at the student's outputs at the end of a stage: the losses are those before each step, so what the very last step ruined shows only there.</summary>
internal sealed class OutputCheck(Tensor training, int batchSize) : ITrainingObserver
{
    public void StageEnds(StageRun run)
    {
        using var scope = NewDisposeScope();
        var some = training.narrow(0, 0, Math.Min(batchSize, training.shape[0]));
        if (!Scoring.Logits(run.Student, run.Set, some, batchSize).isfinite().all().item<bool>())
            throw NonFiniteCauses.Failure([.. run.Stage.Loss.Terms.Select(t => t.Loss.Name)], run);
    }
}
