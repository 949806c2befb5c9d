using System.Buffers.Binary;
using System.Security.Cryptography;
using MlNetDistill.Alignment;
using MlNetDistill.Core;
using MlNetDistill.Fuzz.Mutating;
using MlNetDistill.Networks;
using MlNetDistill.Teachers;

namespace MlNetDistill.Fuzz.Readers;

/// <summary>A checkpoint of a route, compared with the network of a fit and loaded into it.</summary>
internal sealed class CheckpointReader : Reader
{
    private const int LengthAt = 8;
    private const int PrefixBytes = 12;
    private static readonly NetworkSpec Spec = NetworkSpec.Mlp(3);
    private static readonly NetworkInput Input = new(InputShape.Vector(4));
    private static readonly InputStatistics Features = new([0, 0, 0, 0], [1, 1, 1, 1]);
    private readonly Network _network = Spec.Build(Input, 3, seed: 2);

    public override string Name => "checkpoint";

    private string FilePath => Folder.File("anchor.weights");

    public override void Place(byte[] input) => File.WriteAllBytes(FilePath, input);

    public override void Read(byte[] input)
    {
        var file = CheckpointFile.Read(FilePath);
        _ = file.Description.FindDifference(Spec, Input) + FeatureShift.Describe(file.Description.Features, Features);
        _ = file.Description.Classes?.Sum(name => name.Length) + file.Description.Input.ToString().Length;
        file.Load(_network);
    }

    public override bool IsExpected(Exception error) => Is<InvalidOperationException>(error, $"The checkpoint '{FilePath}' ");

    public override long Bound(int length) => (256 << 10) + (32L * length);

    public override byte[] Change(byte[] bytes, Random random)
    {
        if (LengthOf(bytes) is not { } length)
            return ByteChanges.Apply(bytes, Seeds, random);
        var (text, weights) = (bytes[PrefixBytes..(PrefixBytes + length)], bytes[(PrefixBytes + length)..]);
        if (random.Next(2) == 0)
            weights = ByteChanges.Apply(weights, [weights], random);
        else
            text = JsonChanges.Change(text, random);
        var prefix = bytes[..PrefixBytes];
        BinaryPrimitives.WriteInt32LittleEndian(prefix.AsSpan(LengthAt), text.Length);
        return [.. prefix, .. text, .. weights];
    }

    public override byte[] Repair(byte[] bytes)
    {
        if (bytes.Length < SHA256.HashSizeInBytes)
            return bytes;
        bytes = [.. bytes];
        SHA256.HashData(bytes.AsSpan(..^SHA256.HashSizeInBytes), bytes.AsSpan(bytes.Length - SHA256.HashSizeInBytes));
        return bytes;
    }

    public override void Dispose()
    {
        _network.Dispose();
        base.Dispose();
    }

    protected override IReadOnlyList<byte[]> CreateSeeds()
    {
        using var network = Spec.Build(Input, 3, seed: 1);
        using var weights = new MemoryStream();
        network.save(weights);
        var description = CheckpointDescription.Create("a run", 1, Spec, network, new ClassLabels(3, ["a", "b", "c"]), Features);
        CheckpointFile.Write(FilePath, description, weights.ToArray());
        return [File.ReadAllBytes(FilePath)];
    }

    private static int? LengthOf(byte[] bytes)
    {
        if (bytes.Length < PrefixBytes)
            return null;
        var length = BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(LengthAt));
        return length > 0 && length < bytes.Length - PrefixBytes ? length : null;
    }
}
