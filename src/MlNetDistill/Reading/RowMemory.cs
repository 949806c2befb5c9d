using System.Globalization;
using MlNetDistill.Networks;

namespace MlNetDistill.Reading;

/// <summary>What to say where rows do not fit into memory.</summary>
internal static class RowMemory
{
    /// <summary>The exception for rows that do not fit.</summary>
    /// <param name="what">The rows.</param>
    /// <param name="count">Their number, as far as it is known.</param>
    /// <param name="bytes">Bytes that they take, as far as it is known.</param>
    /// <param name="available">Bytes that this process may use; null for the machine's memory or the limit of its container.</param>
    /// <param name="cause">The failure of an allocation, if one failed.</param>
    public static InvalidOperationException CreateError(string what, long count, Int128 bytes, long? available = null, Exception? cause = null) => new(
        string.Create(
            CultureInfo.InvariantCulture,
            $"{what} do not fit into memory: {count:N0} rows need {bytes:N0} bytes, {bytes / Math.Max(1, count):N0} each; ") +
        string.Create(
            CultureInfo.InvariantCulture,
            $"{available ?? WeightMemory.Available:N0} bytes are available to this process, of which {Environment.WorkingSet:N0} are in use. ") +
        "Use fewer rows (TakeRows, BootstrapSample); fewer features (fewer hash bits, SelectFeaturesBasedOnCount, ProjectToPrincipalComponents); features that are sparse " +
        "vectors if most are 0; bytes instead of floats for images; or a machine with more memory.",
        cause);
}
