using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Data;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Teachers;
using TorchSharp;
using static TorchSharp.torch;
using Sequential = TorchSharp.Modules.Sequential;

namespace MlNetDistill.DeviceCheck;

/// <summary>Teachers from elsewhere: what they answer on the device and on the CPU, and what a student learns from them.</summary>
internal static class TeacherChecks
{
    private static readonly DistillationOptions Taught = Pair.Quick with { Method = DistillationMethod.Kd(alpha: 1), MinimumTeacherAccuracy = 0 };

    public static IEnumerable<Check> Create(Settings settings) =>
    [
        new("teacher: ONNX, letters", () => OnnxLetters(settings)),
        new("teacher: ONNX, CIFAR-100", () => OnnxCifar(settings), 120),
        new("teacher: ONNX on the GPU", () => OnnxOnGpu(settings)),
        new("teacher: TorchScript", () => Script(settings)),
        new("teacher: TorchScript with stages", () => ScriptWithStages(settings)),
        new("teacher: module on the CPU", () => Module(settings, CPU)),
        new("teacher: module on the device", () => Module(settings, settings.Device)),
        new("teacher: module with taps", () => Taps(settings)),
        new("teacher: network live, augmented", () => Live(settings)),
        new("teacher: ensemble", () => Ensemble(settings)),
        new("teacher: ML.NET model", () => Transformer(settings)),
        new("teacher: preflight", () => Preflight(settings)),
    ];

    private static string OnnxLetters(Settings settings)
    {
        var options = Taught with
        {
            Teacher = Teacher.FromOnnx(Samples.PathOf("letter-teacher.onnx"), new OnnxOutputs("logits", "features"), classNames: Alphabet),
            Student = NetworkSpec.Mlp(64),
            Epochs = 40,
        };
        return $"{Answers(settings, _ => options, context => context.Letters())}; KD: {Pair.Compare(settings, options, context => context.Letters(), 0.75)}; "
            + $"CCKD: {Pair.Compare(settings, options with { Method = DistillationMethod.Cckd() }, context => context.Letters(), 0.75)}";
    }

    private static string[] Alphabet => [.. Enumerable.Range(0, 26).Select(i => $"{(char)('A' + i)}")];

    private static string OnnxCifar(Settings settings)
    {
        var options = Taught with
        {
            Teacher = Teacher.FromOnnx(Samples.PathOf("cifar100-resnet20.onnx"), input: new TeacherInput { Scale = 1 / 255f }),
            Student = NetworkSpec.ResNet(8, 16, 32, 64),
            Epochs = 3,
            BatchSize = 32,
        };
        var context = new MLContext(1);
        var view = context.Cifar();
        double[] Losses(TrainingDevice device) => [.. context.Fit(options with { Device = device }, view).Model.History.Select(h => h.Losses["kd"])];
        var (cpu, found) = (Losses(TrainingDevice.Cpu), Losses(settings.Training));
        var text = $"KD's loss by epoch {Text(cpu)} on the CPU, {Text(found)} on the device";
        Fault.If(Numbers.Difference(cpu, found) > 0.03, text);
        return text;
    }

    private static string Text(IEnumerable<double> values) => string.Join(", ", values.Select(v => $"{v:0.0000}"));

    /// <summary>What is here is ONNX Runtime for the CPU: a GPU must be refused in words, or replaced where that is allowed.</summary>
    private static string OnnxOnGpu(Settings settings)
    {
        var context = new MLContext(1);
        var view = context.Letters();
        DistillationOptions Options(bool fallback) => Taught with
        {
            Teacher = Teacher.FromOnnx(Samples.PathOf("letter-teacher.onnx"), new OnnxOutputs("logits"), classNames: Alphabet, device: TrainingDevice.Cuda(0, fallback)),
            Device = settings.Training,
            Epochs = 1,
        };
        context.Fit(Options(true), view);
        try
        {
            context.Fit(Options(false), view);
        }
        catch (InvalidOperationException e) when (e.Message.Contains("Microsoft.ML.OnnxRuntime.Gpu", StringComparison.Ordinal))
        {
            return "refused in words without a fallback, and runs on the CPU with it";
        }

        throw new Fault("a GPU that ONNX Runtime for the CPU does not have was not refused");
    }

    private static string Script(Settings settings)
    {
        var options = Taught with { Teacher = Teacher.FromTorchScript(Samples.PathOf("mlp.pt"), classNames: Samples.Trees), Method = DistillationMethod.Kd(1, 1), Epochs = 20 };
        return $"{Answers(settings, _ => options, context => context.Points())}; {Losses(settings, options, context => context.Points(), "kd")}";
    }

    private static string ScriptWithStages(Settings settings)
    {
        var options = Taught with
        {
            Teacher = Teacher.FromTorchScript(Samples.PathOf("conv.pt"), new TorchScriptOutputs(0, 1, [2, 3]), classNames: ["0", "1", "2", "3", "4"]),
            Student = NetworkSpec.ResNet(8, 4, 4, 6),
            Method = DistillationMethod.FromLoss("stages", new Losses.StageFeatureLoss(0, 0) + new Losses.CorrelationCongruenceLoss() + new Losses.KdLoss(4)),
            Epochs = 3,
        };
        return $"{Answers(settings, _ => options, context => context.Noise())}; {Losses(settings, options, context => context.Noise(), "stageFeature")}";
    }

