using Microsoft.ML;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Teachers;

namespace MlNetDistill;

/// <summary>
/// Creates routes: teachers in order, from weak to strong, which are the anchors of <see cref="DistillationMethod.Rco"/>. A route is a teacher too; methods that need
/// only one use its last anchor.
/// </summary>
public static class Route
{
    /// <summary>A network that is trained in <c>Fit</c>, as by <see cref="Teacher.Train"/>, with a checkpoint every few epochs.</summary>
    /// <remarks>
    /// The last anchor is the network at the end of its training: of its best epoch if rows are held out. Each checkpoint has its own batch-norm statistics.
    /// </remarks>
    /// <param name="network">The teacher's network; see <see cref="NetworkSpec"/> for the kinds.</param>
    /// <param name="every">Epochs from one checkpoint to the next, at least 1.</param>
    /// <param name="epochs">Passes over the training rows; the student's number if null.</param>
    /// <param name="optimizer">The optimiser; the student's if null.</param>
    /// <param name="schedule">The learning-rate schedule; the student's if null.</param>
    /// <param name="folder">
    /// A folder for the checkpoints, one file <c>anchor-NNNN.weights</c> each, which <see cref="FromCheckpoints"/> can read later; null to keep them in memory. It is
    /// created if it does not exist. A folder with checkpoints of another run is an error, unless this run replaces that one (<see cref="Training.CheckpointOptions.WhenChanged"/>).
    /// </param>
    public static Teacher Train(
        NetworkSpec network,
        int every = 1,
        int? epochs = null,
        Optimizer? optimizer = null,
        LearningRateSchedule? schedule = null,
        string? folder = null)
    {
        ArgumentNullException.ThrowIfNull(network);
        return new TrainedRoute(new NetworkTraining(network, epochs, optimizer, schedule), every, folder);
    }

    /// <summary>Checkpoints of one network over the student's own features, as <see cref="Train"/> writes them.</summary>
    /// <remarks>
    /// Each file has the network's specification, its classes, its input and its training. Classes are matched by name; rows are scaled as in the network's training;
    /// there is a warning if features have another mean or spread than the network's training rows. <c>Fit</c> throws for a file that is damaged (by its
    /// SHA-256), of another network, of other classes or features, or of another run than the first file.
    /// </remarks>
    /// <param name="network">The specification of the network.</param>
    /// <param name="paths">The files, from the first to the last anchor. The epoch of an anchor is read from its file.</param>
    public static Teacher FromCheckpoints(NetworkSpec network, params IReadOnlyList<string> paths)
    {
        ArgumentNullException.ThrowIfNull(network);
        ArgumentNullException.ThrowIfNull(paths);
        return new CheckpointRoute(network, [.. paths]);
    }

    /// <summary>Any teachers, in order. Each is queried before the student is trained.</summary>
    /// <param name="anchors">Name and teacher of each anchor, from weak to strong.</param>
    public static Teacher FromTeachers(params IReadOnlyList<(string Label, Teacher Teacher)> anchors)
    {
        ArgumentNullException.ThrowIfNull(anchors);
        return new TeacherRoute([.. anchors]);
    }

    /// <summary>
    /// ML.NET pipelines, from weak to strong, for example forests with more and more trees. Each is fitted in the trainer's <c>Fit</c>, as by
    /// <see cref="Teacher.FromEstimator"/>.
    /// </summary>
    /// <param name="estimators">Name and pipeline of each anchor, from weak to strong.</param>
    public static Teacher FromEstimators(params IReadOnlyList<(string Label, IEstimator<ITransformer> Estimator)> estimators)
    {
        ArgumentNullException.ThrowIfNull(estimators);
        return new TeacherRoute([.. estimators.Select(e => (e.Label, Teacher.FromEstimator(e.Estimator)))]);
    }
}
