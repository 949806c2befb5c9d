using System.Runtime.InteropServices;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MlNetDistill.Reading;

/// <summary>A vector of the data that a teacher reads and the student does not.</summary>
/// <param name="Column">The column.</param>
/// <param name="IsAnswer">Whether it holds answers, which must be numbers; what a teacher is fed may be NaN, if the teacher knows what to do with it.</param>
internal sealed record TeacherVector(DataViewSchema.Column Column, bool IsAnswer)
{
    private int Length => ((VectorDataViewType)Column.Type).Size;

    private Type ItemType => ((VectorDataViewType)Column.Type).ItemType.RawType;

    /// <summary>Whether it is a column of the kind that teachers read; another is refused when the teacher is asked.</summary>
    public bool IsReadable => Column.Type is VectorDataViewType { Size: > 0 } && (ItemType == typeof(float) || ItemType == typeof(byte));

    /// <summary>Whether the row that the cursor is at has usable values.</summary>
    public Func<bool> Usable(DataViewRowCursor cursor) => ItemType == typeof(byte) ? Usable<byte>(cursor) : Usable<float>(cursor);

    private Func<bool> Usable<T>(DataViewRowCursor cursor)
        where T : unmanaged
    {
        var get = cursor.GetGetter<VBuffer<T>>(Column);
        VBuffer<T> values = default;
        return () =>
        {
            get(ref values);
            return values.Length == Length && !(IsAnswer && HasNaN(values.GetValues()));
        };
    }

    private static bool HasNaN<T>(ReadOnlySpan<T> values)
        where T : unmanaged
    {
        if (typeof(T) != typeof(float))
            return false;
        foreach (var value in MemoryMarshal.Cast<T, float>(values))
        {
            if (float.IsNaN(value))
                return true;
        }

        return false;
    }
}
