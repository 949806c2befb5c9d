using System.Diagnostics;
using CompareMethods.Data;
using Microsoft.ML;
using MlNetDistill;
using MlNetDistill.Evaluation;
using MlNetDistill.Methods;
using MlNetDistill.Training;

namespace CompareMethods.Training;

/// <summary>Trains the teacher, once, and any number of students from the checkpoints that it leaves.</summary>
internal sealed class School : IDisposable
{
    /// <summary>Share of the training rows that a search judges by.</summary>
    public const double HeldOut = 0.2;

    /// <summary>The students' usual learning rate, around which the search looks; the teacher has the library's own.</summary>
    public const double LearningRate = 0.005;

    // The measured students have seeds 1, 2, 3, …: none of them is the one that the search looked at.
    private const int SearchSeed = 1000;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("CompareMethods-");
    private readonly MLContext _mlContext;
    private readonly Workload _work;
    private readonly Teacher _route;

    public School(MLContext mlContext, Workload work, IProgress<TrainingProgress> progress)
    {
        _mlContext = mlContext;
        _work = work;
        try
        {
            // A student has to be trained for its teacher to be; one epoch of it is enough to have the teacher and its checkpoints.
            var every = work.TeacherEpochs / Candidates.MostAnchors;
            var training = Route.Train(work.Teacher, every, work.TeacherEpochs, Optimizer.AdamW(), folder: _folder.FullName);
            var first = Fit(Options(DistillationMethod.Kd(), training, epochs: 1, seed: 1, progress));
            var teacher = first.Teacher!.FindStudent();
            (TeacherParameters, StudentParameters) = (teacher.Model.ParameterCount, first.Model.ParameterCount);
            TeacherModel = teacher;
            TeacherAccuracy = mlContext.MulticlassClassification.Evaluate(teacher.Transform(work.Test), "Class").MicroAccuracy;
            // A route is a teacher like any other: methods that need one learn from its last anchor.
            _route = Route.FromCheckpoints(work.Teacher, [.. _folder.GetFiles("anchor-*.weights").Select(file => file.FullName).Order(StringComparer.Ordinal)]);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The teacher at the end of its route.</summary>
    public ITransformer TeacherModel { get; }

    public double TeacherAccuracy { get; }

    public long TeacherParameters { get; }

    public long StudentParameters { get; }

    /// <summary>Trains with a fifth of the training rows held out and gives the accuracy on them; null where training came to nothing.</summary>
    public double? Try(Candidate candidate, IProgress<TrainingProgress> progress)
    {
        try
        {
            // As it is after the last epoch: so are the measured students, which have no rows held out to find a best epoch with.
            return Fit(Options(candidate, _work.Epochs / candidate.Anchors, SearchSeed, progress) with { ValidationFraction = HeldOut })
                .Model.History[^1].Validation?.Quality;
        }
        catch (NonFiniteLossException)
        {
            return null;
        }
    }

    /// <summary>Trains on all training rows and measures on the test rows.</summary>
    /// <param name="lesson">What is trained, and for how long.</param>
    /// <param name="seed">Seed of the student's weights and batches.</param>
    /// <param name="progress">Follows the training.</param>
    public Run Train(Lesson lesson, int seed, IProgress<TrainingProgress> progress)
    {
        var clock = Stopwatch.StartNew();
        var student = Fit(Options(lesson.Candidate, lesson.EpochsPerAnchor, seed, progress));
        var seconds = clock.Elapsed.TotalSeconds;
        var metrics = _mlContext.MulticlassClassification.EvaluateDistillation(
            _work.Test, TeacherModel, student, "Class", options: new DistillationEvaluationOptions { BootstrapReplicates = 0 });
        return new Run(
            seed,
            metrics.Student!.Accuracy,
            metrics.Agreement,
            metrics.Divergence,
            seconds,
            [.. student.Model.History.Select(epoch => (epoch.Stage, epoch.RowsPerSecond))],
            student.Model.Notes,
            student);
    }

    public void Dispose() => _folder.Delete(recursive: true);

    private DistillationTransformer Fit(DistillationOptions options) => _mlContext.MulticlassClassification.Trainers.Distill(options).Fit(_work.Train);

    // AdamW's steps do not grow with the loss, whose size differs a hundredfold between the methods.
    private DistillationOptions Options(Candidate candidate, int epochs, int seed, IProgress<TrainingProgress> progress) =>
        Options(candidate.Method, _route, epochs, seed, progress) with { Optimizer = Optimizer.AdamW(LearningRate * candidate.LearningRateFactor) };

    private DistillationOptions Options(DistillationMethod method, Teacher teacher, int epochs, int seed, IProgress<TrainingProgress> progress) => new()
    {
        Teacher = teacher,
        Student = _work.Student,
        Method = method,
        LabelColumnName = "Class",
        FeatureColumnName = _work.FeatureColumnName,
        Epochs = epochs,
        BatchSize = _work.BatchSize,
        Seed = seed,
        Progress = progress,
    };
}
