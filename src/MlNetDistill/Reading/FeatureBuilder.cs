using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Microsoft.ML.Data;
using MlNetDistill.Core;
using MlNetDistill.Data;
using TorchSharp;

namespace MlNetDistill.Reading;

/// <summary>
/// Collects the features of rows. Vectors of floats that arrive sparse, such as n-grams, are kept sparse as long as few of their elements are other than 0; all others,
/// and those that are small enough to be in one tensor, are dense, and in a file if they are beyond the limit. The rows are the same bit for bit.
/// </summary>
internal sealed class FeatureBuilder<T> : IDisposable
    where T : unmanaged
{
    // A stored element takes 8 bytes and a dense one 4, so that sparse rows take at most half of the memory.
    private const int DenseElementsPerStored = 4;

    // Rows in one tensor are gathered faster, and can be on a GPU.
    private const long DenseBytes = 64L << 20;
    private readonly RowLayout _layout;
    private readonly string _role;
    private readonly RowStorageOptions _storage;
    private readonly long _limit;
    private readonly TensorBuilder<T> _dense;
    private readonly bool _canBeSparse;
    private SparseMatrix? _sparse;
    private RowFileWriter? _file;

    /// <param name="layout">The rows.</param>
    /// <param name="expectedRows">Their number, if it is known; there may be fewer or more.</param>
    /// <param name="role">What messages call the data.</param>
    /// <param name="storage">Where they are kept.</param>
    public FeatureBuilder(RowLayout layout, long? expectedRows, string role, RowStorageOptions storage)
    {
        (_layout, _role, _storage, _limit) = (layout, role, storage, storage.MemoryLimit ?? RowMemory.DefaultLimit);
        // A tensor is not made for rows that will be in a file.
        var inTensor = expectedRows <= _limit / RowBytes ? expectedRows : null;
        _dense = new(ElementType, layout.Shape.Dimensions, inTensor, What);
        _canBeSparse = typeof(T) == typeof(float) && !layout.Shape.IsImage;
    }

    private static torch.ScalarType ElementType => typeof(T) == typeof(byte) ? torch.ScalarType.Byte : torch.ScalarType.Float32;

    private string What => $"The features of the {_role}";

    private long RowElements => _layout.Shape.Length;

    private long RowBytes => RowElements * Unsafe.SizeOf<T>();

    private long DenseRows => _file?.Rows ?? _dense.Rows;

    private bool FitsDense => _sparse!.Rows * RowElements * sizeof(float) <= DenseBytes;

    /// <summary>Adds a row of the layout's length.</summary>
    public void Add(in VBuffer<T> row)
    {
        if (_canBeSparse && DenseRows == 0 && _sparse is null && !row.IsDense)
            _sparse = new SparseMatrix(_layout.Shape.Length);
        if (_sparse is null)
        {
            _layout.Copy(row, NextRow());
            return;
        }

        var values = MemoryMarshal.Cast<T, float>(row.GetValues());
        if (row.IsDense)
            _sparse.Add(values);
        else
            _sparse.Add(row.GetIndices(), values);
        if (!FitsDense && _sparse.Stored * DenseElementsPerStored > _sparse.Rows * RowElements)
            MakeDense();
    }

    /// <summary>The rows, which take the tensors over. Empties the builder.</summary>
    public IRowSource ToRows(torch.Tensor labels, RowIds ids, torch.Tensor? weights)
    {
        if (_sparse is not null && FitsDense)
            MakeDense();
        return _sparse is null
            ? DenseRowsOf(labels, ids, weights)
            : new SparseRows(_sparse, labels, ids, weights);
    }

    /// <summary>The exception for an allocation that failed while rows were read.</summary>
    public InvalidOperationException CreateError(OutOfMemoryException cause)
    {
        var rows = _sparse?.Rows ?? DenseRows;
        return RowMemory.CreateError(What, rows, _sparse?.Bytes ?? (Int128)rows * RowBytes, GC.GetGCMemoryInfo().TotalAvailableMemoryBytes, cause);
    }

    public void Dispose()
    {
        _dense.Dispose();
        _file?.Dispose();
    }

    private IRowSource DenseRowsOf(torch.Tensor labels, RowIds ids, torch.Tensor? weights) => _file is null
        ? new InMemoryRows(_dense.ToTensor(), labels, ids, _layout.Shape, weights)
        : new FileRows(_file.Finish(), labels, ids, _layout.Shape, ElementType, weights);

    private Span<T> NextRow()
    {
        if (_file is null && (Int128)(_dense.Rows + 1) * RowBytes > _limit)
            MoveToFile();
        return _file is null ? _dense.NextRow() : MemoryMarshal.Cast<byte, T>(_file.NextRow());
    }

    private void MoveToFile()
    {
        _file = RowFileWriter.Create(_storage.Folder, _role.Replace(' ', '-'), (int)ElementType, RowBytes, RowStorageOptions.BlocksFor(RowBytes, _limit));
        foreach (var part in _dense.TakeParts())
        {
            for (long row = 0; row < part.shape[0]; row++)
            {
                using var values = part.narrow(0, row, 1);
                values.bytes.CopyTo(_file.NextRow());
            }
        }
    }

    private void MakeDense()
    {
        for (long row = 0; row < _sparse!.Rows; row++)
        {
            var target = MemoryMarshal.Cast<T, float>(NextRow());
            target.Clear();
            _sparse.CopyTo(row, target);
        }

        _sparse = null;
    }
}
