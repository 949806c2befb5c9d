using Microsoft.ML;
using MlNetDistill.Export;
using MlNetDistill.Fuzz.Mutating;
using MlNetDistill.Methods;
using MlNetDistill.Networks;

namespace MlNetDistill.Fuzz.Readers;

/// <summary>A zip with the hashes of its entries, as a saved student is.</summary>
internal class ZipManifestReader : Reader
{
    public override string Name => "zip-manifest";

    public override int Cost => 2;

    public override void Read(byte[] input) => ZipManifest.Check(new MemoryStream(input), "in the stream");

    public override bool IsExpected(Exception error) => Is<InvalidDataException>(error, "The model in the stream cannot be used: ");

    public override long Bound(int length) => (1 << 20) + (64L * length);

    public override byte[] Change(byte[] bytes, Random random) => ZipChanges.Change(bytes, random);

    public override byte[] Repair(byte[] bytes)
    {
        if (ZipChanges.Read(bytes) is not { } entries)
            return bytes;
        return WithManifest(ZipChanges.Write(entries.Where(entry => entry.Name != ZipManifest.EntryName)));
    }

    protected override IReadOnlyList<byte[]> CreateSeeds() => [WithManifest(ZipChanges.Write([("Schema", [1, 2, 3]), ("TransformerChain/Model.key", [4, 5]), ("empty", [])]))];

    private static byte[] WithManifest(byte[] zip)
    {
        var stream = new MemoryStream();
        stream.Write(zip);
        ZipManifest.AddTo(stream);
        return ZipChanges.Write(ZipChanges.Read(stream.ToArray())!);
    }
}

/// <summary>A saved student, loaded by ML.NET after the check. Its hashes are not made right again: ML.NET's reading of other entries is not tested here.</summary>
internal sealed class StudentZipReader : ZipManifestReader
{
    private readonly MLContext _context;

    // ML.NET's temporary files must be gone, too.
    public StudentZipReader() => _context = new MLContext(seed: 1) { TempFilePath = Folder.Path };

    public override string Name => "student-zip";

    public override int Cost => 20;

    public override void Read(byte[] input)
    {
        var model = _context.Model.LoadVerified(new MemoryStream(input), out _);
        (model as IDisposable)?.Dispose();
    }

    public override long Bound(int length) => (8 << 20) + (64L * length);

    public override byte[] Repair(byte[] bytes) => bytes;

    protected override IReadOnlyList<byte[]> CreateSeeds()
    {
        var path = Folder.File("student.zip");
        Row[] rows = [.. Enumerable.Range(0, 40).Select(i => new Row { Features = [i % 4, i % 3, 1, 0], Label = i % 2 == 0 ? "even" : "odd" })];
        var view = _context.Data.LoadFromEnumerable(rows, Row.Schema);
        var options = new DistillationOptions { Student = NetworkSpec.Mlp(4, 3), Method = DistillationMethod.LabelsOnly(), LabelColumnName = "Class", Epochs = 1 };
        var model = _context.Transforms.Conversion.MapValueToKey("Class", "Label").Append(_context.MulticlassClassification.Trainers.Distill(options)).Fit(view);
        _context.Model.SaveAtomically(model, view.Schema, path);
        var saved = ZipChanges.Read(File.ReadAllBytes(path))!;
        File.Delete(path);
        return [ZipChanges.Write(saved)];
    }

    private sealed class Row
    {
        public static Microsoft.ML.Data.SchemaDefinition Schema
        {
            get
            {
                var schema = Microsoft.ML.Data.SchemaDefinition.Create(typeof(Row));
                schema[nameof(Features)].ColumnType = new Microsoft.ML.Data.VectorDataViewType(Microsoft.ML.Data.NumberDataViewType.Single, 4);
                return schema;
            }
        }

        public float[] Features { get; set; } = [];

        public string Label { get; set; } = "";
    }
}
