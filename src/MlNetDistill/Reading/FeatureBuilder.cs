using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Microsoft.ML.Data;
using MlNetDistill.Core;
using MlNetDistill.Data;
using TorchSharp;

namespace MlNetDistill.Reading;

/// <summary>
/// Collects the features of rows. Vectors of floats that arrive sparse, such as n-grams, are kept sparse as long as few of their elements are other than 0; all others,
/// and those that are small enough to be in one tensor, are dense. The rows are the same bit for bit.
/// </summary>
internal sealed class FeatureBuilder<T> : IDisposable
    where T : unmanaged
{
    // A stored element takes 8 bytes and a dense one 4, so that sparse rows take at most half of the memory.
    private const int DenseElementsPerStored = 4;

    // Rows in one tensor are gathered faster, and can be on a GPU.
    private const long DenseBytes = 64L << 20;
    private readonly RowLayout _layout;
    private readonly string _what;
    private readonly TensorBuilder<T> _dense;
    private readonly bool _canBeSparse;
    private SparseMatrix? _sparse;

    /// <param name="layout">The rows.</param>
    /// <param name="expectedRows">Their number, if it is known; there may be fewer or more.</param>
    /// <param name="role">What messages call the data.</param>
    public FeatureBuilder(RowLayout layout, long? expectedRows, string role)
    {
        (_layout, _what) = (layout, $"The features of the {role}");
        _dense = new(typeof(T) == typeof(byte) ? torch.ScalarType.Byte : torch.ScalarType.Float32, layout.Shape.Dimensions, expectedRows, _what);
        _canBeSparse = typeof(T) == typeof(float) && !layout.Shape.IsImage;
    }

    private long RowElements => _layout.Shape.Length;

    private bool FitsDense => _sparse!.Rows * RowElements * sizeof(float) <= DenseBytes;

    /// <summary>Adds a row of the layout's length.</summary>
    public void Add(in VBuffer<T> row)
    {
        if (_canBeSparse && _dense.Rows == 0 && _sparse is null && !row.IsDense)
            _sparse = new SparseMatrix(_layout.Shape.Length);
        if (_sparse is null)
        {
            _layout.Copy(row, _dense.NextRow());
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
            ? new InMemoryRows(_dense.ToTensor(), labels, ids, _layout.Shape, weights)
            : new SparseRows(_sparse, labels, ids, weights);
    }

    /// <summary>The exception for an allocation that failed while rows were read.</summary>
    public InvalidOperationException CreateError(OutOfMemoryException cause)
    {
        var rows = _sparse?.Rows ?? _dense.Rows;
        return RowMemory.CreateError(_what, rows, _sparse?.Bytes ?? (Int128)rows * RowElements * Unsafe.SizeOf<T>(), GC.GetGCMemoryInfo().TotalAvailableMemoryBytes, cause);
    }

    public void Dispose() => _dense.Dispose();

    private void MakeDense()
    {
        for (long row = 0; row < _sparse!.Rows; row++)
        {
            var target = MemoryMarshal.Cast<T, float>(_dense.NextRow());
            target.Clear();
            _sparse.CopyTo(row, target);
        }

        _sparse = null;
    }
}
