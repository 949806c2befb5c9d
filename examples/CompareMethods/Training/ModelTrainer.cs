using CompareMethods.Data;
using Microsoft.ML;
using MlNetDistill;
using MlNetDistill.Evaluation;
using MlNetDistill.Methods;
using MlNetDistill.Training;

namespace CompareMethods.Training;

/// <summary>Trains the teacher once, and any number of students with its checkpoints.</summary>
internal sealed class ModelTrainer : IDisposable
{
    /// <summary>Share of the training rows that is held out in a search.</summary>
    public const double HeldOut = 0.2;

    /// <summary>The students' usual learning rate, the middle of the search; the teacher has the library's default.</summary>
    public const double LearningRate = 0.005;

    // The measured students have seeds 1, 2, 3, …, so the search has another seed.
    private const int SearchSeed = 1000;

    private readonly MLContext _mlContext;
    private readonly Workload _work;
    private readonly CheckpointFolder _checkpoints;
    private readonly DirectoryInfo? _temporary;
    private readonly Teacher _route;

    public ModelTrainer(MLContext mlContext, Workload work, CheckpointFolder checkpoints, IProgress<TrainingProgress> progress)
    {
        _mlContext = mlContext;
        _work = work;
        _checkpoints = checkpoints;
        var folder = checkpoints.Of("Route of the teacher");
        _temporary = folder is null ? Directory.CreateTempSubdirectory("CompareMethods-") : null;
        folder ??= _temporary!.FullName;
        try
        {
            // The teacher is trained in the fit of a student; one epoch of the student is enough to get the teacher and its checkpoints.
            var every = work.TeacherEpochs / Candidates.MostAnchors;
            var training = Route.Train(work.Teacher, every, work.TeacherEpochs, Optimizer.AdamW(), folder: folder);
            var first = Fit("Teacher", Options(DistillationMethod.Kd(), training, epochs: 1, seed: 1, progress));
            var teacher = first.Teacher!.FindStudent();
            (TeacherParameters, StudentParameters) = (teacher.Model.ParameterCount, first.Model.ParameterCount);
            TeacherModel = teacher;
            TeacherAccuracy = mlContext.MulticlassClassification.Evaluate(teacher.Transform(work.Test), "Class").MicroAccuracy;
            // A route can be used as a teacher: methods that need one teacher learn from its last anchor.
            _route = Route.FromCheckpoints(work.Teacher, [.. Directory.GetFiles(folder, "anchor-*.weights").Order(StringComparer.Ordinal)]);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The fully trained teacher, the last anchor of its route.</summary>
    public ITransformer TeacherModel { get; }

    public double TeacherAccuracy { get; }

    public long TeacherParameters { get; }

    public long StudentParameters { get; }

    /// <summary>Trains with a fifth of the training rows held out and returns the accuracy on them; null if training failed.</summary>
    public double? Try(string method, Candidate candidate, IProgress<TrainingProgress> progress)
    {
        try
        {
            // The student after the last epoch, not the best one, as for the measured students, which have no held-out rows to find a best epoch.
            return Fit($"{method}, {candidate.Setting}", Options(candidate, _work.Epochs / candidate.Anchors, SearchSeed, progress) with { ValidationFraction = HeldOut })
                .Model.History[^1].Validation?.Quality;
        }
        catch (NonFiniteLossException)
        {
            return null;
        }
    }

    /// <summary>Trains on all training rows and measures on the test rows.</summary>
    /// <param name="setup">What is trained, and for how long.</param>
    /// <param name="seed">Seed of the student's weights and batches.</param>
    /// <param name="progress">Follows the training.</param>
    public Run Train(TrainingSetup setup, int seed, IProgress<TrainingProgress> progress)
    {
        var student = Fit($"{setup.Name}, seed {seed}", Options(setup.Candidate, setup.EpochsPerAnchor, seed, progress));
        var metrics = _mlContext.MulticlassClassification.EvaluateDistillation(
            _work.Test, TeacherModel, student, "Class", options: new DistillationEvaluationOptions { BootstrapReplicates = 0 });
        return new Run(
            seed,
            metrics.Student!.Accuracy,
            metrics.Agreement,
            metrics.Divergence,
            student.Model.History[^1].Elapsed.TotalSeconds,
            [.. student.Model.History.Select(epoch => (epoch.Stage, epoch.RowsPerSecond))],
            student.Model.Notes,
            student);
    }

    public void Dispose() => _temporary?.Delete(recursive: true);

    private DistillationTransformer Fit(string name, DistillationOptions options) =>
        _mlContext.MulticlassClassification.Trainers.Distill(options with { CheckpointDirectory = _checkpoints.Of(name) }).Fit(_work.Train);

    // AdamW's steps do not grow with the loss, which is a hundred times larger for some methods than for others.
    private DistillationOptions Options(Candidate candidate, int epochs, int seed, IProgress<TrainingProgress> progress) =>
        Options(candidate.Method, _route, epochs, seed, progress) with
        {
            Student = candidate.Student ?? _work.Student,
            Optimizer = Optimizer.AdamW(LearningRate * candidate.LearningRateFactor),
        };

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
        CancellationToken = Interruption.Token,
    };
}
