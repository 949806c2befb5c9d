using System.Text;
using System.Text.Json;
using MlNetDistill.Core;
using MlNetDistill.Fuzz.Mutating;
using MlNetDistill.Networks;

namespace MlNetDistill.Fuzz.Readers;

/// <summary>The description of a network.</summary>
internal sealed class NetworkJsonReader : Reader
{
    public override string Name => "network-json";

    public override void Read(byte[] input)
    {
        var spec = NetworkSpec.FromJson(Encoding.UTF8.GetString(input));
        _ = spec.ToJson().Length + spec.ToString().Length + spec.Validate().Count() + spec.ValidateShape(InputShape.Image(1, 8, 8))?.Length + spec.ValidateShape(InputShape.Vector(4))?.Length;
    }

    public override bool IsExpected(Exception error) => Is<JsonException>(error, "The text does not describe a built-in network: ");

    public override long Bound(int length) => (128 << 10) + (64L * length);

    public override byte[] Change(byte[] bytes, Random random) => JsonChanges.Change(bytes, random);

    protected override IReadOnlyList<byte[]> CreateSeeds() =>
    [
        .. new[] { NetworkSpec.Mlp(8, 6), NetworkSpec.ResNet(8, InputShape.Image(1, 8, 8), 4, 4, 8), NetworkSpec.Vgg(8), NetworkSpec.MobileNetV2(), NetworkSpec.ShuffleNetV2(), NetworkSpec.Projected(NetworkSpec.Mlp(4), 5, 3) }
            .Select(spec => Encoding.UTF8.GetBytes(spec.ToJson())),
    ];
}
