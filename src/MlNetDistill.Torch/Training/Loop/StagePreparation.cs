using MlNetDistill.Data;
using MlNetDistill.Losses;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace MlNetDistill.Training;

/// <summary>What teacher and sampler do before the first epoch of a stage.</summary>
internal static class StagePreparation
{
    /// <param name="stage">The stage.</param>
    /// <param name="set">The rows.</param>
    /// <param name="training">Positions trained on.</param>
    /// <param name="shuffling">Draws the order of rows.</param>
    /// <param name="settings">How rows are shown and scored.</param>
    public static void Prepare(Stage stage, IRowSource set, Tensor training, Generator shuffling, LoopSettings settings)
    {
        stage.Teacher?.Begin(set, stage.Loss.TeacherNeeds, settings.View);
        stage.Sampler.Prepare(new SamplerSource(set, training, shuffling, stage.Teacher is null ? null : TeacherVectors));

        Tensor TeacherVectors(Tensor positions)
        {
            var teacher = stage.Teacher!;
            var kind = teacher.Provides.HasFlag(ModelOutputs.Embedding) ? ModelOutputs.Embedding : ModelOutputs.Logits;
            // The loss may not read what the sampler does; a teacher that reads a data view must be queried for both in one pass.
            if (settings.View is null)
                teacher.Begin(set, stage.Loss.TeacherNeeds | kind, null);
            return RowFeatures.Select(Scoring.TeacherOutputs(teacher, kind, set, positions, settings.ScoringBatchSize), kind).NormalizeRows();
        }
    }
}
