using System.IO.Compression;
using MlNetDistill.Core;
using MlNetDistill.Teachers;
using static TorchSharp.torch;

namespace MlNetDistill.Tests.Teachers;

/// <summary>TorchScript files that are damaged, or made to harm: found before libtorch sees them.</summary>
public sealed class ScriptArchiveTests
{
    private string _folder = "";

    private string File => Path.Combine(_folder, "model.pt");

    [SetUp]
    public void Begin() => _folder = Directory.CreateTempSubdirectory("archives").FullName;

    [TearDown]
    public void End() => Directory.Delete(_folder, recursive: true);

    /// <summary>libtorch reads such a file, and gives other scores.</summary>
    [Test]
    public void A_flipped_bit_in_a_weight_is_found()
    {
        var bytes = System.IO.File.ReadAllBytes(ToyScript.Path("mlp.pt"));
        // The weights are tenths.
        bytes[Find(bytes, BitConverter.GetBytes(0.2f))] ^= 1;
        System.IO.File.WriteAllBytes(File, bytes);
        Refused("is damaged: the checksum of 'archive/data/0' does not match its content. Copy or download it again, or export it again.");
    }

    [Test]
    public void A_file_with_any_of_its_bytes_changed_is_refused_or_holds_the_same()
    {
        var bytes = System.IO.File.ReadAllBytes(ToyScript.Path("matmul.pt"));
        var content = Content(ToyScript.Path("matmul.pt"));
        var refused = 0;
        for (var i = 0; i < bytes.Length; i++)
        {
            bytes[i] ^= 0x10;
            System.IO.File.WriteAllBytes(File, bytes);
            try
            {
                ScriptArchive.Check(File, "It", default);
                Assert.That(Content(File), Is.EqualTo(content), $"byte {i}");
            }
            catch (InvalidOperationException)
            {
                refused++;
            }

            bytes[i] ^= 0x10;
        }

        Assert.That(refused, Is.GreaterThan(bytes.Length / 2));
    }

    [Test]
    public void An_archive_that_unpacks_to_a_hundred_times_its_size_is_refused()
    {
        ToyScript.Write(File, "mlp.pt", (name, content) => content, archive =>
        {
            using var more = archive.CreateEntry("archive/data/9", CompressionLevel.Fastest).Open();
            var zeros = new byte[1 << 20];
            for (var i = 0; i < 300; i++)
                more.Write(zeros);
        });
        var bytes = new FileInfo(File).Length;
        Assert.That(bytes, Is.LessThan(4 << 20));
        Refused(FormattableString.Invariant($"has {bytes:N0} bytes and would unpack to 314,57"));
    }

    [Test]
    public void Code_without_end_is_refused()
    {
        ToyScript.Write(File, "mlp.pt", (name, content) => content, archive =>
        {
            using var more = archive.CreateEntry("archive/code/more.py", CompressionLevel.Fastest).Open();
            var line = new byte[1 << 20];
            Array.Fill(line, (byte)'#');
            for (var i = 0; i < 65; i++)
                more.Write(line);
        });
        Refused("has ");
    }

    [Test]
    public void An_entry_that_comes_twice_is_refused()
    {
        ToyScript.Write(File, "mlp.pt", (name, content) => content, archive =>
        {
            using var again = archive.CreateEntry("archive/data/0").Open();
            again.Write(new byte[96]);
        });
        Refused("is damaged: it contains 'archive/data/0' more than once.");
    }

    [Test]
    [Platform("Linux,MacOsX")]
    public void A_pipe_is_not_waited_for()
    {
        using var made = System.Diagnostics.Process.Start("mkfifo", [File]);
        made.WaitForExit();
        Refused("is empty. Load the network in Python and export it");
    }

    [Test]
    public void A_check_can_be_cancelled() => Assert.That(
        () => ScriptArchive.Check(ToyScript.Path("mlp.pt"), "It", new CancellationToken(canceled: true)), Throws.InstanceOf<OperationCanceledException>());

    private static int Find(byte[] bytes, byte[] what) =>
        bytes.AsSpan().IndexOf(what) is >= 0 and var at ? at : throw new InvalidOperationException("The weight is not there.");

    private static List<byte[]> Content(string path)
    {
        using var archive = ZipFile.OpenRead(path);
        return [.. archive.Entries.Select(entry =>
        {
            using var content = new MemoryStream();
            using var stream = entry.Open();
            stream.CopyTo(content);
            return content.ToArray();
        })];
    }

    private void Refused(string message) => Assert.That(
        () => TorchScriptModel.Open(File, new(), InputShape.Vector(4), false, new(), CPU, 64, _ => { }).Dispose(),
        Throws.InvalidOperationException.With.Message.StartsWith($"The TorchScript model '{File}' {message}"));
}
