namespace MlNetDistill.Diagnostics;

/// <summary>
/// A file to which whole records are appended. Each is written before the next begins, so a killed process loses none that it has written; a record that could
/// not be written completely is overwritten by the next one. Other processes may read and append at the same time.
/// </summary>
internal sealed class AppendOnlyFile : IDisposable
{
    private readonly FileStream _file;
    private long? _incompleteRecord;

    // Unbuffered, so that nothing is lost when the process is killed.
    public AppendOnlyFile(string path, FileMode mode) =>
        _file = new FileStream(path, mode, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);

    public void Append(ReadOnlySpan<byte> record)
    {
        if (_incompleteRecord is { } start && _file.Length > start)
            _file.SetLength(start);
        _incompleteRecord = _file.Position = _file.Length;
        _file.Write(record);
        _incompleteRecord = null;
    }

    public void Dispose() => _file.Dispose();
}
