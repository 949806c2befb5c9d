using FidelityStudy.Data;
using MlNetDistill.Networks;

namespace FidelityStudy.Training;

/// <summary>Networks and epochs that suit the rows.</summary>
/// <param name="Teacher">The teacher's network.</param>
/// <param name="Student">The small student's network.</param>
/// <param name="TeacherEpochs">Epochs of a teacher.</param>
/// <param name="Epochs">Epochs of a student over all rows. With fewer rows it has more epochs, so that the number of steps is about the same.</param>
/// <param name="BatchSize">Rows of a step.</param>
internal sealed record Plan(NetworkSpec Teacher, NetworkSpec Student, int TeacherEpochs, int Epochs, int BatchSize)
{
    /// <summary>Epochs over some rows with as many steps as <paramref name="epochs"/> over all rows; an incomplete last batch is not a step.</summary>
    public int EpochsOver(int rows, int all, int epochs) => (int)Math.Round((double)epochs * Batches(all) / Batches(rows));

    public static Plan For(Settings settings, StudyRows rows)
    {
        // A quick run has few rows; with small batches they are still enough steps.
        var batch = settings.Quick ? 32 : 128;
        var (teacherEpochs, epochs) = settings.Quick ? (6, 6) : (20, 40);
        var (teacher, student) = rows.Train[0].Features.Length > 100
            ? (NetworkSpec.Mlp(128, 64), NetworkSpec.Mlp(16))
            : (NetworkSpec.Mlp(256, 256), NetworkSpec.Mlp(64));
        return new Plan(teacher, student, teacherEpochs, settings.Epochs ?? epochs, batch);
    }

    private int Batches(int rows) => Math.Max(1, rows / BatchSize);
}
