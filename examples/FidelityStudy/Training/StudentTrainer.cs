using Microsoft.ML;
using MlNetDistill;
using MlNetDistill.Evaluation;
using MlNetDistill.Methods;

namespace FidelityStudy.Training;

/// <summary>Trains students and compares them with their teachers.</summary>
internal sealed class StudentTrainer(MLContext mlContext, CheckpointFolder checkpoints)
{
    public Finding TrainAndCompare(Trial trial, Repetition repetition)
    {
        var setup = trial.CreateSetup(repetition);
        var student = Train(trial, setup, repetition);
        // The rows of a setup are always the first of the training rows.
        var taught = mlContext.Data.TakeRows(setup.Compared.Train, setup.Rows.Count);
        return new Finding(repetition.Seed, Compare(student, taught), Compare(student, setup.Compared.Test), setup.Settings)
        {
            Diagnosis = trial.IsDiagnosed ? Diagnose(student, taught, setup) : null,
        };
    }

    public DistillationTransformer Train(Trial trial, Repetition repetition) => Train(trial, trial.CreateSetup(repetition), repetition);

    private DistillationTransformer Train(Trial trial, TrainingSetup setup, Repetition repetition) =>
        mlContext.MulticlassClassification.Trainers.Distill(new DistillationOptions
        {
            Teacher = setup.Teacher,
            Student = setup.Student,
            InitialWeights = setup.InitialWeights,
            Method = Method(setup),
            LabelColumnName = "Class",
            Epochs = setup.Epochs,
            BatchSize = repetition.Plan.BatchSize,
            Optimizer = Optimizer.AdamW(setup.LearningRate),
            Augmentations = setup.Augmentations,
            MissingLabels = setup.MissingLabels,
            Seed = repetition.Seed,
            CancellationToken = Interruption.Token,
            CheckpointDirectory = checkpoints.Of($"{trial.Name}, seed {repetition.Seed}"),
        }).Fit(repetition.Rows.View(setup.Rows));

    private static DistillationMethod Method(TrainingSetup setup) => setup switch
    {
        { Targets: { } targets } => DistillationMethod.PartialKd(targets, setup.Temperature, setup.Alpha),
        { Teacher: null } => DistillationMethod.LabelsOnly(),
        _ => DistillationMethod.Kd(setup.Temperature, setup.Alpha),
    };

    /// <summary>How KD rescales the gradients of the training rows at the end of training.</summary>
    private KnowledgeDiagnosis Diagnose(ITransformer student, IDataView answered, TrainingSetup setup) => mlContext.MulticlassClassification.DiagnoseKnowledge(
        student.Transform(answered), "TeacherScore", "Score", "Class", setup.Temperature, setup.Alpha);

    /// <summary>Compares a student with a teacher on rows that contain the teacher's answers.</summary>
    private DistillationMetrics Compare(ITransformer student, IDataView answered) => mlContext.MulticlassClassification.EvaluateDistillation(
        student.Transform(answered), "TeacherScore", "Score", "Class", new DistillationEvaluationOptions { BootstrapReplicates = 0 });
}
