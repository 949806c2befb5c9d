using FidelityStudy.Data;
using MlNetDistill.Networks;

namespace FidelityStudy.Training;

/// <summary>Networks and epochs that suit the rows.</summary>
/// <param name="Teacher">The teacher's network.</param>
/// <param name="Student">The small student's.</param>
/// <param name="TeacherEpochs">Epochs of a teacher.</param>
/// <param name="Epochs">Epochs of a student over all rows; one that learns from a part of them has as many steps, as nearly as whole epochs allow.</param>
/// <param name="BatchSize">Rows of a step.</param>
internal sealed record Plan(NetworkSpec Teacher, NetworkSpec Student, int TeacherEpochs, int Epochs, int BatchSize)
{
    /// <summary>Epochs over some rows that take the steps of <paramref name="epochs"/> over all; an incomplete last batch is no step.</summary>
    public int EpochsOver(int rows, int all, int epochs) => (int)Math.Round((double)epochs * Batches(all) / Batches(rows));

    public static Plan For(Settings settings, StudyRows rows)
    {
        // A cut-down run has few rows; small batches still make enough steps of them to learn something.
        var batch = settings.Quick ? 32 : 128;
        var (teacherEpochs, epochs) = settings.Quick ? (6, 6) : (20, 40);
        var (teacher, student) = rows.Train[0].Features.Length > 100
            ? (NetworkSpec.Mlp(128, 64), NetworkSpec.Mlp(16))
            : (NetworkSpec.Mlp(256, 256), NetworkSpec.Mlp(64));
        return new Plan(teacher, student, teacherEpochs, settings.Epochs ?? epochs, batch);
    }

    private int Batches(int rows) => Math.Max(1, rows / BatchSize);
}
