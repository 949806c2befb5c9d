using MlNetDistill.Methods;
using MlNetDistill.Networks;
using static System.FormattableString;

namespace MlNetDistill.Teachers;

/// <summary>How a teacher's network is trained on the spot; what is null is the student's.</summary>
internal sealed record NetworkTraining(NetworkSpec Spec, int? Epochs, Optimizer? Optimizer, LearningRateSchedule? Schedule)
{
    /// <summary>Epochs of the training.</summary>
    public int EpochsIn(DistillationOptions options) => Epochs ?? options.Epochs;

    /// <summary>The training, on labels alone.</summary>
    public TrainingPlan Plan(DistillationOptions options) => new(
        TrainedTeacher.Role,
        Spec,
        DistillationMethod.LabelsOnly(),
        [],
        EpochsIn(options),
        Optimizer ?? options.Optimizer,
        Schedule ?? options.Schedule);

    /// <summary>What is wrong with the settings, each as one sentence that begins with <paramref name="whose"/>.</summary>
    public IEnumerable<string> Validate(string whose)
    {
        if (Epochs is < 1)
            yield return Invariant($"The {whose}'s epochs must be at least 1; was {Epochs}.");
        foreach (var fault in Spec.Validate().Concat(Optimizer?.Validate() ?? []).Concat(Schedule?.Validate() ?? []))
            yield return $"{char.ToUpperInvariant(whose[0])}{whose[1..]}: {fault}";
    }
}
