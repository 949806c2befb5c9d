using System.Globalization;
using System.Text.Json;
using Microsoft.ML;
using Microsoft.ML.Runtime;
using MlNetDistill.Cache;
using MlNetDistill.Core;
using MlNetDistill.Data;
using MlNetDistill.Diagnostics;
using MlNetDistill.Reading;
using MlNetDistill.Teachers;

namespace MlNetDistill.Fitting;

/// <summary>Creates the settings by which the outputs of a fit's teachers are cached.</summary>
internal static class TeacherCachingFactory
{
    public static TeacherCaching Create(
        DistillationOptions options, TrainerColumns columns, IRowSource set, DataSplit split, FitNetworks networks, MLContext context, IChannel channel, string? transferHash)
    {
        // A name for the training data does not say which rows were made up from them.
        var settings = transferHash is null ? options.TeacherCache : options.TeacherCache with { CacheKey = $"{options.TeacherCache.CacheKey}; transfer rows {transferHash}" };
        var caching = new TeacherCaching(
            new CacheStore(settings, context.TempFilePath, info => channel.Info($"{info}"), warning => channel.Warning($"{warning}"), options.CancellationToken),
            options.BatchSize)
        {
            Name = options.Teacher?.Name ?? "teacher",
        };
        return !caching.IsPersistent ? caching : caching with
        {
            Classes = Fingerprint.Compute(JsonSerializer.Serialize(columns.Classes.Names ?? [columns.Classes.Count.ToString(CultureInfo.InvariantCulture)])),
            Augmentation = options.TeacherCache.AugmentedViews == 0 ? null : DescribeViews(options, set, split, networks),
        };
    }

    /// <summary>All that augmented views depend on: the augmentations, the seed, and the order of the training rows, because views may mix rows.</summary>
    private static string DescribeViews(DistillationOptions options, IRowSource set, DataSplit split, FitNetworks networks)
    {
        var augmentations = string.Join(", ", options.Augmentations.Select(a => $"{a.GetType().Name} {JsonSerializer.Serialize(a, a.GetType())}"));
        using var training = split.Training.cpu();
        var order = $"{string.Join(',', training.data<long>().ToArray())}|{string.Join(',', set.RowIds)}";
        return string.Create(
            CultureInfo.InvariantCulture, $"{augmentations}; seed {networks.ViewSeed(FitNetworks.StudentRole)}; rows {Fingerprint.Compute(order)}");
    }
}
