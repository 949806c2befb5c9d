using System.IO.MemoryMappedFiles;

namespace MlNetDistill.Cache;

/// <summary>
/// A file as memory, for reading. Whoever maps it shares its pages with all others that do. It may be replaced meanwhile, as a new file takes the name; it must
/// not be cut short in place, which ends any process that reads behind the cut.
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

    /// <summary>Some bytes of the file, to be read before it is disposed of.</summary>
    public ReadOnlySpan<byte> At(long offset, int length)
    {
        ObjectDisposedException.ThrowIf(_start is null, this);
        if (offset < 0 || length < 0 || offset > _length - length)
            throw new ArgumentOutOfRangeException(nameof(offset), $"{length} bytes at {offset} are beyond the {_length} of the file.");
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