    private static string Losses(Settings settings, DistillationOptions options, Func<MLContext, IDataView> rows, string name)
    {
        var context = new MLContext(1);
        var view = rows(context);
        double[] Compute(TrainingDevice device) => [.. context.Fit(options with { Device = device }, view).Model.History.Select(h => h.Losses[name])];
        var (cpu, found) = (Compute(TrainingDevice.Cpu), Compute(settings.Training));
        var text = $"{name} from {cpu[0]:0.0000} to {cpu[^1]:0.0000} on the CPU, from {found[0]:0.0000} to {found[^1]:0.0000} on the device";
        Fault.If(Numbers.Difference(cpu, found) > 0.05, text);
        return text;
    }

    private static string Module(Settings settings, Device where)
    {
        using var module = Trained();
        module.to(where);
        var options = Taught with { Teacher = Teacher.FromModule(module, classNames: Samples.Trees) };
        var text = $"{Answers(settings, _ => options, context => context.Points())}; {Pair.Compare(settings, options, context => context.Points())}";
        Fault.If(module.parameters().First().device_type != where.type, "the module was moved");
        return text;
    }

    private static string Taps(Settings settings)
    {
        using var module = Trained();
        module.to(settings.Device);
        var relu = (nn.Module<Tensor, Tensor>)module.children().ElementAt(1);
        var teacher = Teacher.FromModule(module, new ModuleTaps(relu, [relu]), classNames: Samples.Trees);
        return string.Join("; ", new[] { DistillationMethod.Cckd(), DistillationMethod.Sskd() }.Select(method =>
            $"{method.Name}: {Pair.Compare(settings, Taught with { Teacher = teacher, Method = method, Epochs = 24 }, context => context.Points())}"));
    }

    private static string Live(Settings settings) => Pair.Compare(
        settings,
        Pair.Quick with
        {
            Teacher = Teacher.Train(NetworkSpec.ResNet(8, 4, 6, 8), epochs: 6),
            Student = NetworkSpec.ResNet(8, 4, 6, 8),
            Method = DistillationMethod.Kd(),
            Augmentations = [Augmentation.RandomCrop(1), Augmentation.HorizontalFlip()],
            BatchSize = 16,
        },
        context => context.Pictures());

    private static string Ensemble(Settings settings)
    {
        using var first = Trained();
        using var second = Trained(5);
        second.to(settings.Device);
        var teacher = Teacher.Ensemble(Teacher.FromModule(first, classNames: Samples.Trees), Teacher.FromModule(second, classNames: Samples.Trees), Teacher.Train(NetworkSpec.Mlp(8)));
        return Pair.Compare(settings, Taught with { Teacher = teacher }, context => context.Points());
    }

    private static string Transformer(Settings settings)
    {
        var context = new MLContext(1);
        var estimator = context.Transforms.Conversion.MapValueToKey("TeacherClass", "Label").Append(context.MulticlassClassification.Trainers.LbfgsMaximumEntropy("TeacherClass"));
        return Pair.Compare(settings, Taught with { Teacher = Teacher.FromEstimator(estimator) }, c => c.Points());
    }

    private static string Preflight(Settings settings)
    {
        using var module = Trained();
        module.to(settings.Device);
        var context = new MLContext(1);
        var report = context.MulticlassClassification.Trainers
            .Distill(Taught with { Teacher = Teacher.FromModule(module, classNames: Samples.Trees), Device = settings.Training }).Preflight(context.Points());
        Fault.If(report.Teacher is null or { Accuracy: < 0.9 }, $"{report}");
        Fault.If(report.TrainingTime <= TimeSpan.Zero || report.ExpectedMemory <= 0, $"{report}");
        return $"{report}".ReplaceLineEndings(" | ");
    }

    /// <summary>The probabilities that the teacher gives on both.</summary>
    private static string Answers(Settings settings, Func<TrainingDevice, DistillationOptions> options, Func<MLContext, IDataView> rows)
    {
        var context = new MLContext(1);
        var view = rows(context);
        double[] Compute(TrainingDevice device) => [.. context.MulticlassClassification.Trainers.Distill(options(device) with { Device = device }).ScoreTeacher(view)
            .GetColumn<float[]>("TeacherScore").SelectMany(s => s).Select(v => (double)v)];
        var difference = Numbers.Difference(Compute(TrainingDevice.Cpu), Compute(settings.Training));
        Fault.If(difference > 1e-3, $"the teacher's probabilities differ by {Numbers.Text(difference)}");
        return $"the teacher's probabilities differ by {Numbers.Text(difference)}";
    }

    /// <summary>A perceptron that was trained on the points, on the CPU.</summary>
    internal static Sequential Trained(long seed = 4)
    {
        using var scope = NewDisposeScope();
        random.manual_seed(seed);
        var module = nn.Sequential(("first", nn.Linear(4, 12)), ("relu", nn.ReLU()), ("last", nn.Linear(12, 3)));
        using var optimizer = optim.Adam(module.parameters(), 0.05);
        var view = new MLContext(1).Points();
        float[][] features = [.. view.GetColumn<float[]>("Features")];
        var x = tensor(features.SelectMany(f => f).ToArray(), [features.Length, 4]);
        var y = tensor(view.Labels().Select(l => (long)l).ToArray());
        for (var step = 0; step < 60; step++)
        {
            optimizer.zero_grad();
            nn.functional.cross_entropy(module.call(x), y).backward();
            optimizer.step();
        }

        return module;
    }
}
