using MlNetDistill.Core;
using MlNetDistill.Data;
using MlNetDistill.Losses;
using MlNetDistill.Networks;
using MlNetDistill.Teachers;
using static TorchSharp.torch;

namespace MlNetDistill.Training;

/// <summary>Checks the answers of a teacher that is queried in the steps of a stage: those to augmented rows, and those that no cache keeps, are not checked before.</summary>
/// <param name="name">The teacher.</param>
/// <param name="stage">The stage.</param>
/// <param name="checks">Keeps what is found until it is read.</param>
/// <param name="warn">Receives warnings, also the same one several times.</param>
internal sealed class TeacherAnswers(string name, string stage, DeferredChecks checks, Action<string> warn)
{
    /// <exception cref="InvalidOperationException">In the first step: an answer is NaN or infinite. In later ones this is found when a loss becomes so, at the latest at the end of the epoch.</exception>
    public void Check(StageTeacher teacher, Batch batch, NetworkOutput answers)
    {
        // The embeddings of all rows as they are were checked before.
        if (teacher.GivesDirections && batch.View == 0 && !answers.Available.HasFlag(ModelOutputs.StageFeatures))
            return;
        var augmented = batch.View == 0 ? "" : " for augmented rows";
        foreach (var (kind, values) in Values(answers))
        {
            checks.RequireFinite((kind, augmented.Length), values, () => new InvalidOperationException(
                $"The teacher ({name}) gives {kind} that are NaN or infinite{augmented}, in stage '{stage}'. Check its weights and the scale of its input{(augmented.Length == 0 ? "" : ", also after the Augmentations")}."));
        }

        if (teacher.GivesDirections && batch.View != 0 && answers.Available.HasFlag(ModelOutputs.Embedding))
        {
            checks.ReportBelow0("directions", answers.Embedding.norm(1, false, 2).Add(-UnitRows.SmallestLength), () => warn(
                $"The teacher ({name}) gives embeddings of zeros, which have no direction, for some augmented rows: these teach nothing. Check its input after the Augmentations."));
        }
    }

    private static IEnumerable<(string Kind, Tensor Values)> Values(NetworkOutput answers)
    {
        if (answers.Available.HasFlag(ModelOutputs.Logits))
            yield return ("logits", answers.Logits);
        if (answers.Available.HasFlag(ModelOutputs.Embedding))
            yield return ("embeddings", answers.Embedding);
        if (!answers.Available.HasFlag(ModelOutputs.StageFeatures))
            yield break;
        foreach (var (tap, feature) in answers.StageFeatures.Index())
            yield return (FormattableString.Invariant($"stage features (tap {tap})"), feature);
    }
}
