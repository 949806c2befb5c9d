using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using Microsoft.ML;
using MlNetDistill.Core;

namespace MlNetDistill.Export;

/// <summary>What tells one ML.NET model from another.</summary>
internal static class ModelHash
{
    /// <summary>SHA-256, in hexadecimal, of what <c>Model.Save</c> writes: of the names and contents of its files but the input schema, as the archive
    /// around them has the time in it.</summary>
    /// <exception cref="InvalidOperationException">The model cannot be saved.</exception>
    public static string Compute(MLContext context, ITransformer model, DataViewSchema schema)
    {
        try
        {
            return HashSavedModel(context, model, schema);
        }
        catch (Exception e) when (MeansNotSavable(e))
        {
            throw new InvalidOperationException(
                "A teacher cache in a folder is known by the bytes of its teacher, and this model cannot be saved. Give it an identity (a name that changes " +
                $"whenever the model does) with Teacher.FromTransformer, or leave out the record's Folder. ML.NET says: {e.Message}",
                e);
        }
    }

    /// <summary>The same, or null for a model that cannot be saved.</summary>
    public static string? ComputeOrNull(MLContext context, ITransformer model, DataViewSchema schema)
    {
        try
        {
            return HashSavedModel(context, model, schema);
        }
        catch (Exception e) when (MeansNotSavable(e))
        {
            return null;
        }
    }

    // What transformers throw that cannot be saved; those of other packages often leave Save unimplemented.
    private static bool MeansNotSavable(Exception e) =>
        e is InvalidOperationException or NotSupportedException or ArgumentException or NotImplementedException;

    private static string HashSavedModel(MLContext context, ITransformer model, DataViewSchema schema)
    {
        using var file = new MemoryStream();
        using (new InvariantCulture())
            context.Model.Save(model, schema, file);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        using var zip = new ZipArchive(file, ZipArchiveMode.Read);
        // The schema names columns that the model does not read too; what it does read is hashed with the data.
        foreach (var entry in zip.Entries.Where(e => e.FullName != "Schema").OrderBy(e => e.FullName, StringComparer.Ordinal))
        {
            hash.AppendData(Encoding.UTF8.GetBytes($"{entry.FullName} {entry.Length};"));
            using var content = entry.Open();
            using var bytes = new MemoryStream();
            content.CopyTo(bytes);
            hash.AppendData(bytes.GetBuffer().AsSpan(0, (int)bytes.Length));
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
