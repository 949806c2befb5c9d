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
    private readonly StudentColumns _columns;
    private readonly ActiveColumns _active;
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
    /// <param name="columns">The student's columns.</param>
    /// <param name="active">What this cursor gives.</param>
    public StudentCursor(DataViewRowCursor input, StudentColumns columns, ActiveColumns active)
    {
        (_input, _columns, _active, _network) = (input, columns, active, columns.Network);
        var rows = _network.BatchSize;
        _buffers = [.. input.Schema.Select(column => active.IsActive(column.Index) ? ColumnBuffer.Create(input, column, rows) : null)];
        _read = [.. _buffers.OfType<ColumnBuffer>()];
        _getId = input.GetIdGetter();
        (_ids, _batchNumbers) = (new DataViewRowId[rows], new long[rows]);
        _batch = _network.Rent();
        try
        {
            _features = columns.CreateReader(input, _batch, _buffers[columns.Features]);
        }
        catch
        {
            _network.Return(_batch);
            throw;
        }
    }

    public override long Position => _position;

    public override long Batch => _current.Index < 0 ? _input.Batch : _batchNumbers[_current.Index];

    public override DataViewSchema Schema => _active.Schema;

    public override bool IsColumnActive(DataViewSchema.Column column) => _active.IsActive(column);

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
        _active.Require(column);
        return ActiveColumns.Cast<TValue>(
            _buffers.ElementAtOrDefault(column.Index)?.CreateGetter(_current) ?? _columns.CreateGetter(column, _batch, () => _current.Required), column);
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
            Compute(count);
        else
            _position = -1;
        _count = count;
        return count > 0;
    }

    private void Compute(int count)
    {
        try
        {
            _batch.Compute(count);
        }
        catch (Exception e)
        {
            // The rows of the batch have no scores; a reader that goes on must not get the next ones as if nothing had happened.
            _fault = ExceptionDispatchInfo.Capture(e);
            throw;
        }
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
