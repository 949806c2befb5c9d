namespace MlNetDistill.Sinks;

/// <summary>
/// A file that grows by whole pieces. Each is with the system before the next begins, so a process that is killed leaves what it has written; a piece that
/// could not be written whole is written over by the next. Others may read meanwhile.
/// </summary>
internal sealed class LastingFile : IDisposable
{
    private readonly FileStream _file;
    private long _length;

    public LastingFile(string path, FileMode mode)
    {
        // No buffer: there is nothing that could be lost.
        _file = new FileStream(path, mode, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
        _length = _file.Length;
    }

    public void Append(ReadOnlySpan<byte> piece)
    {
        if (_file.Length > _length)
            _file.SetLength(_length);
        _file.Position = _length;
        _file.Write(piece);
        _length += piece.Length;
    }

    public void Dispose() => _file.Dispose();
}
