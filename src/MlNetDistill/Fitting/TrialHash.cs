using System.Buffers.Binary;
using System.Security.Cryptography;
using MlNetDistill.Core;
using MlNetDistill.Data;
using static TorchSharp.torch;

namespace MlNetDistill.Fitting;

/// <summary>Hashes what the trainings of a search depend on beside their options.</summary>
internal static class TrialHash
{
    /// <summary>The hash of features, labels, weights, row ids, which rows are trained on, choose and judge, and the teacher's answers on held-out rows.</summary>
    public static string Compute(FitContext fit, JudgedRows rows, Tensor answers)
    {
        using var scope = NewDisposeScope();
        var tensors = new[] { fit.Set.Labels, fit.Set.Weights, fit.Split.Training, rows.Choosing, rows.Judging, answers };
        return Fingerprint.Compute(
        [
            // The hash of the rows does not depend on their order, and training does.
            DataHash.Compute(fit.Set),
            HashIds(fit.Set.RowIds),
            // Rows in a file are shuffled in another way.
            fit.Set.Blocks?.ToString() ?? "no blocks",
            .. fit.Columns.Classes.Names ?? [],
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
