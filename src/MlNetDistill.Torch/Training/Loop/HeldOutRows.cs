using MlNetDistill.Data;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Teachers;

namespace MlNetDistill.Training;

/// <summary>The rows that a student is judged on.</summary>
internal sealed class HeldOutRows(Network student, IRowSource set, DataSplit split, LoopSettings settings)
{
    /// <summary>
    /// Quality by the labels, or by the teacher's answers where there are none. Null without such rows and in a stage that learns features: only what gives logits can
    /// be judged by the classes it names.
    /// </summary>
    public HeldOutQuality? Judge(Stage stage)
    {
        if (split.Validation is not { } rows || !stage.Loss.StudentNeeds.HasFlag(ModelOutputs.Logits))
            return null;
        var (share, loss) = settings.HeldOutAnswers is { } answers
            ? Scoring.Fidelity(student, split.ValidationSet, rows, answers, settings.ScoringBatchSize)
            : Scoring.Quality(student, split.ValidationSet, rows, settings.ScoringBatchSize);
        return new HeldOutQuality(share, loss);
    }

    /// <summary>The mean of KL(teacher ‖ student) at temperature 1, as the student stands.</summary>
    public double Divergence(StageTeacher teacher)
    {
        var positions = split.Validation ?? throw new InvalidOperationException("No rows are held out to measure a divergence on.");
        if (teacher.NeedsPassPerQuery && ReferenceEquals(split.ValidationSet, set))
            teacher.Begin(set, ModelOutputs.Logits, settings.View);
        return Scoring.Divergence(student, teacher, split.ValidationSet, positions, settings.ScoringBatchSize);
    }
}
