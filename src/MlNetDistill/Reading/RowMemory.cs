using System.Globalization;

namespace MlNetDistill.Reading;

/// <summary>What to say where rows do not fit into memory.</summary>
internal static class RowMemory
{
    /// <summary>Bytes of rows that are kept in memory where no limit is given: half of what the process does not use yet.</summary>
    public static long DefaultLimit => Math.Max(0, Available - Environment.WorkingSet) / 2;

    /// <summary>
    /// Bytes of the machine, or of its container, that may be in use. A limit of .NET's own heap is often smaller, but does not apply to the memory of tensors.
    /// </summary>
    public static long Available
    {
        get
        {
            var info = GC.GetGCMemoryInfo();
            return Math.Max(info.TotalAvailableMemoryBytes, info.HighMemoryLoadThresholdBytes);
        }
    }

    /// <summary>The exception for rows that do not fit.</summary>
    /// <param name="what">The rows.</param>
    /// <param name="count">Their number, as far as it is known.</param>
    /// <param name="bytes">Bytes that they take, as far as it is known.</param>
    /// <param name="available">Bytes that this process may use; null for <see cref="Available"/>.</param>
    /// <param name="cause">The failure of an allocation, if one failed.</param>
    public static InvalidOperationException CreateError(string what, long count, Int128 bytes, long? available = null, Exception? cause = null) => new(
        string.Create(
            CultureInfo.InvariantCulture,
            $"{what} do not fit into memory: {count:N0} rows need {bytes:N0} bytes, {bytes / Math.Max(1, count):N0} each; ") +
        string.Create(
            CultureInfo.InvariantCulture,
            $"{available ?? Available:N0} bytes are available to this process, of which {Environment.WorkingSet:N0} are in use. ") +
        "Use fewer rows (TakeRows, BootstrapSample); fewer features (fewer hash bits, SelectFeaturesBasedOnCount, ProjectToPrincipalComponents); features that are sparse " +
        "vectors if most are 0; bytes instead of floats for images; a lower RowStorage.MemoryLimit, beyond which a student's dense rows go to a file; or a machine with more memory.",
        cause);
}
