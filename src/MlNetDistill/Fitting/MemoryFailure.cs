using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.RegularExpressions;

namespace MlNetDistill.Fitting;

/// <summary>
/// Explains a fit that the system refused memory. What cannot fit into the memory of the machine, or of its container, is refused before it is allocated; other limits, as that of
/// <c>ulimit -v</c>, the memory of a GPU, and memory that other processes take meanwhile, show only when libtorch asks for it.
/// </summary>
internal static partial class MemoryFailure
{
    /// <exception cref="InvalidOperationException">The system refused memory; the message says for how many bytes, and what to lower.</exception>
    public static T Explain<T>(string student, int batchSize, Func<T> fit)
    {
        try
        {
            return fit();
        }
        catch (ExternalException e) when (Refused().Match(e.Message) is { Success: true } refused)
        {
            var bytes = long.Parse(refused.Groups[1].Value, CultureInfo.InvariantCulture);
            throw Create(FormattableString.Invariant($"The system refused {bytes:N0} bytes for a tensor"), student, batchSize, e);
        }
        catch (ExternalException e) when (RefusedByGpu().Match(e.Message) is { Success: true } refused)
        {
            throw new InvalidOperationException(
                FormattableString.Invariant($"The GPU has no {refused.Groups[1].Value} left for a tensor while {student} was trained with BatchSize {batchSize}. ") +
                "Lower BatchSize, take a smaller network, or end other programs that use the memory of the GPU.",
                e);
        }
        catch (OutOfMemoryException e)
        {
            // Of .NET itself, which does not tell the size.
            throw Create("There was not enough memory", student, batchSize, e);
        }
    }

    private static InvalidOperationException Create(string what, string student, int batchSize, Exception cause) => new(
        FormattableString.Invariant($"{what} while {student} was trained with BatchSize {batchSize}; this process has {Environment.WorkingSet:N0} bytes in memory. ") +
        "Lower BatchSize, take a smaller network, set RowStorage.MemoryLimit lower, or raise the limit of the process ('ulimit -v', or that of its container).",
        cause);

    // The texts of libtorch for Linux and macOS, and for Windows.
    [GeneratedRegex(@"(?:can't allocate memory|not enough memory): you tried to allocate (\d+) bytes")]
    private static partial Regex Refused();

    [GeneratedRegex(@"out of memory\. Tried to allocate (\d+(?:\.\d+)? (?:bytes|[KMG]iB))")]
    private static partial Regex RefusedByGpu();
}
