using System.Runtime.InteropServices;
using MlNetDistill.Core;
using MlNetDistill.Networks;
using TorchSharp;
using static TorchSharp.torch;

namespace MlNetDistill.DeviceCheck;

/// <summary>Every kind of network with the same weights on the same rows: all outputs and gradients in training mode, then the logits in eval mode.</summary>
internal static class NetworkChecks
{
    private const int Rows = 8, Classes = 10;

    private static readonly NetworkSpec[] Networks =
    [
        NetworkSpec.Mlp(64, 32), NetworkSpec.ResNet(8, 16, 16, 32, 64), NetworkSpec.ResNet(20), NetworkSpec.WideResNet(10, 1), NetworkSpec.Vgg(8, 16, 32, 32, 64, 64), NetworkSpec.MobileNetV2(0.25),
        NetworkSpec.ShuffleNetV1(), NetworkSpec.ShuffleNetV2(0.5),
    ];

    public static IEnumerable<Check> Create(Settings settings) =>
    [
        .. Networks.Select(spec => new Check($"network: {spec.Name}", () => Compare(settings, spec))),
        new("network: bytes", () => Bytes(settings)),
    ];

    private static string Compare(Settings settings, NetworkSpec spec)
    {
        var expected = Outputs(spec, CPU, float64);
        var exact = Worst(expected, Outputs(spec, settings.Device, float64));
        Fault.If(exact.Forward > 1e-8 || exact.Gradient > 1e-6, $"in double precision outputs differ by {Numbers.Text(exact.Forward)}, gradients by {Numbers.Text(exact.Gradient)}");
        var asIs = Worst(expected, Outputs(spec, settings.Device, float32));
        var single = WithoutTf32(() => Worst(expected, Outputs(spec, settings.Device, float32)));
        Fault.If(single.Forward > 2e-3 || single.Gradient > 0.1, $"in single precision outputs differ by {Numbers.Text(single.Forward)}, gradients by {Numbers.Text(single.Gradient)}");
        Fault.If(asIs.Forward > 0.1, $"as it trains, outputs differ by {Numbers.Text(asIs.Forward)}");
        return $"outputs, gradients: {Text(exact)} double; {Text(single)} single; {Text(asIs)} as it trains";
    }

    private static string Text((double Forward, double Gradient) worst) => $"{Numbers.Text(worst.Forward)}, {Numbers.Text(worst.Gradient)}";

    private static string Bytes(Settings settings)
    {
        using var scope = NewDisposeScope();
        var rows = tensor(Enumerable.Range(0, Rows * 3 * 16 * 16).Select(i => (byte)(i * 37)).ToArray()).reshape(Rows, 3, 16, 16);
        double[] Logits(Device device)
        {
            using var network = NetworkSpec.ResNet(8, 8, 8, 8, 8).Build(new NetworkInput(InputShape.Image(3, 16, 16), true, new InputStatistics([120, 125, 130], [60, 61, 62])), Classes, 1);
            network.to(device);
            network.eval();
            return Numbers.Read(network.forward(rows.to(device)).Logits);
        }

        var difference = WithoutTf32(() => Numbers.Difference(Logits(CPU), Logits(settings.Device)));
        Fault.If(difference > 1e-3, $"logits differ by {Numbers.Text(difference)}");
        return $"logits differ by {Numbers.Text(difference)}";
    }

    private static (double Forward, double Gradient) Worst((List<double[]> Forward, double[] Gradient) expected, (List<double[]> Forward, double[] Gradient) found) =>
        (expected.Forward.Zip(found.Forward, Numbers.Difference).Max(), Numbers.Difference(expected.Gradient, found.Gradient));

    private static (List<double[]> Forward, double[] Gradient) Outputs(NetworkSpec spec, Device device, ScalarType type)
    {
        using var scope = NewDisposeScope();
        var shape = spec.NeedsImages ? InputShape.Image(3, 32, 32) : InputShape.Vector(20);
        using var network = spec.Build(new NetworkInput(shape, false, new InputStatistics([0.1f], [0.9f])), Classes, 3);
        network.to(device).to(type);
        network.train();
        var rows = Numbers.Normal(4, [Rows, .. shape.Dimensions]).to(type).to(device);
        var labels = tensor(Enumerable.Range(0, Rows).Select(i => (long)(i % Classes)).ToArray()).to(device);
        var trained = network.Forward(rows, ModelOutputs.Logits | ModelOutputs.Embedding | ModelOutputs.StageFeatures);
        nn.functional.cross_entropy(trained.Logits, labels).backward();
        List<double[]> forward = [Numbers.Read(trained.Logits), Numbers.Read(trained.Embedding), .. trained.StageFeatures.Select(Numbers.Read)];
        double[] gradient = [.. network.parameters().Where(p => p.grad is not null).SelectMany(p => Numbers.Read(p.grad!))];
        network.eval();
        using (no_grad())
            forward.Add(Numbers.Read(network.forward(rows).Logits));
        return (forward, gradient);
    }

    private static T WithoutTf32<T>(Func<T> compute)
    {
        var before = Allow(false);
        try
        {
            return compute();
        }
        finally
        {
            if (before)
                Allow(true);
        }
    }

    /// <summary>Whether it could be set; a libtorch without the setting computes as it does.</summary>
    private static bool Allow(bool allowed)
    {
        try
        {
            backends.cudnn.allow_tf32 = allowed;
            return true;
        }
        catch (ExternalException)
        {
            return false;
        }
    }
}
