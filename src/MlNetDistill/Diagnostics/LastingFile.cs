namespace MlNetDistill.Diagnostics;

/// <summary>
/// An append-only file of whole records. Each one is flushed before the next begins, so a killed process leaves all it has written; a record that
/// could not be written completely is replaced by the next one. Other processes may read and append at the same time.
/// </summary>
internal sealed class LastingFile : IDisposable
{
    private readonly FileStream _file;
    private long? _broken;

    // Unbuffered, so that nothing is lost when the process is killed.
    public LastingFile(string path, FileMode mode) =>
        _file = new FileStream(path, mode, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);

    public void Append(ReadOnlySpan<byte> piece)
    {
        if (_broken is { } from && _file.Length > from)
            _file.SetLength(from);
        _broken = _file.Position = _file.Length;
        _file.Write(piece);
        _broken = null;
    }

    public void Dispose() => _file.Dispose();
}
