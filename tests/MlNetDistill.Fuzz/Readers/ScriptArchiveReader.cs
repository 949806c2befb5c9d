using MlNetDistill.Fuzz.Mutating;
using MlNetDistill.Teachers;

namespace MlNetDistill.Fuzz.Readers;

/// <summary>A TorchScript file, as far as it is checked before libtorch loads it.</summary>
internal sealed class ScriptArchiveReader : Reader
{
    private const string Title = "The TorchScript model";

    public override string Name => "torchscript-archive";

    public override int Cost => 2;

    private string FilePath => Folder.File("model.pt");

    public override void Place(byte[] input) => File.WriteAllBytes(FilePath, input);

    public override void Read(byte[] input) => ScriptArchive.Check(FilePath, Title, default);

    public override bool IsExpected(Exception error) => Is<InvalidOperationException>(error, Title + " ");

    // Code is read as text, and a mebibyte of it may be compressed to a kibibyte.
    public override long Bound(int length) => (8 << 20) + (64L * length);

    public override byte[] Change(byte[] bytes, Random random) => ZipChanges.Change(bytes, random);

    protected override IReadOnlyList<byte[]> CreateSeeds() => [Model("mlp.pt"), Model("conv.pt"), Model("tuple.pt")];
}
