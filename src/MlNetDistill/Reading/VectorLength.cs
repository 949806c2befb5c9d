namespace MlNetDistill.Reading;

/// <summary>Messages for vectors of the wrong length: a view can give a length other than that of its column's type, such as 0 for a null array.</summary>
internal static class VectorLength
{
    /// <summary>The length as text.</summary>
    public static string Describe(int length) => length == 0 ? "none (a null or empty vector)" : $"{length}";

    /// <summary>The error for a row with the wrong length.</summary>
    /// <param name="column">The column as the subject of a sentence.</param>
    /// <param name="expected">The length of the column's type.</param>
    /// <param name="found">The length in the row.</param>
    /// <param name="row">The row as the subject of a sentence.</param>
    /// <param name="remedy">What to do, a sentence.</param>
    public static InvalidOperationException CreateError(string column, int expected, int found, string row, string remedy) =>
        new($"{column} must have {expected} values in every row; {row} has {Describe(found)}. {remedy}");
}
