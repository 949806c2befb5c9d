using System.Text.Json;

namespace MlNetDistill.Core;

/// <summary>The number of a format in a JSON text, which is read before the rest: a later format may have other parts.</summary>
internal static class JsonFormat
{
    /// <summary>What is wrong with the format of a text, as the end of a sentence about its file; null if it is the one expected, or the text is no JSON object.</summary>
    /// <param name="text">JSON in UTF-8.</param>
    /// <param name="name">Name of the number.</param>
    /// <param name="expected">The format that this version of the library reads.</param>
    /// <param name="otherwise">The format of a text without the number; null if it must have one.</param>
    public static string? FindFault(ReadOnlySpan<byte> text, string name, int expected, int? otherwise = null)
    {
        try
        {
            var found = Find(text, name) ?? otherwise;
            return found == expected ? null
                : FormattableString.Invariant($"it has {(found is null ? "no format" : FormattableString.Invariant($"format {found}"))}; this version of the library reads format {expected}");
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // Whoever reads the whole text says what is wrong with it.
            return null;
        }
    }

    private static long? Find(ReadOnlySpan<byte> text, string name)
    {
        var reader = new Utf8JsonReader(text);
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
            throw new JsonException("It is no object.");
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var isWanted = reader.ValueTextEquals(name);
            reader.Read();
            if (isWanted && reader.TokenType == JsonTokenType.Number && reader.TryGetInt64(out var number))
                return number;
            reader.Skip();
        }

        return null;
    }
}
