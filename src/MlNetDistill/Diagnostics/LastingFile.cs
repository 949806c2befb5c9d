namespace MlNetDistill.Diagnostics;

/// <summary>
/// A file that grows by whole pieces. Each is with the system before the next begins, so a process that is killed leaves what it has written; a piece that
/// could not be written whole makes way for the next. Others may read meanwhile, and what others have added stays.
/// </summary>
internal sealed class LastingFile : IDisposable
{
    private readonly FileStream _file;
    private long? _broken;

    // No buffer: there is nothing that could be lost.
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
