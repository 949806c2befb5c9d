using Microsoft.ML;
using MlNetDistill.Data;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Training;

namespace MlNetDistill.DeviceCheck;

/// <summary>What else can be set, on the device.</summary>
internal static class OptionChecks
{
    private static readonly (string Name, Func<DistillationOptions, DistillationOptions> With)[] OfPoints =
    [
        ("SGD", o => o with { Optimizer = Optimizer.Sgd(0.1) }),
        ("SGD without momentum", o => o with { Optimizer = Optimizer.Sgd(0.3, 0, false) }),
        ("cosine with warm-up", o => o with { Schedule = LearningRateSchedule.Cosine() with { WarmupEpochs = 2 } }),
        ("clipping", o => o with { GradientClipping = 0.5 }),
        ("class-uniform batches", o => o with { Sampling = BatchSampling.ClassUniform(8) }),
        ("superclass-uniform batches", o => o with { Sampling = BatchSampling.SuperclassUniform(3, 8) }),
        ("validation and early stopping", o => o with { ValidationColumnName = "Held", EarlyStopping = new EarlyStopping(4) }),
        ("validation fraction", o => o with { ValidationFraction = 0.25 }),
        ("example weights", o => o with { ExampleWeightColumnName = "Weight" }),
        ("rows without labels", o => o with { MissingLabels = MissingLabels.TeacherOnly }),
        ("mixup", o => o with { Augmentations = [Augmentation.Mixup(0.2)] }),
        ("noise", o => o with { Augmentations = [Augmentation.GaussianNoise(0.1)] }),
        ("marginal swap", o => o with { Augmentations = [Augmentation.MarginalSwap(0.1)] }),
    ];

    public static IEnumerable<Check> Create(Settings settings) =>
    [
        .. OfPoints.Select(o => new Check($"option: {o.Name}", () => Pair.Compare(
            settings, o.With(Pair.Quick with { Teacher = Teacher.Train(NetworkSpec.Mlp(16)), Method = DistillationMethod.Kd() }), context => context.Points(o.Name == "rows without labels"), Least(o.Name)))),
        new("option: image augmentations", () => Pair.Compare(
            settings,
            Pair.Quick with
            {
                Student = NetworkSpec.ResNet(8, 4, 6, 8),
                Augmentations = [Augmentation.RandomCrop(1), Augmentation.HorizontalFlip(), Augmentation.CutMix()],
                BatchSize = 16,
            },
            context => context.Pictures())),
        new("option: initial weights", () => InitialWeightsOf(settings)),
        new("option: the context's GPU", () => OfContext(settings)),
        new("option: a GPU that is not there", () => NotThere()),
    ];

    // A quarter of the rows has no label and counts as wrong.
    private static double Least(string name) => name == "rows without labels" ? 0.65 : 0.85;

    private static string InitialWeightsOf(Settings settings)
    {
        var context = new MLContext(1);
        var view = context.Points();
        var options = Pair.Quick with { Device = settings.Training };
        var first = context.Fit(options, view);
        var second = context.Fit(options with { InitialWeights = InitialWeights.From(first.Model), Epochs = 1, Optimizer = Optimizer.AdamW(1e-6) }, view);
        var agreement = Samples.Agreement(first.Scores(view).Classes(), second.Scores(view).Classes());
        Fault.If(agreement < 0.99, $"after a step of nothing it agrees in {agreement:0.000}");
        return $"agreement {agreement:0.000}";
    }

    private static string OfContext(Settings settings)
    {
        var context = new MLContext(1) { GpuDeviceId = settings.IsGpu ? 0 : null };
        var view = context.Points();
        var device = context.Fit(Pair.Quick, view).Model.Settings.First(s => s.Name == "Device").Value;
        Fault.If(!device.StartsWith(settings.DeviceName, StringComparison.OrdinalIgnoreCase), $"it was trained on {device}");
        return $"trained on {device}";
    }

    private static string NotThere()
    {
        var context = new MLContext(1);
        var view = context.Points();
        context.Fit(Pair.Quick with { Device = TrainingDevice.Cuda(99, fallbackToCpu: true), Epochs = 1 }, view);
        try
        {
            context.Fit(Pair.Quick with { Device = TrainingDevice.Cuda(99), Epochs = 1 }, view);
        }
        catch (InvalidOperationException e)
        {
            return e.Message;
        }

        throw new Fault("CUDA device 99 was not refused");
    }
}
