using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Core;

namespace MlNetDistill.Export;

/// <summary>ML.NET's <c>Model.Save</c>, in the invariant culture, and safe where the folder for temporary files is full.</summary>
/// <remarks>
/// ML.NET writes the parts of a model to files, which it zips. If one cannot be written, its writer stays undisposed with what it could not write, and its finaliser tries again: that ends the
/// process, at some later garbage collection. So its files are in a folder of our own, into which a page is written first, and a writer that failed is disposed at once.
/// </remarks>
internal static class ModelSaving
{
    private const int PageBytes = 4096;

    /// <summary>Saves a model.</summary>
    /// <param name="temporaryParent">MLContext.TempFilePath.</param>
    /// <param name="model">The model.</param>
    /// <param name="inputSchema">The schema of its input.</param>
    /// <param name="stream">What the zip is written to.</param>
    /// <exception cref="IOException">The folder for temporary files cannot hold the parts of the model; the message names it.</exception>
    public static void Save(string temporaryParent, ITransformer model, DataViewSchema inputSchema, Stream stream) =>
        UseFolder(temporaryParent, folder => SaveWithin(folder, model, inputSchema, stream));

    /// <summary>Gives a folder for <see cref="SaveWithin"/>.</summary>
    public static void UseFolder(string temporaryParent, Action<string> use) => TemporaryFolder.Use(temporaryParent, "the parts of the model", folder =>
    {
        use(folder.Path);
        return true;
    });

    /// <summary>Saves a model by way of a folder, which the caller deletes.</summary>
    public static void SaveWithin(string folder, ITransformer model, DataViewSchema inputSchema, Stream stream)
    {
        // ML.NET writes a few bytes before it lets the model write its own.
        var page = Path.Combine(folder, "page");
        File.WriteAllBytes(page, new byte[PageBytes]);
        File.Delete(page);
        var saved = new SavedModel(model);
        using var _ = new InvariantCulture();
        try
        {
            new MLContext { TempFilePath = folder }.Model.Save(saved, inputSchema, stream);
        }
        catch
        {
            DisposeOf(saved.Writer);
            throw;
        }
    }

    private static void DisposeOf(IDisposable? writer)
    {
        for (var isDisposed = writer is null; !isDisposed;)
        {
            try
            {
                writer!.Dispose();
                isDisposed = true;
            }
            // Each time it gives up one of its files. What the caller must hear is why the first could not be written.
            catch (Exception e) when (WriteFailure.IsPossible(e))
            {
            }
        }
    }

    /// <summary>A model that remembers where it is saved. The zip is that of the model alone.</summary>
    private sealed class SavedModel(ITransformer model) : ITransformer
    {
        public IDisposable? Writer { get; private set; }

        public bool IsRowToRowMapper => model.IsRowToRowMapper;

        public DataViewSchema GetOutputSchema(DataViewSchema inputSchema) => model.GetOutputSchema(inputSchema);

        public IRowToRowMapper GetRowToRowMapper(DataViewSchema inputSchema) => model.GetRowToRowMapper(inputSchema);

        public IDataView Transform(IDataView input) => model.Transform(input);

        public void Save(ModelSaveContext ctx)
        {
            Writer = InBox.WriterOf(ctx);
            model.Save(ctx);
        }
    }
}
