using System.Security;
using static System.FormattableString;

namespace MlNetDistill.Core;

/// <summary>Errors of files and folders that cannot be written: which it is, what was to be in it, how far it came, and what to do.</summary>
internal static class WriteFailure
{
    // Codes of the system, which .NET keeps in HResult where it has no exception of its own; the same for Linux and macOS, except those with two.
    private const int NoSuchFile = 2;
    private const int FileTooLarge = 27;
    private const int NoSpace = 28;
    private const int ReadOnly = 30;

    private static readonly int[] QuotaExceeded = [122, 69];

    // ERROR_DISK_FULL and ERROR_HANDLE_DISK_FULL.
    private static readonly int[] NoSpaceOnWindows = [unchecked((int)0x80070070), unchecked((int)0x80070027)];

    /// <summary>Whether an exception can be of the system, about a file. (.NET has <see cref="ArgumentOutOfRangeException"/> for a file that is too large.)</summary>
    public static bool IsPossible(Exception e) => e is IOException or UnauthorizedAccessException or SecurityException or ArgumentOutOfRangeException { ParamName: "value" };

    /// <summary>The error of a file that was not completed; of the type of its cause.</summary>
    /// <param name="path">The file.</param>
    /// <param name="what">What it holds, for example <c>the report</c>.</param>
    /// <param name="written">Bytes that were written.</param>
    /// <param name="kept">What became of an earlier file, or of the part that was written; a sentence.</param>
    /// <param name="cause">Why.</param>
    public static Exception Create(string path, string what, long written, string kept, Exception cause)
    {
        var folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        return OfSameType(Invariant($"'{path}' cannot be written: {Reason(cause)} {written:N0} bytes of {what} had been written. {kept} {Advice(folder, cause)}"), cause);
    }

    /// <summary>
    /// The system's exception about a file in a folder, or null if it is of something else. (ML.NET writes temporary files too, and its errors may have the system's as their cause; errors of
    /// other folders have messages of their own.)
    /// </summary>
    public static Exception? FindIn(string folder, Exception e)
    {
        Exception? found = null;
        for (var cause = e; cause is not null; cause = cause.InnerException)
        {
            // The innermost: those around it quote it.
            if (IsPossible(cause) && cause.Message.Contains(folder, StringComparison.Ordinal))
                found = cause;
        }

        return found;
    }

    /// <summary>The error of a temporary folder in which files could not be written; of the type of its cause.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="what">What was to be written there, for example <c>the model</c>.</param>
    /// <param name="cause">Why.</param>
    public static Exception CreateTemporary(string folder, string what, Exception cause) => OfSameType(
        $"The temporary folder '{folder}' cannot hold {what}: {Reason(cause)} {Advice(folder, cause)} MLContext.TempFilePath says which folder that is.", cause);

    /// <summary>Creates a folder, if it does not exist.</summary>
    /// <param name="path">The folder.</param>
    /// <param name="what">What is to be written there, for example <c>the report</c>.</param>
    /// <returns>Its full path.</returns>
    public static string CreateFolder(string path, string what)
    {
        try
        {
            return Directory.CreateDirectory(path).FullName;
        }
        catch (Exception e) when (IsPossible(e))
        {
            throw OfSameType($"The folder '{path}' for {what} cannot be created: {Reason(e)} {Advice(Path.GetFullPath(path), e)}", e);
        }
    }

    /// <summary>What to do about it; a sentence or two.</summary>
    public static string Advice(string folder, Exception cause) => cause switch
    {
        _ when IsVanished(cause) => $"The folder '{folder}' has vanished: create it again, or choose another.",
        _ when IsFull(cause) => $"{FreeSpace(folder)} Free some, or choose a folder on another disk.",
        _ when cause.HResult == ReadOnly || cause is UnauthorizedAccessException or SecurityException => "Choose a folder that this process may write to.",
        _ when IsTooLarge(cause) => "The file system or a limit of this process ('ulimit -f') allows no larger file: raise the limit, or choose another folder.",
        _ => $"{FreeSpace(folder)} Check that disk, or choose another folder.",
    };

    /// <summary>The bytes that are free where a folder is; a sentence.</summary>
    public static string FreeSpace(string folder)
    {
        try
        {
            return Invariant($"{new DriveInfo(folder).AvailableFreeSpace:N0} bytes are free in '{folder}'.");
        }
        catch (Exception e) when (e is ArgumentException or IOException or UnauthorizedAccessException)
        {
            // A folder of another machine, or a drive that is gone; the failure to write is what matters.
            return $"The free space of '{folder}' is unknown.";
        }
    }

    private static bool IsVanished(Exception e) => e is DirectoryNotFoundException or FileNotFoundException || e.HResult == NoSuchFile;

    private static bool IsFull(Exception e) => e.HResult == NoSpace || QuotaExceeded.Contains(e.HResult) || NoSpaceOnWindows.Contains(e.HResult);

    private static bool IsTooLarge(Exception e) => e is ArgumentOutOfRangeException || e.HResult == FileTooLarge;

    // .NET's text for a file that is too large is about an argument of its own.
    private static string Reason(Exception cause) => cause is ArgumentOutOfRangeException ? "the file would be too large." : cause.Message.TrimEnd('.') + ".";

    private static Exception OfSameType(string message, Exception cause) => cause switch
    {
        UnauthorizedAccessException or SecurityException => new UnauthorizedAccessException(message, cause),
        DirectoryNotFoundException => new DirectoryNotFoundException(message, cause),
        _ => new IOException(message, cause) { HResult = cause.HResult },
    };
}
