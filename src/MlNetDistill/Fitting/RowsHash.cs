using System.Buffers.Binary;
using System.Security.Cryptography;
using MlNetDistill.Core;
using MlNetDistill.Data;
using static TorchSharp.torch;

namespace MlNetDistill.Fitting;

/// <summary>Hashes the rows of a fit, with all of their order and division that a training depends on.</summary>
internal static class RowsHash
{
    /// <summary>The hash of features, labels, weights, row ids, and which rows are trained on and held out.</summary>
    /// <param name="set">The rows.</param>
    /// <param name="split">Their division.</param>
    /// <param name="classes">Names of the classes.</param>
    /// <param name="others">What else the training depends on; null for a part that it does not have.</param>
    public static string Compute(IRowSource set, DataSplit split, IReadOnlyList<string> classes, params IReadOnlyList<Tensor?> others)
    {
        using var scope = NewDisposeScope();
        var held = split.Validation is null || ReferenceEquals(split.ValidationSet, set) ? null : split.ValidationSet;
        Tensor?[] tensors = [set.Labels, set.Weights, split.Training, split.Validation, held?.Labels, held?.Weights, .. others];
        return Fingerprint.Compute(
        [
            // The hash of the rows does not depend on their order, and training does.
            DataHash.Compute(set),
            HashIds(set.RowIds),
            // Rows in a file are shuffled in another way.
            set.Blocks?.ToString() ?? "no blocks",
            held is null ? "no view of their own" : DataHash.Compute(held),
            .. classes,
            .. tensors.Select(tensor => tensor is null ? "none" : Hash(tensor)),
        ]);
    }

    private static string HashIds(RowIds ids)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Span<byte> bytes = stackalloc byte[2 * sizeof(ulong)];
        foreach (var id in ids)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(bytes, id.Low);
            BinaryPrimitives.WriteUInt64LittleEndian(bytes[sizeof(ulong)..], id.High);
            hash.AppendData(bytes);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    // In parts, because a span has 32-bit lengths.
    private static string Hash(Tensor tensor)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var part in Chunks.Split(tensor.cpu().reshape(-1), Chunks.Bytes / tensor.element_size()))
        {
            using var whole = part.contiguous();
            hash.AppendData(whole.bytes);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
