using MlNetDistill.Core;
using MlNetDistill.Networks;

namespace MlNetDistill.Hostile.Mutations;

/// <summary>The description of a network. Its text is whatever network it says.</summary>
internal sealed class NetworkJson : FileFormat
{
    private const string FileName = "network.json";

    public override string Name => "network";

    public override string Title => "network JSON";

    public override bool IsUnguarded => true;

    public override void Make(string folder) =>
        File.WriteAllText(Path.Combine(folder, FileName), NetworkSpec.ResNet(8, InputShape.Image(1, 8, 8), 4, 4, 8).ToJson());

    public override string Use(string folder, int variant)
    {
        var spec = NetworkSpec.FromJson(File.ReadAllText(Path.Combine(folder, FileName)));
        using var network = spec.Build(new NetworkInput(InputShape.Image(1, 8, 8)), 3, seed: 1);
        return $"{spec.ToJson()} {network.ParameterCount}";
    }
}
