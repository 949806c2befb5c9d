using MlNetDistill.Core;
using MlNetDistill.Methods;
using MlNetDistill.Networks;

namespace MlNetDistill.Teachers;

/// <summary>How a teacher's network is trained in a fit. If a setting is null, the student's is used.</summary>
internal sealed record NetworkTraining(NetworkSpec Spec, int? Epochs, Optimizer? Optimizer, LearningRateSchedule? Schedule)
{
    /// <summary>For what a copy of a teacher is built.</summary>
    public const string CopyPurpose = "copy of the teacher";

    /// <summary>The settings that were given, as text.</summary>
    public string Describe() => string.Join("; ", [$"network {Spec.ToJson()}", .. Epochs is { } epochs ? [$"epochs {NumberText.Join([epochs])}"] : Array.Empty<string>(), $"optimizer {Optimizer}", $"schedule {Schedule}"]);

    /// <summary>Number of epochs.</summary>
    public int GetEpochs(DistillationOptions options) => Epochs ?? options.EpochsWithoutTransfer ?? options.Epochs;

    /// <summary>Creates the plan of a training on labels alone.</summary>
    public TrainingPlan CreatePlan(DistillationOptions options) => new(
        TrainedTeacher.Role,
        Spec,
        DistillationMethod.LabelsOnly(),
        [],
        GetEpochs(options),
        Optimizer ?? options.GivenOptimizer ?? Optimizer.AdamW(Spec.DefaultLearningRate),
        Schedule ?? options.Schedule);

    /// <summary>What is wrong with the settings, each as one sentence that begins with <paramref name="whose"/>.</summary>
    public IEnumerable<string> Validate(string whose) =>
    [
        .. Faults.AtLeast(1, $"The {whose}'s epochs", Epochs),
        .. Spec.Validate().Concat(Optimizer?.Validate() ?? []).Concat(Schedule?.Validate() ?? []).Select(fault => $"{char.ToUpperInvariant(whose[0])}{whose[1..]}: {fault}"),
    ];
}
