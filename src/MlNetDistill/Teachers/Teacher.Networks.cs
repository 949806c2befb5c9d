using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Teachers;

namespace MlNetDistill;

/// <content>A network that is trained in the fit, and several teachers as one.</content>
public abstract partial class Teacher
{
    /// <summary>Several teachers of any kinds as one, with equal weights; see the other overload.</summary>
    /// <param name="members">At least one; no routes.</param>
    public static Teacher Ensemble(params IReadOnlyList<Teacher> members)
    {
        ArgumentNullException.ThrowIfNull(members);
        return Ensemble([.. members.Select(m => (m, 1.0))]);
    }

    /// <summary>
    /// Several teachers of any kinds as one: the logarithm of the weighted mean of their probabilities. A temperature softens the mean, not the members.
    /// It gives class scores only.
    /// </summary>
    /// <param name="members">At least one, each with its weight, at least 0 and some above; scaled to sum to 1. No routes.</param>
    public static Teacher Ensemble(params IReadOnlyList<(Teacher Teacher, double Weight)> members)
    {
        ArgumentNullException.ThrowIfNull(members);
        return new EnsembleOfTeachers([.. members]);
    }

    /// <summary>A network that is trained in the fit, before the student, on the student's features and the labels.</summary>
    /// <remarks>
    /// The options' batch size, gradient clipping, augmentations, validation rows and early stopping apply to it too. Cancelling while it trains throws, whatever the
    /// value of <see cref="DistillationOptions.OnCancellation"/>: a teacher that is only partly trained is not used.
    /// </remarks>
    /// <param name="network">The teacher's network; see <see cref="NetworkSpec"/> for the kinds.</param>
    /// <param name="epochs">Passes over the training rows; the student's number if null.</param>
    /// <param name="optimizer">The optimiser; the student's if null.</param>
    /// <param name="schedule">The learning-rate schedule; the student's if null.</param>
    public static Teacher Train(NetworkSpec network, int? epochs = null, Optimizer? optimizer = null, LearningRateSchedule? schedule = null)
    {
        ArgumentNullException.ThrowIfNull(network);
        return new TrainedTeacher(new NetworkTraining(network, epochs, optimizer, schedule));
    }
}
