using System.Security.Cryptography;
using System.Text;

namespace MlNetDistill.Core;

/// <summary>SHA-256 in hexadecimal.</summary>
internal static class Fingerprint
{
    /// <summary>The hash of several texts, each with its length, so that shifting the boundary between two changes the hash.</summary>
    public static string Compute(params IEnumerable<string> parts) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Concat(parts.Select(p => $"{p.Length}:{p}\n")))));

    /// <summary>The hash of the rest of a stream.</summary>
    /// <exception cref="OperationCanceledException">The cancellation token was cancelled.</exception>
    public static string Compute(Stream stream, CancellationToken cancellation = default)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[1 << 18];
        for (int count; (count = stream.Read(buffer)) > 0;)
        {
            cancellation.ThrowIfCancellationRequested();
            hash.AppendData(buffer.AsSpan(0, count));
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    public static string Compute(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));

    public static string ComputeForFile(string path, CancellationToken cancellation = default)
    {
        using var file = File.OpenRead(path);
        return Compute(file, cancellation);
    }
}
