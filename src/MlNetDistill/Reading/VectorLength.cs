namespace MlNetDistill.Reading;

/// <summary>The number of values in a row's vector. A view can give another than its column's type says: a null array is a vector of none.</summary>
internal static class VectorLength
{
    /// <summary>What messages say of a row with the wrong number.</summary>
    public static string Describe(int length) => length == 0 ? "none (a null or empty vector)" : $"{length}";

    /// <summary>The error for such a row.</summary>
    /// <param name="column">The column as the subject of a sentence.</param>
    /// <param name="expected">The number that its type says.</param>
    /// <param name="found">The row's number.</param>
    /// <param name="row">The row as the subject of a sentence.</param>
    /// <param name="remedy">What to do, a sentence.</param>
    public static InvalidOperationException CreateError(string column, int expected, int found, string row, string remedy) =>
        new($"{column} must have {expected} values in every row; {row} has {Describe(found)}. {remedy}");
}
