using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Computing;

namespace MlNetDistill.Views;

/// <summary>A row whose scores are computed when they are read, once for each position of the row that it is made from. It disposes that row.</summary>
internal sealed class StudentRow : DataViewRow
{
    private readonly DataViewRow _input;
    private readonly StudentColumns _columns;
    private readonly ActiveColumns _active;
    private readonly Batch? _batch;
    private readonly FeatureReader? _features;
    private long? _computed;
    private bool _isDisposed;

    /// <param name="input">The row with the features.</param>
    /// <param name="columns">The student's columns.</param>
    /// <param name="active">What this row gives.</param>
    public StudentRow(DataViewRow input, StudentColumns columns, ActiveColumns active)
    {
        (_input, _columns, _active) = (input, columns, active);
        if (!active.HasAdded)
            return;
        _batch = columns.Network.RentRow();
        _features = columns.CreateReader(input, _batch, null);
    }

    public override long Position => _input.Position;

    public override long Batch => _input.Batch;

    public override DataViewSchema Schema => _active.Schema;

    public override bool IsColumnActive(DataViewSchema.Column column) => _active.IsActive(column);

    public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column)
    {
        _active.Require(column);
        return column.Index < _active.SourceCount
            ? _input.GetGetter<TValue>(_input.Schema[column.Index])
            : ActiveColumns.Cast<TValue>(_columns.CreateGetter(column, _batch!, Compute), column);
    }

    public override ValueGetter<DataViewRowId> GetIdGetter() => _input.GetIdGetter();

    protected override void Dispose(bool disposing)
    {
        if (disposing && !_isDisposed)
        {
            _isDisposed = true;
            _input.Dispose();
            if (_batch is not null)
                _columns.Network.Return(_batch);
        }

        base.Dispose(disposing);
    }

    private int Compute()
    {
        if (_computed != _input.Position)
        {
            _features!.Read(0, _input.Position);
            _batch!.Compute(1);
            _computed = _input.Position;
        }

        return 0;
    }
}
