using Microsoft.ML.OnnxRuntime;
using MlNetDistill.Computing;

namespace MlNetDistill.Fuzz.Readers;

/// <summary>The ONNX model in a student, as the package for scoring opens it. ML.NET has loaded it before, so that what ONNX Runtime refuses does not get so far.</summary>
internal sealed class ScoringReader : Reader
{
    public override string Name => "scoring";

    public override int Cost => 20;

    public override void Read(byte[] input)
    {
        var session = new SharedSession(input, 1);
        _ = new float[session.InputLength + session.OutputLength];
        session.Dispose();
    }

    public override bool IsExpected(Exception error) => error is OnnxRuntimeException || Is<InvalidDataException>(error, "The ONNX model of a student ");

    public override long Bound(int length) => (256 << 10) + (16L * length);

    public override byte[] Change(byte[] bytes, Random random)
    {
        if (random.Next(4) == 0 || Protobuf.Read(bytes) is not { } message)
            return base.Change(bytes, random);
        ProtobufChanges.Apply(message, random);
        return Protobuf.Write(message);
    }

    protected override IReadOnlyList<byte[]> CreateSeeds() => [Model("iris-mlp.onnx")];
}
