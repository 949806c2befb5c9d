using System.Buffers.Binary;
using System.IO.Compression;
using Microsoft.ML;

namespace MlNetDistill.Students;

/// <summary>The ONNX model in a transformer of ML.NET, which does not show it: the transformer is saved, and the model read from the zip.</summary>
internal static class OnnxModelBytes
{
    private const string Entry = "OnnxModel";

    public static byte[] Read(ModelOperationsCatalog catalog, ITransformer transformer, DataViewSchema input)
    {
        using var stream = new MemoryStream();
        catalog.Save(transformer, input, stream);
        stream.Position = 0;
        using var zip = new ZipArchive(stream, ZipArchiveMode.Read);
        using var content = zip.Entries.Single(entry => entry.Name == Entry).Open();
        using var bytes = new MemoryStream();
        content.CopyTo(bytes);
        // The number of bytes, then the bytes.
        const int Header = sizeof(int);
        var found = bytes.ToArray();
        return found.Length > Header && BinaryPrimitives.ReadInt32LittleEndian(found) == found.Length - Header ? found[Header..] : throw new InvalidDataException(
            $"The entry '{Entry}' of a saved OnnxTransformer must hold the number of its bytes and the bytes of an ONNX model; found {found.Length} bytes that do not. " +
            "This version of Microsoft.ML.OnnxTransformer saves models in another way; use version 5.0.");
    }
}
