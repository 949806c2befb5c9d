using Microsoft.ML;
using MlNetDistill;
using MlNetDistill.Evaluation;
using MlNetDistill.Methods;

namespace FidelityStudy.Training;

/// <summary>Trains students and compares them with their teachers.</summary>
internal sealed class StudentTrainer(MLContext mlContext)
{
    public Finding TrainAndCompare(Trial trial, Repetition repetition)
    {
        var setup = trial.CreateSetup(repetition);
        var student = Train(setup, repetition);
        // The rows of a setup are always the first of the training rows.
        var taught = mlContext.Data.TakeRows(setup.Compared.Train, setup.Rows.Count);
        return new Finding(repetition.Seed, Compare(student, taught), Compare(student, setup.Compared.Test), setup.Settings);
    }

    public DistillationTransformer Train(TrainingSetup setup, Repetition repetition) =>
        mlContext.MulticlassClassification.Trainers.Distill(new DistillationOptions
        {
            Teacher = setup.Teacher,
            Student = setup.Student,
            InitialWeights = setup.InitialWeights,
            Method = setup.Teacher is null ? DistillationMethod.LabelsOnly() : DistillationMethod.Kd(setup.Temperature, setup.Alpha),
            LabelColumnName = "Class",
            Epochs = setup.Epochs,
            BatchSize = repetition.Plan.BatchSize,
            Optimizer = Optimizer.AdamW(setup.LearningRate),
            Augmentations = setup.Augmentations,
            MissingLabels = setup.MissingLabels,
            Seed = repetition.Seed,
        }).Fit(repetition.Rows.View(setup.Rows));

    /// <summary>Compares a student with a teacher on rows that contain the teacher's answers.</summary>
    private DistillationMetrics Compare(ITransformer student, IDataView answered) => mlContext.MulticlassClassification.EvaluateDistillation(
        student.Transform(answered), "TeacherScore", "Score", "Class", new DistillationEvaluationOptions { BootstrapReplicates = 0 });
}
