using System.Security.Cryptography;
using System.Text;

namespace MlNetDistill.Teachers;

/// <summary>SHA-256 in hexadecimal.</summary>
internal static class Fingerprint
{
    /// <summary>Of texts, each with its length, so that none runs into the next.</summary>
    public static string Of(params IEnumerable<string> parts) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Concat(parts.Select(p => $"{p.Length}:{p}\n")))));

    public static string Of(Stream stream) => Convert.ToHexStringLower(SHA256.HashData(stream));

    public static string Of(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));

    public static string OfFile(string path)
    {
        using var file = File.OpenRead(path);
        return Of(file);
    }
}
