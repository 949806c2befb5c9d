using Microsoft.ML;
using MlNetDistill;
using MlNetDistill.Evaluation;
using MlNetDistill.Methods;

namespace FidelityStudy.Training;

/// <summary>Trains students and compares them with their teachers.</summary>
internal sealed class Classroom(MLContext mlContext)
{
    public Finding Try(Trial trial, Repetition repetition)
    {
        var lesson = trial.Lesson(repetition);
        var student = Train(lesson, repetition);
        // The rows of a lesson are always the first of the training rows.
        var taught = mlContext.Data.TakeRows(lesson.Compared.Train, lesson.Rows.Count);
        return new Finding(repetition.Seed, Compare(student, taught), Compare(student, lesson.Compared.Test), lesson.Settings);
    }

    public DistillationTransformer Train(Lesson lesson, Repetition repetition) =>
        mlContext.MulticlassClassification.Trainers.Distill(new DistillationOptions
        {
            Teacher = lesson.Teacher,
            Student = lesson.Student,
            InitialWeights = lesson.InitialWeights,
            Method = lesson.Teacher is null ? DistillationMethod.LabelsOnly() : DistillationMethod.Kd(lesson.Temperature, lesson.Alpha),
            LabelColumnName = "Class",
            Epochs = lesson.Epochs,
            BatchSize = repetition.Plan.BatchSize,
            Optimizer = Optimizer.AdamW(lesson.LearningRate),
            Augmentations = lesson.Augmentations,
            MissingLabels = lesson.MissingLabels,
            Seed = repetition.Seed,
        }).Fit(repetition.Rows.View(lesson.Rows));

    /// <summary>Compares a student with a teacher on rows that contain the teacher's answers.</summary>
    private DistillationMetrics Compare(ITransformer student, IDataView answered) => mlContext.MulticlassClassification.EvaluateDistillation(
        student.Transform(answered), "TeacherScore", "Score", "Class", new DistillationEvaluationOptions { BootstrapReplicates = 0 });
}
