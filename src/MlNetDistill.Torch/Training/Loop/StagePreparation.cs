using MlNetDistill.Core;
using MlNetDistill.Data;
using MlNetDistill.Losses;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace MlNetDistill.Training;

/// <summary>Prepares the teacher and the sampler before the first epoch of a stage.</summary>
internal static class StagePreparation
{
    /// <param name="stage">The stage.</param>
    /// <param name="set">All rows.</param>
    /// <param name="training">Positions of those trained on.</param>
    /// <param name="shuffling">Draws the order of rows.</param>
    /// <param name="settings">The settings of the loop.</param>
    /// <param name="readsTeacher">Whether the steps read the teacher's outputs, and not those of a copy that changes.</param>
    public static void Prepare(Stage stage, IRowSource set, Tensor training, Generator shuffling, LoopSettings settings, bool readsTeacher)
    {
        if (readsTeacher)
            stage.Teacher?.Begin(set, stage.Loss.TeacherNeeds, settings.View);
        PrepareSampler(stage, set, training, shuffling, settings, readsTeacher);
    }

    /// <summary>Prepares the sampler alone.</summary>
    /// <inheritdoc cref="Prepare"/>
    public static void PrepareSampler(Stage stage, IRowSource set, Tensor training, Generator shuffling, LoopSettings settings, bool readsTeacher)
    {
        stage.Sampler.Prepare(new SamplerSource(set, training, shuffling, stage.Teacher is null ? null : TeacherVectors));

        Tensor TeacherVectors(Tensor positions)
        {
            var teacher = stage.Teacher!;
            var kind = teacher.Provides.HasFlag(ModelOutputs.Embedding) ? ModelOutputs.Embedding : ModelOutputs.Logits;
            // The loss may read other outputs than the sampler; a teacher that reads a data view must compute both in one pass.
            if (settings.View is null && readsTeacher)
                teacher.Begin(set, stage.Loss.TeacherNeeds | kind, null);
            return RowFeatures.Select(Scoring.TeacherOutputs(teacher, kind, set, positions, settings.ScoringBatchSize), kind).NormalizeRows();
        }
    }
}
