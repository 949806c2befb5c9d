using System.Runtime.ExceptionServices;
using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Computing;

namespace MlNetDistill.Views;

/// <summary>
/// A cursor that reads a batch of rows ahead, scores it at once, and then gives its rows one by one, each with the values that all columns had for it. If a row cannot be
/// read, the rows before it are given first.
/// </summary>
internal sealed class StudentCursor : DataViewRowCursor
{
    private readonly DataViewRowCursor _input;
    private readonly ActiveColumns _columns;
    private readonly IReadOnlyList<StudentColumn> _added;
    private readonly StudentNetwork _network;
    private readonly Batch _batch;
    private readonly FeatureReader _features;
    private readonly ColumnBuffer?[] _buffers;
    private readonly ColumnBuffer[] _read;
    private readonly ValueGetter<DataViewRowId> _getId;
    private readonly DataViewRowId[] _ids;
    private readonly long[] _batchNumbers;
    private readonly CurrentRow _current = new();
    private ExceptionDispatchInfo? _fault;
    private long _position = -1;
    private int _count;
    private bool _isAtEnd;
    private bool _isDisposed;

    /// <param name="input">The cursor over the rows, which this one disposes.</param>
    /// <param name="columns">What this cursor gives.</param>
    /// <param name="features">Index of the features in the input.</param>
    /// <param name="added">The columns after those of the input.</param>
    /// <param name="network">Scores the rows.</param>
    public StudentCursor(DataViewRowCursor input, ActiveColumns columns, int features, IReadOnlyList<StudentColumn> added, StudentNetwork network)
    {
        (_input, _columns, _added, _network) = (input, columns, added, network);
        var rows = network.BatchSize;
        _buffers = [.. input.Schema.Select(column => columns.IsActive(column.Index) ? ColumnBuffer.Create(input, column, rows) : null)];
        _read = [.. _buffers.OfType<ColumnBuffer>()];
        _getId = input.GetIdGetter();
        (_ids, _batchNumbers) = (new DataViewRowId[rows], new long[rows]);
        _batch = network.Rent();
        try
        {
            _features = _batch is Batch<byte> bytes ? ReaderOf(bytes) : ReaderOf((Batch<float>)_batch);
        }
        catch
        {
            network.Return(_batch);
            throw;
        }

        FeatureReader<T> ReaderOf<T>(Batch<T> batch)
            where T : unmanaged => new(input, input.Schema[features], batch, (VectorBuffer<T>?)_buffers[features]);
    }

    public override long Position => _position;

    public override long Batch => _current.Index < 0 ? _input.Batch : _batchNumbers[_current.Index];

    public override DataViewSchema Schema => _columns.Schema;

    public override bool IsColumnActive(DataViewSchema.Column column) => _columns.IsActive(column);

    public override bool MoveNext()
    {
        if (_current.Index + 1 >= _count && !TryReadBatch())
            return false;
        _current.Index++;
        _position++;
        return true;
    }

    public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column)
    {
        _columns.Require(column);
        return ActiveColumns.Cast<TValue>(_buffers.ElementAtOrDefault(column.Index)?.CreateGetter(_current) ?? AddedGetter(column.Index - _columns.SourceCount), column);
    }

    public override ValueGetter<DataViewRowId> GetIdGetter() => (ref DataViewRowId id) => id = _ids[_current.Required];

    protected override void Dispose(bool disposing)
    {
        if (disposing && !_isDisposed)
        {
            (_isDisposed, _isAtEnd, _count, _position, _current.Index) = (true, true, 0, -1, -1);
            _input.Dispose();
            _network.Return(_batch);
        }

        base.Dispose(disposing);
    }

    private Delegate AddedGetter(int index) => _added[index] switch
    {
        StudentColumn.PredictedLabel => (ValueGetter<uint>)((ref uint key) => key = KeyOf(RowOf(_batch.Scores, _network.ScoreLength))),
        StudentColumn.Embedding => VectorGetter(_batch.Embeddings, _network.EmbeddingLength),
        _ => VectorGetter(_batch.Scores, _network.ScoreLength),
    };

    private ValueGetter<VBuffer<float>> VectorGetter(float[] values, int length) => (ref VBuffer<float> value) =>
    {
        var editor = VBufferEditor.Create(ref value, length);
        RowOf(values, length).CopyTo(editor.Values);
        value = editor.Commit();
    };

    private ReadOnlySpan<float> RowOf(float[] values, int length) => values.AsSpan(_current.Required * length, length);

    /// <summary>The first of the largest scores, from 1; 0, the missing key, where there is none but NaN.</summary>
    private static uint KeyOf(ReadOnlySpan<float> scores)
    {
        uint key = 0;
        var largest = float.NegativeInfinity;
        for (var i = scores.Length - 1; i >= 0; i--)
        {
            if (scores[i] >= largest)
                (key, largest) = ((uint)i + 1, scores[i]);
        }

        return key;
    }

    private bool TryReadBatch()
    {
        (_current.Index, _count) = (-1, 0);
        _fault?.Throw();
        var count = 0;
        try
        {
            while (count < _network.BatchSize && TryReadRow(count))
                count++;
        }
        catch (Exception e)
        {
            _fault = ExceptionDispatchInfo.Capture(e);
            if (count == 0)
                throw;
        }

        if (count > 0)
            _batch.Compute(count);
        else
            _position = -1;
        _count = count;
        return count > 0;
    }

    private bool TryReadRow(int row)
    {
        // The end is remembered: not every cursor may be asked again.
        _isAtEnd = _isAtEnd || !_input.MoveNext();
        if (_isAtEnd)
            return false;
        foreach (var buffer in _read)
            buffer.Read(row);
        _features.Read(row, _position + 1 + row);
        _getId(ref _ids[row]);
        _batchNumbers[row] = _input.Batch;
        return true;
    }
}
