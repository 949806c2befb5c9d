using FidelityStudy.Data;
using Microsoft.ML;
using MlNetDistill;
using MlNetDistill.Networks;

namespace FidelityStudy.Training;

/// <summary>A teacher and what it says of all rows: a student is compared with it on rows that it taught from, and on rows that nobody saw.</summary>
/// <param name="Teacher">The teacher.</param>
/// <param name="Train">The training rows with its answers in the column <c>TeacherScore</c>.</param>
/// <param name="Test">The same for the test rows.</param>
internal sealed record Instructor(Teacher Teacher, IDataView Train, IDataView Test)
{
    public static Instructor Of(MLContext mlContext, StudyRows rows, Teacher teacher)
    {
        // The options of a student that this teacher could have: only the teacher is asked.
        var trainer = mlContext.MulticlassClassification.Trainers.Distill(teacher, NetworkSpec.Mlp(), labelColumnName: "Class");
        return new Instructor(teacher, trainer.ScoreTeacher(rows.View(rows.Train)), trainer.ScoreTeacher(rows.View(rows.Test)));
    }
}
