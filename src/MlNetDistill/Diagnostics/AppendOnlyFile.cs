using MlNetDistill.Core;

namespace MlNetDistill.Diagnostics;

/// <summary>
/// A file to which whole records are appended. Each is written before the next begins, so a killed process loses none that it has written; a record that could
/// not be written completely is overwritten by the next one. Other processes may read and append at the same time.
/// </summary>
internal sealed class AppendOnlyFile : IDisposable
{
    private const string What = "the progress of the training";
    private const string Kept = "What the file had before is unchanged.";
    private readonly FileStream _file;
    private long? _incompleteRecord;

    /// <exception cref="IOException">The file cannot be opened for writing.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be written.</exception>
    public AppendOnlyFile(string path, FileMode mode)
    {
        try
        {
            // Unbuffered, so that nothing is lost when the process is killed.
            _file = new FileStream(path, mode, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
        }
        catch (Exception e) when (WriteFailure.IsPossible(e))
        {
            throw WriteFailure.Create(path, What, 0, Kept, e);
        }
    }

    /// <exception cref="IOException">The record cannot be written.</exception>
    public void Append(ReadOnlySpan<byte> record)
    {
        try
        {
            if (_incompleteRecord is { } start && _file.Length > start)
                _file.SetLength(start);
            _incompleteRecord = _file.Position = _file.Length;
            _file.Write(record);
            _incompleteRecord = null;
        }
        catch (Exception e) when (WriteFailure.IsPossible(e))
        {
            throw WriteFailure.Create(_file.Name, What, _incompleteRecord ?? 0, Kept, e);
        }
    }

    public void Dispose() => _file.Dispose();
}
