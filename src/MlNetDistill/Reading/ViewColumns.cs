using Microsoft.ML;
using MlNetDistill.Core;

namespace MlNetDistill.Reading;

/// <summary>What a step before the reader threw, apart from what the reader itself finds fault with; it is the inner exception.</summary>
internal sealed class ViewReadException(ViewColumns source, Exception inner) : Exception(inner.Message, inner)
{
    /// <summary>What was read.</summary>
    public ViewColumns Rows => source;
}

/// <summary>Columns of a view that are read row by row; where a step before fails, its exception comes as a <see cref="ViewReadException"/>.</summary>
/// <param name="Data">The view.</param>
/// <param name="Columns">The columns.</param>
/// <param name="Fault">What messages say of a row, by its number, that cannot be read: a sentence without its end.</param>
internal sealed record ViewColumns(IDataView Data, IReadOnlyList<DataViewSchema.Column> Columns, Func<long, string> Fault)
{
    /// <summary>What to do about a row whose values cannot be computed, a sentence.</summary>
    public string Remedy { get; init; } = "Correct or leave out what the row is made from.";

    /// <summary>What to do about a model that is disposed too early.</summary>
    public const string KeepTheModel =
        "A disposed model fails so: keep it until this is over. PredictionEngine.Dispose disposes a loaded model, unless PredictionEngineOptions.OwnsTransformer is false.";

    /// <summary>What to do where a model that computes the values seems to be disposed, a sentence; null where there is none.</summary>
    public string? RemedyIfDisposed { get; init; }

    /// <summary>What a disposed model of ML.NET fails with is one of these, and which of them is chance; a step of one's own may stumble over a row just so.</summary>
    public string RemedyFor(Exception failure) =>
        failure is ObjectDisposedException or NullReferenceException && RemedyIfDisposed is { } keep ? $"{Remedy} {keep}" : Remedy;

    /// <summary>Rows that are read; null for all.</summary>
    public IReadOnlySet<RowId>? Wanted { get; init; }

    /// <summary>A cursor, which ML.NET may let run ahead on several threads; the first exception ends it.</summary>
    public DataViewRowCursor Open() => Wrap(() => Data.GetRowCursor(Columns));

    /// <summary>A cursor on the reader's own thread, which computes what is asked for and goes on after a row that fails.</summary>
    /// <param name="also">Other columns to read.</param>
    public DataViewRowCursor OpenOnOneThread(IEnumerable<DataViewSchema.Column>? also = null) =>
        Wrap(() => Data.GetRowCursorSet([.. Columns, .. also ?? []], 1, null)[0]);

    // ML.NET's threads may have come to the row that fails by the time that the cursor is there.
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
                // An exception of the read-ahead thread: MoveNext has thrown it already, or the reader stopped before it. It must not hide the reader's own exception.
            }
        }
    }
}
