using System.IO.Hashing;
using MlNetDistill.Core;
using static System.FormattableString;

namespace MlNetDistill.Data;

/// <summary>
/// Writes rows to a file, block by block. A block that is in the file already, left by an earlier training, is not written again. A file without a folder of its own has
/// no name while it is used, or is deleted by the system when it is closed, so that a process that is killed leaves nothing.
/// </summary>
internal sealed class RowFileWriter : IDisposable
{
    private const string Extension = ".rows";
    private const int MostNames = 1000;
    private readonly FileStream _file;
    private readonly RowFileLayout _layout;
    private readonly bool _isKept;
    private readonly bool _isNew;
    private readonly ulong[] _known;
    private readonly List<ulong> _hashes = [];
    private readonly byte[] _block;
    private byte[]? _found;
    private int _used;
    private bool _isFinished;

    /// <param name="file">The file, which this object closes unless the rows are finished.</param>
    /// <param name="layout">What is in it.</param>
    /// <param name="isKept">Whether a later training reads it.</param>
    internal RowFileWriter(FileStream file, RowFileLayout layout, bool isKept)
    {
        (_file, _layout, _isKept) = (file, layout, isKept);
        _block = new byte[layout.BlockBytes];
        _isNew = file.Length == 0;
        _known = isKept ? layout.ReadHashes(file) : [];
        if (isKept)
            Write(() => layout.WriteUnfinished(file));
    }

    /// <summary>Rows so far.</summary>
    public long Rows { get; private set; }

    /// <summary>Blocks that were written; the others were in the file.</summary>
    public long BlocksWritten { get; private set; }

    /// <summary>Creates a file.</summary>
    /// <param name="folder">The folder of the file that is kept; null for a temporary file.</param>
    /// <param name="name">Name of a file that is kept, without its extension.</param>
    /// <param name="elementType">Code of the type of an element.</param>
    /// <param name="rowBytes">Bytes of a row.</param>
    /// <param name="blocks">How the rows are divided.</param>
    /// <exception cref="InvalidOperationException">There is no place for the file, or it is not one of this library.</exception>
    public static RowFileWriter Create(string? folder, string name, int elementType, long rowBytes, RowBlocks blocks)
    {
        var file = folder is null ? OpenTemporaryOrThrow() : OpenKept(folder, name);
        try
        {
            return new RowFileWriter(file, new RowFileLayout(elementType, rowBytes, blocks, 0), folder is not null);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Memory for the next row, to be filled before the next call.</summary>
    public Span<byte> NextRow()
    {
        if (_used == _block.Length)
            EndBlock();
        Rows++;
        _used += (int)_layout.RowBytes;
        return _block.AsSpan(_used - (int)_layout.RowBytes, (int)_layout.RowBytes);
    }

    /// <summary>Ends the file, which then belongs to the result.</summary>
    public RowFile Finish()
    {
        if (_used > 0)
            EndBlock();
        var layout = _layout with { Rows = Rows };
        if (_isKept)
            Write(() => layout.WriteFinished(_file, [.. _hashes]));
        _isFinished = true;
        return new RowFile(_file, layout, _hashes);
    }

    public void Dispose()
    {
        if (!_isFinished)
            _file.Dispose();
    }

    private void EndBlock()
    {
        var bytes = _block.AsMemory(0, _used);
        var (number, hash) = (_hashes.Count, XxHash3.HashToUInt64(bytes.Span));
        _hashes.Add(hash);
        _used = 0;
        var start = _layout.Start(number * _layout.Blocks.Rows);
        if (number < _known.Length && _known[number] == hash && IsInFile(bytes.Span, start))
            return;
        Write(() => RandomAccess.Write(_file.SafeFileHandle, bytes.Span, start));
        BlocksWritten++;
    }

    /// <summary>Whether the file has these bytes: it may have been damaged since its hashes were written, and rows that are read one by one are not compared with a hash.</summary>
    private bool IsInFile(ReadOnlySpan<byte> bytes, long start)
    {
        _found ??= new byte[_block.Length];
        var found = _found.AsSpan(0, bytes.Length);
        return RandomAccess.Read(_file.SafeFileHandle, found, start) == found.Length && found.SequenceEqual(bytes);
    }

    private void Write(Action write)
    {
        try
        {
            write();
        }
        catch (Exception e) when (WriteFailure.IsPossible(e))
        {
            var size = Rows * _layout.RowBytes;
            Discard();
            throw new InvalidOperationException(
                Invariant($"The file of training rows '{_file.Name}' cannot be written: {e.Message} After {Rows:N0} rows it has {size:N0} bytes. ") +
                $"{WriteFailure.Advice(Path.GetDirectoryName(_file.Name)!, e)} Set RowStorage.Folder to a folder on a larger disk, or use fewer rows.",
                e);
        }
    }

    /// <summary>Gives the disk back what was written in vain. A file of an earlier training stays: its blocks may be of use again.</summary>
    private void Discard()
    {
        if (!_isKept || !_isNew)
            return;
        // Windows deletes no open file. Elsewhere it is deleted before its lock is released: another training may be waiting for the name.
        if (OperatingSystem.IsWindows())
            _file.Dispose();
        try
        {
            File.Delete(_file.Name);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The folder may be gone. The failure to write is what the caller must hear.
        }
    }

    private static FileStream OpenTemporaryOrThrow()
    {
        try
        {
            return OpenTemporary();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InvalidOperationException(
                $"No file of training rows can be written to the temporary folder '{Path.GetTempPath()}': {e.Message} Set RowStorage.Folder to a folder that this process may write to.", e);
        }
    }

    private static FileStream OpenTemporary()
    {
        var path = Path.Combine(Path.GetTempPath(), $"MlNetDistill-{Guid.NewGuid():N}{Extension}");
        var options = new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.ReadWrite,
            Share = FileShare.Delete,
            BufferSize = 0,
            Options = FileOptions.DeleteOnClose,
        };
        if (OperatingSystem.IsWindows())
            return new FileStream(path, options);
        options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        var file = new FileStream(path, options);
        // Windows deletes the file when the process ends. Here its name is deleted now, and the file when its handle is closed.
        File.Delete(path);
        return file;
    }

    /// <summary>Opens the file, or one with a number if another training has it open.</summary>
    private static FileStream OpenKept(string folder, string name)
    {
        var full = Path.GetFullPath(folder);
        try
        {
            Directory.CreateDirectory(full);
            for (var number = 1; ; number++)
            {
                var path = Path.Combine(full, Invariant($"{name}{(number == 1 ? "" : Invariant($"-{number}"))}{Extension}"));
                try
                {
                    return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 0);
                }
                catch (IOException e) when (PartialFile.IsInUse(e) && number < MostNames)
                {
                    continue;
                }
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InvalidOperationException($"No file of training rows can be written to RowStorage.Folder '{full}': {e.Message} Set it to a folder that this process may write to.", e);
        }
    }
}
