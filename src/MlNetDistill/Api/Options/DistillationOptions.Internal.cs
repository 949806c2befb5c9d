using Microsoft.ML;
using MlNetDistill.Cache;
using MlNetDistill.Core;
using MlNetDistill.Data;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Training;

namespace MlNetDistill;

/// <summary>What the library itself derives from the settings.</summary>
public sealed partial record DistillationOptions
{
    // These observe or control a run; all other options describe it.
    private static readonly string[] NoSettings = [nameof(CancellationToken), nameof(Progress)];

    /// <summary>Measures the training time.</summary>
    internal TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>The training time of a fit, of which nothing is used yet.</summary>
    internal TrainingBudget CreateBudget() => new(MaxTrainingTime, Clock);

    /// <summary>A line for each setting.</summary>
    public override string ToString() => SettingText.FormatLines("", [.. DescribeSettings().Select(setting => (setting.Name, setting.Value))]);

    /// <summary>Every setting, by name, as text.</summary>
    internal IReadOnlyList<ReportedSetting> DescribeSettings() =>
    [
        .. typeof(DistillationOptions).GetProperties()
            .Where(property => !NoSettings.Contains(property.Name))
            .Select(property => new ReportedSetting(property.Name, property.GetValue(this) switch
            {
                IDataView => "a view of its own",
                var value => SettingText.DescribeValue(value, property.PropertyType),
            })),
    ];

    /// <summary>Whether a fit runs modules, methods or losses of the application, which may draw from TorchSharp's process-wide generator; this library's do not.</summary>
    internal bool MayDrawFromTorch => Method.MayDrawFromTorch
        || (Teacher?.TrainedNetworks ?? []).Append(Student).Any(network => network.GetType().Assembly != typeof(NetworkSpec).Assembly);

    /// <summary>Whether the student is validated while it is trained.</summary>
    internal bool HoldsRowsOut => ValidationSources > 0;

    /// <summary>Whether the method asks a teacher about the rows, and there is one.</summary>
    internal bool UsesTeacher => Teacher is not null && Method.TeacherNeeds != ModelOutputs.None;

    /// <summary>These options without those that are of use only to a method that asks a teacher, if this one asks none.</summary>
    internal DistillationOptions WithoutUnusedTeacher() => UsesTeacher ? this : this with
    {
        TransferRows = null,
        Sampling = Sampling.NeedsTeacher ? BatchSampling.Shuffled() : Sampling,
        MissingLabels = MissingLabels == MissingLabels.TeacherOnly ? MissingLabels.Drop : MissingLabels,
    };

    /// <summary>
    /// The options for scoring rows with the teacher: no augmentation, validation or weights, and labels may be missing. With a cache key the outputs are kept in
    /// memory, because the key names the training rows and not these.
    /// </summary>
    /// <exception cref="InvalidOperationException">There is no teacher, or it is created by Fit.</exception>
    internal DistillationOptions ForScoring()
    {
        if (Teacher is null)
            throw new InvalidOperationException("Teacher is not set in the options, so there is nothing to query; set it.");
        if (!Teacher.IsReady)
        {
            throw new InvalidOperationException(
                $"The teacher ({Teacher.Name}) is created by Fit, so it cannot be queried before. " +
                "Fit first, then score with DistillationTransformer.Teacher.");
        }

        return this with
        {
            Method = DistillationMethod.Kd(),
            MissingLabels = MissingLabels.TeacherOnly,
            ExampleWeightColumnName = null,
            ValidationFraction = 0,
            ValidationColumnName = null,
            ValidationData = null,
            CompareAlone = false,
            Augmentations = [],
            TransferRows = null,
            TeacherCache = new TeacherCacheOptions { Folder = TeacherCache.CacheKey is null ? TeacherCache.Folder : null, MemoryLimit = TeacherCache.MemoryLimit },
        };
    }
}
