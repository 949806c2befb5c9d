using Microsoft.ML;
using MlNetDistill.Core;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using TorchSharp;
using static TorchSharp.torch;

namespace MlNetDistill.DeviceCheck;

/// <summary>Training in bfloat16: passes beside those in double precision, students beside those of 32-bit floats, speed and memory of both.</summary>
internal static class PrecisionChecks
{
    private const int Rows = 32, Classes = 10;
    private const ModelOutputs All = ModelOutputs.Logits | ModelOutputs.Embedding | ModelOutputs.StageFeatures;

    // In deeper untrained networks, gradients change as much by rounding the rows alone.
    private static readonly NetworkSpec[] Shallow =
        [NetworkSpec.Mlp(64, 32), NetworkSpec.ResNet(8, 16, 16, 32, 64), NetworkSpec.WideResNet(10, 1), NetworkSpec.Vgg(8, 16, 32, 32, 64, 64)];

    private static readonly NetworkSpec[] Deep = [NetworkSpec.ResNet(20), NetworkSpec.MobileNetV2(0.25), NetworkSpec.ShuffleNetV1(), NetworkSpec.ShuffleNetV2(0.5)];

    public static IEnumerable<Check> Create(Settings settings) =>
    [
        .. Shallow.Select(spec => new Check($"bfloat16: {spec.Name}", () => Compare(settings, spec, 0.1, 0.3))),
        .. Deep.Select(spec => new Check($"bfloat16: {spec.Name}", () => Compare(settings, spec, 1, double.PositiveInfinity))),
        new("bfloat16: training of a perceptron", () => Train(settings, NetworkSpec.Mlp(32), context => context.Points())),
        new("bfloat16: training of a ResNet", () => Train(settings, NetworkSpec.ResNet(8, 8, 16, 16), context => context.Pictures())),
        .. new[] { TrainingPrecision.Float32, TrainingPrecision.BFloat16 }.Select(p => new Check($"bfloat16: speed and memory in {p}", () => Measurement.InProcess(settings, p), 100)),
    ];

    private static string Compare(Settings settings, NetworkSpec spec, double forward, double gradient)
    {
        var expected = Pass(spec, CPU, ScalarType.Float64, TrainingPrecision.Float32);
        var found = Pass(spec, settings.Device, ScalarType.Float32, TrainingPrecision.BFloat16);
        var (outputs, gradients) = (expected.Outputs.Zip(found.Outputs, Distance).Max(), Distance(expected.Gradient, found.Gradient));
        var text = $"outputs differ by {Numbers.Text(outputs)}, gradients by {Numbers.Text(gradients)} of their norm";
        Fault.If(!(outputs <= forward) || !(gradients <= gradient), text);
        return text;
    }

    private static (List<double[]> Outputs, double[] Gradient) Pass(NetworkSpec spec, Device device, ScalarType type, TrainingPrecision precision)
    {
        using var scope = NewDisposeScope();
        var shape = spec.NeedsImages ? InputShape.Image(3, 32, 32) : InputShape.Vector(20);
        using var network = spec.Build(new NetworkInput(shape, false, new InputStatistics([0.1f], [0.9f])), Classes, 3);
        network.to(device).to(type);
        network.train();
        var rows = Numbers.Normal(4, [Rows, .. shape.Dimensions]).to(type).to(device);
        var labels = tensor(Enumerable.Range(0, Rows).Select(i => (long)(i % Classes)).ToArray()).to(device);
        var output = network.Forward(rows, All, precision);
        Fault.If(output.All.Any(value => value.dtype != type), "a loss would read other numbers than 32-bit floats");
        nn.functional.cross_entropy(output.Logits, labels).backward();
        Fault.If(network.parameters().Any(p => p.grad is { } g && g.dtype != type), "a gradient is no 32-bit float");
        return ([.. output.All.Select(Numbers.Read)], [.. network.parameters().Where(p => p.grad is not null).SelectMany(p => Numbers.Read(p.grad!))]);
    }

    /// <summary>The norm of the difference as a share of the norm of what is expected.</summary>
    private static double Distance(double[] expected, double[] found)
    {
        Fault.If(expected.Length != found.Length, $"{found.Length} values instead of {expected.Length}");
        return Math.Sqrt(expected.Zip(found).Sum(pair => Math.Pow(pair.First - pair.Second, 2)) / expected.Sum(value => value * value));
    }

    private static string Train(Settings settings, NetworkSpec student, Func<MLContext, IDataView> rows)
    {
        var context = new MLContext(1);
        var view = rows(context);
        (double Accuracy, string Precision) Fit(TrainingPrecision precision)
        {
            var model = context.Fit(
                Pair.Quick with
                {
                    Student = student,
                    Teacher = Teacher.Train(NetworkSpec.Mlp(32)),
                    Method = DistillationMethod.Kd(),
                    Precision = precision,
                    Device = settings.Training,
                },
                view);
            return (Samples.Agreement(model.Scores(view).Classes(), view.Labels()), $"{model.Model.Settings.First(s => s.Name == "Precision").Value}");
        }

        var (expected, found) = (Fit(TrainingPrecision.Float32), Fit(TrainingPrecision.BFloat16));
        var text = $"accuracy {expected.Accuracy:0.000} in 32-bit floats, {found.Accuracy:0.000} in bfloat16";
        Fault.If(found.Precision != "BFloat16", $"the device does not compute in bfloat16, so it was trained in {found.Precision}");
        Fault.If(found.Accuracy < 0.85 || Math.Abs(found.Accuracy - expected.Accuracy) > 0.08, text);
        return text;
    }
}
