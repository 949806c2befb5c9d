using MlNetDistill.Cache;
using MlNetDistill.Methods;

namespace MlNetDistill;

public sealed partial record DistillationOptions
{
    /// <summary>
    /// The same without whatever is about learning: every row counts, labels may be missing, rows are as they are, and answers are kept in full. What names
    /// the training data does not name other rows, so their answers are then kept in memory.
    /// </summary>
    /// <exception cref="InvalidOperationException">There is no teacher to ask, or not yet.</exception>
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
            Augmentations = [],
            TeacherCache = new TeacherCacheOptions { Folder = TeacherCache.CacheKey is null ? TeacherCache.Folder : null, MemoryLimit = TeacherCache.MemoryLimit },
        };
    }
}
