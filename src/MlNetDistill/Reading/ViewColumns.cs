using Microsoft.ML;
using MlNetDistill.Core;

namespace MlNetDistill.Reading;

/// <summary>A step before the reader failed; its exception is the inner one. Errors that the reader finds itself are other exceptions.</summary>
internal sealed class ViewReadException(ViewColumns source, Exception inner) : Exception(inner.Message, inner)
{
    /// <summary>What was read.</summary>
    public ViewColumns Rows => source;
}

/// <summary>Columns of a view that are read row by row. If an earlier step fails, a <see cref="ViewReadException"/> is thrown.</summary>
/// <param name="Data">The view.</param>
/// <param name="Columns">The columns.</param>
/// <param name="Fault">The error for a row that cannot be read, given its number: a sentence without its full stop.</param>
internal sealed record ViewColumns(IDataView Data, IReadOnlyList<DataViewSchema.Column> Columns, Func<long, string> Fault)
{
    /// <summary>What to do about a row whose values cannot be computed, a sentence.</summary>
    public string Remedy { get; init; } = "Correct or leave out what the row is made from.";

    /// <summary>What to do about a model that is disposed too early.</summary>
    public const string KeepTheModel =
        "A disposed model fails so: keep it until this is over. PredictionEngine.Dispose disposes a loaded model, unless PredictionEngineOptions.OwnsTransformer is false.";

    /// <summary>What to do if the model that computes the values seems to be disposed, a sentence; null without a model.</summary>
    public string? RemedyIfDisposed { get; init; }

    /// <summary>The remedy for a failure. A disposed ML.NET model fails with one of these two exceptions, but a step of the application's own may do so too.</summary>
    public string RemedyFor(Exception failure) =>
        failure is ObjectDisposedException or NullReferenceException && RemedyIfDisposed is { } remedy ? $"{Remedy} {remedy}" : Remedy;

    /// <summary>Rows that are read; null for all.</summary>
    public RowIdIndex? Wanted { get; init; }

    /// <summary>Opens a cursor that may read ahead on several threads; the first exception ends it.</summary>
    public DataViewRowCursor Open() => Wrap(() => Data.GetRowCursor(Columns));

    /// <summary>Opens a cursor on the caller's thread, which computes only requested values and can continue after a row that fails.</summary>
    /// <param name="also">Other columns to read.</param>
    public DataViewRowCursor OpenOnOneThread(IEnumerable<DataViewSchema.Column>? also = null) =>
        Wrap(() => Data.GetRowCursorSet([.. Columns, .. also ?? []], 1, null)[0]);

    // ML.NET's threads may reach the failing row while the cursor is being created.
    private Cursor Wrap(Func<DataViewRowCursor> open)
    {
        try
        {
            return new Cursor(this, open());
        }
        catch (Exception e) when (IsSourceFailure(e))
        {
            throw new ViewReadException(this, e);
        }
    }

    private static bool IsSourceFailure(Exception e) => e is not OperationCanceledException and not ViewReadException && ChangedRowsException.FindIn(e) is null;

    private sealed class Cursor(ViewColumns source, DataViewRowCursor input) : CursorOver(input)
    {
        public override bool MoveNext()
        {
            try
            {
                return base.MoveNext();
            }
            catch (Exception e) when (IsSourceFailure(e))
            {
                throw new ViewReadException(source, e);
            }
        }

        public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column)
        {
            var get = base.GetGetter<TValue>(column);
            return (ref TValue value) =>
            {
                try
                {
                    get(ref value);
                }
                catch (Exception e) when (IsSourceFailure(e))
                {
                    throw new ViewReadException(source, e);
                }
            };
        }

        protected override void Dispose(bool disposing)
        {
            try
            {
                base.Dispose(disposing);
            }
            catch (Exception e) when (IsSourceFailure(e))
            {
                // An exception of the read-ahead thread, which MoveNext has thrown before or the reader did not reach. It must not hide the reader's own exception.
            }
        }
    }
}
