using System.IO.MemoryMappedFiles;

namespace MlNetDistill.Cache;

/// <summary>
/// A file mapped into memory for reading; processes that map the same file share its pages. Another file may take its name meanwhile. The file must not be
/// truncated in place: that would end every process that reads beyond the new end.
/// </summary>
internal sealed unsafe class MappedFile : IDisposable
{
    private readonly MemoryMappedFile _map;
    private readonly MemoryMappedViewAccessor _view;
    private readonly long _length;
    private byte* _start;

    /// <summary>Takes ownership of <paramref name="file"/>, which is not empty.</summary>
    public MappedFile(FileStream file)
    {
        _length = file.Length;
        _map = MemoryMappedFile.CreateFromFile(file, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: false);
        _view = _map.CreateViewAccessor(0, 0, MemoryMappedFileAccess.Read);
        _view.SafeMemoryMappedViewHandle.AcquirePointer(ref _start);
        _start += _view.PointerOffset;
    }

    /// <summary>Some bytes of the file, valid until this object is disposed.</summary>
    public ReadOnlySpan<byte> Read(long offset, int length)
    {
        ObjectDisposedException.ThrowIf(_start is null, this);
        if (offset < 0 || length < 0 || offset > _length - length)
            throw new ArgumentOutOfRangeException(nameof(offset), $"{length} bytes at {offset} are beyond the end of the file at {_length}.");
        return new(_start + offset, length);
    }

    public void Dispose()
    {
        if (_start is not null)
            _view.SafeMemoryMappedViewHandle.ReleasePointer();
        _start = null;
        _view.Dispose();
        _map.Dispose();
    }
}
