using System.Text;
using MlNetDistill.Core;

namespace MlNetDistill.Teachers;

/// <summary>An ONNX model, in a file or in memory.</summary>
internal sealed class OnnxSource
{
    private OnnxSource(string? path, byte[]? bytes, string name) => (FilePath, Content, Name) = (path, bytes, name);

    /// <summary>The file, or null for a model in memory.</summary>
    public string? FilePath { get; }

    /// <summary>The bytes of the model, or null for a file.</summary>
    public byte[]? Content { get; }

    /// <summary>Its name in messages.</summary>
    public string Name { get; }

    /// <summary>Its name at the beginning of a sentence.</summary>
    public string Title => $"The ONNX model {Name}";

    public static OnnxSource FromFile(string path) => new(path, null, $"'{path}'");

    public static OnnxSource FromBytes(byte[] bytes, string name = "in memory") => new(null, bytes, name);

    /// <summary>Reads the layout of the model, and computes a hash of it and of the files with its weights.</summary>
    /// <exception cref="InvalidOperationException">It is not an ONNX model, or a part of it is missing.</exception>
    /// <exception cref="OperationCanceledException">The cancellation token was cancelled.</exception>
    public (OnnxLayout Layout, string Hash) Inspect(CancellationToken cancellation = default)
    {
        if (Directory.Exists(FilePath))
            throw new InvalidOperationException($"{Title} is a folder; name the .onnx file in it.");
        if (FilePath is not null && !System.IO.File.Exists(FilePath))
            throw new InvalidOperationException($"{Title} does not exist (looked for at '{Path.GetFullPath(FilePath)}').");
        // This also finds a pipe, which has no length and would block when it is opened.
        if ((FilePath is null ? Content!.Length : new FileInfo(FilePath).Length) == 0)
            throw new InvalidOperationException($"{Title} is empty. Export or download it again.");
        try
        {
            using Stream stream = Content is null ? System.IO.File.OpenRead(FilePath!) : new MemoryStream(Content, writable: false);
            var layout = OnnxLayout.Read(stream, cancellation);
            stream.Position = 0;
            // The same file may have several names: "weights.bin", "./weights.bin".
            var hashes = new Dictionary<string, string>();
            string ComputeHash(string location)
            {
                var path = GetWeightsPath(location);
                return hashes.TryGetValue(path, out var known) ? known : hashes[path] = Fingerprint.ComputeForFile(path, cancellation);
            }

            return (layout, Fingerprint.Compute([Fingerprint.Compute(stream, cancellation), .. layout.ExternalFiles.SelectMany(f => new[] { f, ComputeHash(f) })]));
        }
        catch (EndOfStreamException e)
        {
            throw new InvalidOperationException($"{Title} is truncated, or not an ONNX file: {e.Message}. Export or download it again.", e);
        }
        catch (InvalidDataException e)
        {
            throw new InvalidOperationException($"{Title} is not an ONNX file: it begins with {DescribeBeginning()}. {e.Message} Export the model to ONNX, or download it again " +
                "(a pointer of Git LFS or a page of HTML is not the model).", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InvalidOperationException($"{Title} cannot be read: {e.Message}", e);
        }
    }

    /// <summary>Bytes of the model and of the files with its weights. It must be one that <see cref="Inspect"/> accepts.</summary>
    public long MeasureBytes()
    {
        using Stream stream = Content is null ? System.IO.File.OpenRead(FilePath!) : new MemoryStream(Content, writable: false);
        return stream.Length + OnnxLayout.Read(stream).ExternalFiles.Select(GetWeightsPath).Distinct().Sum(path => new FileInfo(path).Length);
    }

    private string GetWeightsPath(string location)
    {
        if (FilePath is null)
        {
            throw new InvalidOperationException($"{Title} keeps weights in the file '{location}', which a model in memory cannot refer to. Give the path of the model, or " +
                "save it in one file (onnx.save with save_as_external_data=False).");
        }

        if (location.Length == 0 || location.Contains('\0', StringComparison.Ordinal))
            throw new InvalidOperationException($"{Title} keeps weights in a file with an invalid name. Export or download it again.");
        var folder = Path.GetDirectoryName(Path.GetFullPath(FilePath))!;
        var path = Path.GetFullPath(Path.Combine(folder, location));
        if (!path.StartsWith(folder + Path.DirectorySeparatorChar, StringComparison.Ordinal) && folder != Path.GetPathRoot(folder))
            throw new InvalidOperationException($"{Title} keeps weights in '{location}', outside its folder, where ONNX Runtime does not read them. Move the file into the folder and export the model again.");
        if (!System.IO.File.Exists(path))
            throw new InvalidOperationException($"{Title} keeps weights in the file '{location}', which is not beside it. Copy it to '{folder}'.");
        if (new FileInfo(path).Length == 0)
            throw new InvalidOperationException($"{Title} keeps weights in the file '{location}', which is empty. Export or download it again.");
        return path;
    }

    private string DescribeBeginning()
    {
        using Stream stream = Content is null ? System.IO.File.OpenRead(FilePath!) : new MemoryStream(Content, writable: false);
        var bytes = new byte[16];
        var count = stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
        return bytes.AsSpan(0, count).ContainsAnyExceptInRange((byte)' ', (byte)'~')
            ? $"the bytes {Convert.ToHexString(bytes, 0, count)}"
            : $"the text \"{Encoding.ASCII.GetString(bytes, 0, count)}\"";
    }
}
