using System.Text.Json;
using MlNetDistill.Core;
using MlNetDistill.Networks;
using TorchSharp;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

/// <summary>A network in double precision, filled as models.json says: numbers that depend on nothing but their place.</summary>
internal static class GoldenNetwork
{
    private const string OwnInput = "_input";

    /// <summary>The network that the reference code calls so.</summary>
    public static NetworkSpec Spec(string model) => model switch
    {
        "MobileNetV2" => NetworkSpec.MobileNetV2(),
        "ShuffleV1" => NetworkSpec.ShuffleNetV1(),
        "ShuffleV2" => NetworkSpec.ShuffleNetV2(),
        _ when model.StartsWith("wrn_", StringComparison.Ordinal) => NetworkSpec.WideResNet(int.Parse(model.Split('_')[1]), int.Parse(model.Split('_')[2])),
        _ when model.StartsWith("vgg", StringComparison.Ordinal) => NetworkSpec.Vgg(int.Parse(model[3..])),
        _ when model.EndsWith("x4", StringComparison.Ordinal) => NetworkSpec.ResNet(int.Parse(model[6..^2]), 32, 64, 128, 256),
        _ => NetworkSpec.ResNet(int.Parse(model[6..])),
    };

    public static Network Filled(JsonElement record)
    {
        // The identity scaling makes the network take its input in its own precision.
        var input = new NetworkInput(InputShape.Image(3, 32, 32), Scaling: new InputStatistics([0], [1]));
        var network = Spec(record.GetProperty("model").GetString()!).Build(input, record.GetProperty("num_classes").GetInt32(), seed: 1);
        network.to(ScalarType.Float64);
        network.eval();
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        var ordinal = 0;
        foreach (var (name, parameter) in Parameters(network))
        {
            ordinal++;
            parameter.copy_(Values(parameter, ordinal, ParameterRule(name, parameter, record.GetProperty("norm_gain").GetDouble())));
        }

        var statistic = 0;
        foreach (var buffer in RunningValues(network))
        {
            var isMean = statistic % 2 == 0;
            statistic++;
            buffer.copy_(Values(buffer, 1000 + statistic, u => isMean ? 0.2 * u : 1 + (0.4 * u)));
        }

        return network;
    }

    public static IEnumerable<(string Name, Tensor Value)> Parameters(Network network) =>
        network.named_parameters().Select(p => (p.name, (Tensor)p.parameter));

    /// <summary>Mean, variance, mean, variance, … in the order of the modules.</summary>
    public static IEnumerable<Tensor> RunningValues(Network network) =>
        network.named_buffers().Where(b => !b.name.StartsWith(OwnInput, StringComparison.Ordinal)).Select(b => b.buffer);

    /// <summary>The images of models.json: two of 3×32×32.</summary>
    public static Tensor Input()
    {
        var values = Enumerable.Range(0, 2 * 3 * 32 * 32).Select(k => Math.Sin(0.011 * k) + (0.5 * Math.Cos(0.37 * k)));
        return tensor(values.ToArray()).reshape(2, 3, 32, 32);
    }

    private static Func<double, double> ParameterRule(string name, Tensor parameter, double gain)
    {
        if (parameter.dim() >= 2)
        {
            var factor = Math.Sqrt(24.0 / (parameter.numel() / parameter.shape[0]));
            return u => factor * u;
        }

        return name.EndsWith("weight", StringComparison.Ordinal) ? u => gain + (0.2 * u) : u => 0.2 * u;
    }

    private static Tensor Values(Tensor like, int ordinal, Func<double, double> rule)
    {
        var values = new double[like.numel()];
        for (var i = 0; i < values.Length; i++)
        {
            var x = Math.Sin((12.9898 * (i + 1)) + (78.233 * ordinal)) * 43758.5453;
            values[i] = rule(x - Math.Floor(x) - 0.5);
        }

        return tensor(values).reshape(like.shape);
    }
}
