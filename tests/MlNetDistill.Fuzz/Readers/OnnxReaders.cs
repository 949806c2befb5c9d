using MlNetDistill.Core;
using MlNetDistill.Teachers;

namespace MlNetDistill.Fuzz.Readers;

/// <summary>An ONNX file, of which this library reads the names of files with weights and the domains of operators.</summary>
internal class OnnxLayoutReader : Reader
{
    public override string Name => "onnx-layout";

    public override void Read(byte[] input) => OnnxSource.FromBytes(input).Inspect();

    public override bool IsExpected(Exception error) => Is<InvalidOperationException>(error, "The ONNX model in memory ");

    public override long Bound(int length) => (512 << 10) + (32L * length);

    public override byte[] Change(byte[] bytes, Random random)
    {
        if (random.Next(3) == 0 || Protobuf.Read(bytes) is not { } message)
            return base.Change(bytes, random);
        ProtobufChanges.Apply(message, random);
        return Protobuf.Write(message);
    }

    protected override IReadOnlyList<byte[]> CreateSeeds() => [Model("iris-mlp.onnx")];
}

/// <summary>The same file, loaded and run by ONNX Runtime.</summary>
internal sealed class OnnxModelReader : OnnxLayoutReader
{
    public override string Name => "onnx-model";

    public override int Cost => 50;

    public override void Read(byte[] input) => OnnxModel.Open(
        OnnxSource.FromBytes(input), new OnnxOutputs(), InputShape.Vector(4), isByte: false, new TeacherInput(), null, 16, _ => { }, trialLimit: TimeSpan.FromSeconds(2)).Dispose();

    public override long Bound(int length) => (1 << 20) + (64L * length);
}
