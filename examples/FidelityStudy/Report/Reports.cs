using FidelityStudy.Data;
using FidelityStudy.Training;
using Microsoft.ML;
using MlNetDistill;

namespace FidelityStudy.Report;

/// <summary>A report on a small student and one on its teacher's like.</summary>
internal static class Reports
{
    public static void Write(string folder, MLContext mlContext, StudyRows rows, Plan plan, Classroom classroom)
    {
        using var repetition = new Repetition(mlContext, rows, plan, seed: 1);
        Write(Questions.Baseline, "a small student", "small");
        Write(Questions.SelfDistilled, "a student of its teacher's own specification", "self");

        void Write(string name, string title, string subfolder)
        {
            var student = classroom.Train(Questions.All.Single(trial => trial.Name == name).Lesson(repetition), repetition);
            DistillationReport.Of(mlContext, new DistillationEvidence
            {
                Title = $"{rows.Title}: {title}",
                Description = "By its teacher's answers alone, at temperature 4.",
                Test = rows.View(rows.Test),
                Training = rows.View(rows.Train),
                Teacher = repetition.Model,
                Student = student,
                LabelColumnName = "Class",
            }).Write(Path.Combine(folder, subfolder));
        }
    }
}
