using Microsoft.ML;
using Microsoft.ML.Data;

namespace Service.Scoring;

/// <summary>The column that a student reads, from the schema that was saved with it.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">A vector of known size, of Single or Byte.</param>
internal sealed record FeatureColumn(string Name, VectorDataViewType Type)
{
    /// <summary>Number of values.</summary>
    public int Length => Type.Size;

    /// <summary>Whether they are whole numbers from 0 to 255.</summary>
    public bool IsByte => Type.ItemType == NumberDataViewType.Byte;

    /// <summary>Number and kind of its values, for messages.</summary>
    public string Describe() => FormattableString.Invariant($"{Length} {(IsByte ? "whole numbers from 0 to 255" : "numbers")}");

    /// <summary>Schema of the rows that the student is given, which may lack columns that its pipeline was fitted with.</summary>
    public DataViewSchema CreateRowSchema(MLContext mlContext) => IsByte
        ? mlContext.Data.LoadFromEnumerable(Array.Empty<Row<byte>>(), Row<byte>.Schema(this)).Schema
        : mlContext.Data.LoadFromEnumerable(Array.Empty<Row<float>>(), Row<float>.Schema(this)).Schema;

    /// <exception cref="InvalidOperationException">There is no such column, or there are several.</exception>
    public static FeatureColumn Find(DataViewSchema inputs, string? name)
    {
        var vectors = inputs.Where(IsReadable).ToArray();
        var found = vectors.Where(column => name is null || column.Name == name).ToArray();
        if (found.Length != 1)
        {
            var there = vectors.Length == 0 ? "none" : string.Join(", ", vectors.Select(column => $"'{column.Name}'"));
            var called = name is null ? "" : $", called '{name}'";
            throw new InvalidOperationException(
                $"it must read one vector of known size, of Single or Byte{called}; there are: {there}. Say which with --features NAME.");
        }

        if (inputs.GetColumnOrNull(nameof(Row<float>.Label)) is { Type: not TextDataViewType } label)
            throw new InvalidOperationException($"its label must be text, or not among its inputs; it is {label.Type}.");
        return new FeatureColumn(found[0].Name, (VectorDataViewType)found[0].Type);
    }

    private static bool IsReadable(DataViewSchema.Column column) =>
        !column.IsHidden && column.Type is VectorDataViewType { IsKnownSize: true } type &&
        (type.ItemType == NumberDataViewType.Single || type.ItemType == NumberDataViewType.Byte);
}
