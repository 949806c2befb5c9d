using System.IO.Compression;
using System.Security.Cryptography;
using Microsoft.ML;
using MlNetDistill.Tests.Support;

namespace MlNetDistill.Tests.Persistence;

/// <summary>A model that SaveAtomically saved is loaded as it was saved, or refused.</summary>
public sealed class LoadVerifiedTests
{
    private readonly MLContext _mlContext = new(seed: 1);
    private readonly IDataView _points;
    private ToyFolder _folder = null!;

    public LoadVerifiedTests() => _points = _mlContext.View(ToyData.Points());

    private string Zip => _folder.File("student.zip");

    [SetUp]
    public void Save()
    {
        _folder = new ToyFolder();
        _mlContext.Model.SaveAtomically(ToyModels.Points, _points.Schema, Zip);
    }

    [TearDown]
    public void RemoveFolder() => _folder.Dispose();

    [Test]
    public void An_undamaged_student_scores_as_before_from_a_file_and_from_a_stream()
    {
        var expected = ModelScores.ReadLines(ToyModels.Points.Transform(_points));
        Assert.That(ModelScores.ReadLines(_mlContext.Model.LoadVerified(Zip, out var schema).Transform(_points)), Is.EqualTo(expected));
        Assert.That(schema.Select(column => column.Name), Is.EqualTo(_points.Schema.Select(column => column.Name)));
        using var stream = new MemoryStream(File.ReadAllBytes(Zip));
        Assert.That(ModelScores.ReadLines(_mlContext.Model.LoadVerified(stream, out _).Transform(_points)), Is.EqualTo(expected));
    }

    [Test]
    public void A_process_with_ML_NET_and_ONNX_Runtime_alone_loads_it_too()
    {
        var named = ToyModels.Points.Append(_mlContext.Transforms.Conversion.MapKeyToValue("PredictedLabel").Fit(ToyModels.Points.Transform(_points)));
        Assert.That(
            ToyLoader.Score(_mlContext, named, _points, zip => _mlContext.Model.SaveAtomically(named, _points.Schema, zip)),
            Is.EqualTo(ModelScores.ReadLines(named.Transform(_points))));
    }

    [Test]
    public void A_damaged_student_is_refused_or_scores_the_same_to_the_bit()
    {
        var whole = File.ReadAllBytes(Zip);
        var few = _mlContext.View(ToyData.Points()[..6]);
        var expected = ModelScores.ReadLines(ToyModels.Points.Transform(few));
        var random = new Random(3);
        var refused = 0;
        for (var i = 0; i < 1000; i++)
        {
            using var stream = new MemoryStream(Mutated(whole, random));
            try
            {
                Assert.That(ModelScores.ReadLines(_mlContext.Model.LoadVerified(stream, out _).Transform(few)), Is.EqualTo(expected));
            }
            catch (InvalidDataException e)
            {
                Assert.That(e.Message, Does.StartWith("The model in the stream cannot be used: "));
                refused++;
            }
        }

        Assert.That(refused, Is.InRange(700, 999));
    }

    [Test]
    public void A_student_with_a_changed_entry_and_right_checksums_is_refused()
    {
        Rewrite(zip => Replace(zip, zip.Entries.Where(entry => entry.Name != "MlNetDistill.sha256").MaxBy(entry => entry.Length)!));
        Refused("does not match its SHA-256, so it is not what was saved");
    }

    [Test]
    public void A_student_without_one_of_its_entries_or_with_one_more_is_refused()
    {
        var whole = File.ReadAllBytes(Zip);
        Rewrite(zip => zip.Entries[0].Delete());
        Refused("it lacks the entry '");
        File.WriteAllBytes(Zip, whole);
        Rewrite(zip => zip.CreateEntry("more"));
        Refused("it has an entry 'more' that was not saved with it");
    }

    [Test]
    public void Hashes_that_unpack_to_far_more_than_the_file_are_not_read_into_memory()
    {
        Rewrite(zip =>
        {
            zip.GetEntry("MlNetDistill.sha256")!.Delete();
            using var content = zip.CreateEntry("MlNetDistill.sha256", CompressionLevel.SmallestSize).Open();
            for (var i = 0; i < 64; i++)
                content.Write(new byte[1 << 20]);
        });
        var before = GC.GetAllocatedBytesForCurrentThread();
        Refused("its entry 'MlNetDistill.sha256' cannot be read");
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.LessThan(16 << 20));
    }

    [Test]
    public void A_model_that_has_no_hashes_is_refused_with_what_to_do()
    {
        _mlContext.Model.Save(ToyModels.Points, _points.Schema, Zip);
        Refused("Save it with mlContext.Model.SaveAtomically, or load it unchecked with mlContext.Model.Load.");
    }

    [Test]
    public void A_file_that_is_missing_or_no_zip_is_named()
    {
        File.WriteAllText(Zip, "no zip");
        Refused("it is not a zip archive, or it is damaged");
        Assert.That(() => _mlContext.Model.LoadVerified("nowhere.zip", out _), Throws.TypeOf<FileNotFoundException>().With.Message.Contains("nowhere.zip"));
    }

    [Test]
    public void The_hashes_are_those_that_sha256sum_writes()
    {
        using var zip = ZipFile.OpenRead(Zip);
        using var text = new StreamReader(zip.GetEntry("MlNetDistill.sha256")!.Open());
        var lines = text.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.That(lines, Has.None.Contains("\\"), "a name that unzip would change");
        Assert.That(lines, Is.EquivalentTo(zip.Entries.Where(entry => entry.Name != "MlNetDistill.sha256").Select(entry =>
        {
            using var content = entry.Open();
            return $"{Convert.ToHexStringLower(SHA256.HashData(content))}  {entry.FullName}";
        })));
    }

    private static byte[] Mutated(byte[] whole, Random random)
    {
        var bytes = (byte[])whole.Clone();
        var at = random.Next(bytes.Length);
        switch (random.Next(6))
        {
            case 0:
                return bytes[..at];
            case 1:
                return [.. bytes[..at], .. bytes[Math.Min(at + random.Next(1, 9), bytes.Length)..]];
            case 2:
                random.NextBytes(bytes.AsSpan(at, Math.Min(8, bytes.Length - at)));
                return bytes;
            default:
                bytes[at] ^= (byte)(1 << random.Next(8));
                return bytes;
        }
    }

    private static void Replace(ZipArchive zip, ZipArchiveEntry entry)
    {
        byte[] bytes;
        using (var content = entry.Open())
        {
            using var copy = new MemoryStream();
            content.CopyTo(copy);
            bytes = copy.ToArray();
        }

        bytes[^1] ^= 1;
        var name = entry.FullName;
        entry.Delete();
        using var changed = zip.CreateEntry(name).Open();
        changed.Write(bytes);
    }

    private void Rewrite(Action<ZipArchive> change)
    {
        using var zip = ZipFile.Open(Zip, ZipArchiveMode.Update);
        change(zip);
    }

    private void Refused(string why) => Assert.That(() => _mlContext.Model.LoadVerified(Zip, out _), Throws.TypeOf<InvalidDataException>()
        .With.Message.StartsWith($"The model '{Zip}' cannot be used: ").And.Message.Contains(why));
}
