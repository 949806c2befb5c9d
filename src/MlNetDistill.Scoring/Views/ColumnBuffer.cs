using System.Reflection;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MlNetDistill.Views;

/// <summary>The values of a column for the rows of a batch, since the cursor over the column is already further on when they are asked for.</summary>
internal abstract class ColumnBuffer
{
    /// <summary>A buffer for any column.</summary>
    /// <param name="input">The cursor over the column.</param>
    /// <param name="column">The column.</param>
    /// <param name="rows">Most rows of a batch.</param>
    public static ColumnBuffer Create(DataViewRowCursor input, DataViewSchema.Column column, int rows)
    {
        // The types of values are open: images and those of other packages, too.
        var kind = column.Type is VectorDataViewType vector
            ? typeof(VectorBuffer<>).MakeGenericType(vector.ItemType.RawType)
            : typeof(ValueBuffer<>).MakeGenericType(column.Type.RawType);
        const BindingFlags Flags = BindingFlags.CreateInstance | BindingFlags.Instance | BindingFlags.Public | BindingFlags.DoNotWrapExceptions;
        return (ColumnBuffer)Activator.CreateInstance(kind, Flags, null, [input, column, rows], null)!;
    }

    /// <summary>Takes the value of the row that the cursor is at.</summary>
    /// <param name="row">The place in the batch.</param>
    public abstract void Read(int row);

    /// <summary>A <c>ValueGetter</c> of the current row.</summary>
    public abstract Delegate CreateGetter(CurrentRow current);
}
