using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;
using MlNetDistill.Core;
using MlNetDistill.Networks;

namespace MlNetDistill.Teachers;

/// <summary>
/// A checkpoint of a network as a file: 8 bytes MLNDTCKP, the length of the description (32 bits, little-endian), the description as JSON, the weights and batch-norm statistics as
/// TorchSharp writes them, and the SHA-256 of all that.
/// </summary>
internal sealed class CheckpointFile(string path, CheckpointDescription description, ReadOnlyMemory<byte> weights, byte[] hash)
{
    private const int MagicBytes = 8;
    private const int PrefixBytes = MagicBytes + 4;

    private static readonly JsonSerializerOptions Json = new()
    {
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
    };

    public CheckpointDescription Description => description;

    public byte[] Hash => hash;

    private static ReadOnlySpan<byte> Magic => "MLNDTCKP"u8;

    /// <summary>Writes a checkpoint.</summary>
    /// <returns>Its hash.</returns>
    public static byte[] Write(string path, CheckpointDescription description, byte[] weights)
    {
        var text = JsonSerializer.SerializeToUtf8Bytes(description, Json);
        var prefix = new byte[PrefixBytes];
        Magic.CopyTo(prefix);
        BinaryPrimitives.WriteInt32LittleEndian(prefix.AsSpan(MagicBytes), text.Length);
        using var sum = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var part in new[] { prefix, text, weights })
            sum.AppendData(part);
        var hash = sum.GetHashAndReset();
        AtomicFile.Write(path, stream =>
        {
            foreach (var part in new[] { prefix, text, weights, hash })
                stream.Write(part);
        }, "a checkpoint of the route");
        return hash;
    }

    /// <summary>Reads a checkpoint, and compares its hash before anything else is used.</summary>
    /// <exception cref="InvalidOperationException">The file is missing or damaged; the message names it.</exception>
    public static CheckpointFile Read(string path)
    {
        var bytes = ReadBytes(path);
        if (bytes.Length < PrefixBytes + SHA256.HashSizeInBytes || !bytes.AsSpan(0, MagicBytes).SequenceEqual(Magic))
            throw CreateError(path, "it is not a checkpoint, or not one of this version");
        var hash = bytes[^SHA256.HashSizeInBytes..];
        var body = bytes.AsMemory(..^SHA256.HashSizeInBytes);
        if (!SHA256.HashData(body.Span).AsSpan().SequenceEqual(hash))
            throw CreateError(path, "it does not match the hash in it, so it is damaged");
        var length = BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(MagicBytes));
        if (length < 0 || length > body.Length - PrefixBytes)
            throw CreateError(path, "its description does not have a possible length");
        var text = body.Span.Slice(PrefixBytes, length);
        if (JsonFormat.FindFault(text, nameof(CheckpointDescription.Format), CheckpointDescription.CurrentFormat, otherwise: 1) is { } other)
            throw CreateError(path, other);
        try
        {
            var description = JsonSerializer.Deserialize<CheckpointDescription>(text, Json) ?? throw new JsonException("It is null.");
            return description.FindFault() is { } fault
                ? throw CreateError(path, $"its description is impossible: {fault}")
                : new CheckpointFile(path, description, body[(PrefixBytes + length)..], hash);
        }
        catch (Exception e) when (e is JsonException or ArgumentException or NotSupportedException)
        {
            throw CreateError(path, $"its description cannot be read ({e.Message})", e);
        }
    }

    /// <summary>Reads a checkpoint that this run has read or written before.</summary>
    /// <exception cref="InvalidOperationException">It cannot be read, or has changed.</exception>
    public static CheckpointFile ReadAgain(string path, byte[] hash)
    {
        var file = Read(path);
        return file.Hash.AsSpan().SequenceEqual(hash) ? file : throw new InvalidOperationException(
            $"The checkpoint '{path}' has been replaced by another since this run began (that one is of run {file.Description.Run}). Give each run a folder of its own.");
    }

    /// <summary>Loads the weights into a network.</summary>
    /// <exception cref="InvalidOperationException">They belong to another network.</exception>
    public void Load(Network network)
    {
        try
        {
            SavedWeights.Load(network, weights.ToArray());
        }
        catch (InvalidDataException e)
        {
            throw new InvalidOperationException(
                $"The checkpoint '{path}' does not fit {description.Network} over these features and classes: in its weights {e.Message}. Give the network and the data of the route.", e);
        }
    }

    private static byte[] ReadBytes(string path)
    {
        try
        {
            // First the beginning alone: any file may have been named.
            using (var file = File.OpenRead(path))
            {
                Span<byte> beginning = stackalloc byte[MagicBytes];
                if (file.ReadAtLeast(beginning, MagicBytes, throwOnEndOfStream: false) < MagicBytes || !beginning.SequenceEqual(Magic))
                    return [];
            }

            return File.ReadAllBytes(path);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new InvalidOperationException($"There is no checkpoint '{path}'. Route.Train with a folder writes checkpoints.", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw CreateError(path, $"it cannot be read ({e.Message})", e);
        }
    }

    private static InvalidOperationException CreateError(string path, string fault, Exception? cause = null) => new(
        $"The checkpoint '{path}' cannot be used: {fault}. Take an undamaged copy of it, leave it out of the route, or train the route anew with Route.Train.", cause);
}
