using Microsoft.ML;
using MlNetDistill.Cache;
using MlNetDistill.Data;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Teachers;
using TorchSharp;
using static TorchSharp.torch;

namespace MlNetDistill.DeviceCheck;

/// <summary>Teacher caches in a folder: made on one device, used on the other.</summary>
internal static class CacheChecks
{
    public static IEnumerable<Check> Create(Settings settings) =>
    [
        new("cache: made on the device", () => Across(settings, settings.Training, TrainingDevice.Cpu, cache => cache)),
        new("cache: made on the CPU", () => Across(settings, TrainingDevice.Cpu, settings.Training, cache => cache)),
        new("cache: half precision", () => Across(settings, settings.Training, settings.Training, cache => cache with { Precision = CachePrecision.Half })),
        new("cache: two classes kept", () => Across(settings, settings.Training, settings.Training, cache => cache with { TopK = 2 })),
        new("cache: mapped, not in memory", () => Across(settings, settings.Training, settings.Training, cache => cache with { MemoryLimit = 0 })),
        new("cache: views", () => Across(settings, settings.Training, settings.Training, cache => cache with { AugmentedViews = 2 }, Augmentation.GaussianNoise(0.1))),
        new("cache: images across devices", () => Images(settings)),
    ];

    private static string Across(
        Settings settings, TrainingDevice makes, TrainingDevice uses, Func<TeacherCacheOptions, TeacherCacheOptions> with, params Augmentation[] augmentations)
    {
        using var module = TeacherChecks.Trained();
        module.to(settings.Device);
        return InFolder(folder =>
        {
            var cache = with(new TeacherCacheOptions { Folder = folder });
            var options = Pair.Quick with
            {
                Teacher = Teacher.FromModule(module, classNames: Samples.Trees),
                Method = DistillationMethod.Kd(),
                Augmentations = augmentations,
                TeacherCache = cache,
            };
            var context = new MLContext(1);
            var view = context.Points();
            context.Fit(options with { Device = makes }, view);
            var files = Directory.GetFiles(folder).Length;
            var model = context.Fit(options with { Device = uses, TeacherCache = cache with { Mode = CacheMode.UseOnly } }, view);
            var accuracy = Samples.Agreement(model.Scores(view).Classes(), view.Labels());
            Fault.If(accuracy < 0.9, $"accuracy {accuracy:0.000}");
            Fault.If(files != 1 || Directory.GetFiles(folder).Length != 1, $"{files} files, then {Directory.GetFiles(folder).Length}");
            return $"made on {makes}, used on {uses}, accuracy {accuracy:0.000}";
        });
    }

    private static string Images(Settings settings)
    {
        using var network = NetworkSpec.ResNet(20, Core.InputShape.Image(3, 32, 32)).Build(
            new Networks.NetworkInput(Core.InputShape.Image(3, 32, 32), false, new Networks.InputStatistics([0.5f], [0.25f])), 100, 1);
        network.to(settings.Device);
        return InFolder(folder =>
        {
            var options = Pair.Quick with
            {
                Teacher = Teacher.FromModule(network, rows => network.Forward(rows.to(network.Head.Weight.device), Networks.ModelOutputs.Logits), new TeacherInput { Scale = 1 / 255f }, scoreKind: ScoreKind.Logits),
                Student = NetworkSpec.ResNet(8, 4, 4, 4),
                Method = DistillationMethod.Kd(),
                MinimumTeacherAccuracy = 0,
                Epochs = 1,
                TeacherCache = new TeacherCacheOptions { Folder = folder },
            };
            var context = new MLContext(1);
            var view = context.Cifar();
            context.Fit(options with { Device = settings.Training }, view);
            network.to(CPU);
            context.Fit(options with { Device = TrainingDevice.Cpu, TeacherCache = options.TeacherCache with { Mode = CacheMode.UseOnly } }, view);
            return "the CPU uses the cache that was made on the device";
        });
    }

    private static string InFolder(Func<string, string> run)
    {
        var folder = Directory.CreateTempSubdirectory("device-check").FullName;
        try
        {
            return run(folder);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
