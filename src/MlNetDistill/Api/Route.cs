using Microsoft.ML;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Teachers;

namespace MlNetDistill;

/// <summary>
/// Teachers in order, from weak to strong: the anchors of <see cref="DistillationMethod.Rco"/>. A route is a teacher too; methods that need only
/// one learn from its last anchor.
/// </summary>
public static class Route
{
    /// <summary>A network, trained on the spot as by <see cref="Teacher.Train"/>, with a checkpoint of it recorded every few epochs.</summary>
    /// <remarks>
    /// The last anchor is the trained network as it ends: of the best epoch where rows are held out. Each checkpoint keeps its own batch-norm statistics.
    /// </remarks>
    /// <param name="network">The teacher's network; see <see cref="NetworkSpec"/> for the kinds.</param>
    /// <param name="every">Epochs from one checkpoint to the next, at least 1.</param>
    /// <param name="epochs">Passes over the training rows; the student's number if null.</param>
    /// <param name="optimizer">The optimiser; the student's if null.</param>
    /// <param name="schedule">The learning-rate schedule; the student's if null.</param>
    /// <param name="folder">
    /// A folder for the checkpoints, one file <c>anchor-NNNN.weights</c> each, which stay there for <see cref="FromCheckpoints"/>; null to keep them in memory.
    /// It is made where it is not there. A folder that holds checkpoints of another run is refused: each run has its own.
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
    /// Each file says what it is of: the network, its classes, its input, the training. Classes are matched by name; rows are scaled as in the network's own
    /// training; features that have another mean or spread than its own rows had are warned of. A file is an error in <c>Fit</c> if it is damaged (by its
    /// SHA-256), of another network, of other classes or features, or of another run than the first.
    /// </remarks>
    /// <param name="network">The network that all of them are of.</param>
    /// <param name="paths">The files, from the first to the last anchor. Anchors count by the epochs written in them.</param>
    public static Teacher FromCheckpoints(NetworkSpec network, params IReadOnlyList<string> paths)
    {
        ArgumentNullException.ThrowIfNull(network);
        ArgumentNullException.ThrowIfNull(paths);
        return new CheckpointRoute(network, [.. paths]);
    }

    /// <summary>Any teachers, in order. Each is asked before the student trains.</summary>
    /// <param name="anchors">Name and teacher of each anchor, from weak to strong.</param>
    public static Teacher FromTeachers(params IReadOnlyList<(string Label, Teacher Teacher)> anchors)
    {
        ArgumentNullException.ThrowIfNull(anchors);
        return new TeacherRoute([.. anchors]);
    }

    /// <summary>
    /// ML.NET pipelines of rising strength, for example forests with rising numbers of trees, each fitted inside the trainer's <c>Fit</c> as by
    /// <see cref="Teacher.FromEstimator"/>.
    /// </summary>
    /// <param name="estimators">Name and pipeline of each anchor, from weak to strong.</param>
    public static Teacher FromEstimators(params IReadOnlyList<(string Label, IEstimator<ITransformer> Estimator)> estimators)
    {
        ArgumentNullException.ThrowIfNull(estimators);
        return new TeacherRoute([.. estimators.Select(e => (e.Label, Teacher.FromEstimator(e.Estimator)))]);
    }
}
