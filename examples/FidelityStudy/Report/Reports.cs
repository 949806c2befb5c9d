using FidelityStudy.Data;
using FidelityStudy.Training;
using Microsoft.ML;
using MlNetDistill.Evaluation;
using MlNetDistill.Reporting;

namespace FidelityStudy.Report;

/// <summary>A report on a small student, with the student alone, and one on a student with its teacher's network.</summary>
internal sealed class Reports(MLContext mlContext, StudyRows rows, Plan plan, StudentTrainer trainer, CheckpointFolder checkpoints)
{
    public void Write(string folder)
    {
        using var repetition = new Repetition(mlContext, rows, plan, seed: 1, checkpoints);
        var (small, alone, self) = (Student(Questions.Baseline), Student(Questions.LabelsAlone), Student(Questions.SelfDistilled));
        var evidence = new ReportInput
        {
            Title = $"{rows.Title}: a small student",
            Description = "Trained on its teacher's answers alone, at temperature 4.",
            Test = rows.View(rows.Test),
            Training = rows.View(rows.Train),
            Teacher = repetition.Model,
            Student = small,
            Alone = alone,
            LabelColumnName = "Class",
            TeacherCost = Cost(repetition.Model),
            StudentCost = Cost(small),
            AloneCost = Cost(alone),
        };
        DistillationReport.Create(mlContext, evidence).Write(Path.Combine(folder, "small"));
        DistillationReport.Create(mlContext, evidence with
        {
            Title = $"{rows.Title}: a student of its teacher's own specification",
            Student = self,
            Alone = null,
            StudentCost = Cost(self),
            AloneCost = null,
        }).Write(Path.Combine(folder, "self"));

        ITransformer Student(string trial) => trainer.Train(Questions.All.Single(t => t.Name == trial), repetition);
    }

    private ModelCost Cost(ITransformer model) => mlContext.Model.MeasureCost(model, rows.Test.Take(1000), inputSchemaDefinition: rows.Schema());
}
