using FidelityStudy.Data;
using Microsoft.ML;
using MlNetDistill;
using MlNetDistill.Networks;

namespace FidelityStudy.Training;

/// <summary>A teacher with its answers for the training rows and the test rows, on which students are compared with it.</summary>
/// <param name="Teacher">The teacher.</param>
/// <param name="Train">The training rows with its answers in the column <c>TeacherScore</c>.</param>
/// <param name="Test">The same for the test rows.</param>
internal sealed record ScoredTeacher(Teacher Teacher, IDataView Train, IDataView Test)
{
    public static ScoredTeacher Create(MLContext mlContext, StudyRows rows, Teacher teacher)
    {
        // Only the teacher is queried; the student of these options is not trained.
        var trainer = mlContext.MulticlassClassification.Trainers.Distill(teacher, NetworkSpec.Mlp(), labelColumnName: "Class");
        return new ScoredTeacher(teacher, trainer.ScoreTeacher(rows.View(rows.Train)), trainer.ScoreTeacher(rows.View(rows.Test)));
    }
}
