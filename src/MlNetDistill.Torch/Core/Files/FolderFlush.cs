using System.Runtime.InteropServices;

namespace MlNetDistill.Core;

/// <summary>
/// Flushes a folder to the disk, after a file in it was renamed. Without it, a machine that fails soon after may have the old file under the name, or none. .NET opens no
/// folders. Windows has no such call, and NTFS keeps a journal of names.
/// </summary>
internal static partial class FolderFlush
{
    private const int InputOutputError = 5;

    /// <exception cref="IOException">The disk reported an error.</exception>
    public static void Flush(string folder)
    {
        if (OperatingSystem.IsWindows())
            return;
        // 0: read only. A folder that may be written but not read cannot be opened; the file in it is complete all the same.
        var handle = Open(folder, 0);
        if (handle < 0)
            return;
        try
        {
            // Other errors: the file system (of some network drives) does not flush folders.
            if (Sync(handle) != 0 && Marshal.GetLastPInvokeError() == InputOutputError)
                throw new IOException($"The folder '{folder}' cannot be flushed to the disk.", InputOutputError);
        }
        finally
        {
            _ = Close(handle);
        }
    }

    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int Sync(int handle);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int handle);
}
