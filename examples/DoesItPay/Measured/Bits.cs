using System.Collections;

namespace DoesItPay.Measured;

/// <summary>Yes or no for each test row, as text.</summary>
internal static class Bits
{
    public static string ToText(bool[] values)
    {
        var bytes = new byte[(values.Length + 7) / 8];
        new BitArray(values).CopyTo(bytes, 0);
        return Convert.ToBase64String(bytes);
    }

    public static bool[] FromText(string text, int count)
    {
        var values = new BitArray(Convert.FromBase64String(text));
        return [.. Enumerable.Range(0, count).Select(i => values[i])];
    }
}
