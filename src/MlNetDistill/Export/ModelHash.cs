using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using Microsoft.ML;

namespace MlNetDistill.Export;

/// <summary>A hash of an ML.NET model's contents.</summary>
internal static class ModelHash
{
    /// <summary>SHA-256, in hexadecimal, of the names and contents of the files that <c>Model.Save</c> writes, except the input schema. The zip itself contains the
    /// time, so it is not hashed.</summary>
    /// <exception cref="InvalidOperationException">The model cannot be saved.</exception>
    public static string Compute(MLContext context, ITransformer model, DataViewSchema schema) =>
        TryCompute(context, model, schema, out var error) ?? throw new InvalidOperationException(
            "The key of a teacher cache in a folder is a hash of the saved teacher, and this model cannot be saved. Give Teacher.FromTransformer a cacheKey (a name " +
            $"that changes whenever the model does), or leave TeacherCache.Folder null. The error of ML.NET: {error!.Message}",
            error);

    /// <summary>The same, or null for a model that cannot be saved.</summary>
    public static string? TryCompute(MLContext context, ITransformer model, DataViewSchema schema, out Exception? error)
    {
        error = null;
        using var file = new MemoryStream();
        try
        {
            ModelSaving.Save(context.TempFilePath, model, schema, file);
        }
        // The exceptions of transformers that cannot be saved; those of other packages often do not implement Save.
        catch (Exception e) when (e is InvalidOperationException or NotSupportedException or ArgumentException or NotImplementedException)
        {
            error = e;
            return null;
        }

        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        using var zip = new ZipArchive(file, ZipArchiveMode.Read);
        // The schema also has columns that the model does not read; those that it reads are hashed with the data.
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
