using Microsoft.ML;
using MlNetDistill.Methods;
using MlNetDistill.Networks;

namespace MlNetDistill.DeviceCheck;

/// <summary>The same training on the CPU and on the device.</summary>
internal static class Pair
{
    public static readonly DistillationOptions Quick = new()
    {
        Student = NetworkSpec.Mlp(8),
        Method = DistillationMethod.LabelsOnly(),
        LabelColumnName = "Class",
        Epochs = 12,
        BatchSize = 24,
        Optimizer = Optimizer.AdamW(0.03),
        Seed = 11,
    };

    public static DistillationTransformer Fit(this MLContext context, DistillationOptions options, IDataView view) =>
        context.MulticlassClassification.Trainers.Distill(options).Fit(view);

    /// <summary>Trains on both, and finds fault where the students are not about as accurate and of one mind.</summary>
    /// <param name="settings">The device.</param>
    /// <param name="options">The training; each device gets options of its own, as some teachers live on one.</param>
    /// <param name="rows">The rows.</param>
    /// <param name="least">The accuracy that is expected on the device.</param>
    public static string Compare(Settings settings, Func<TrainingDevice, DistillationOptions> options, Func<MLContext, IDataView> rows, double least = 0.9)
    {
        var context = new MLContext(1);
        var warnings = new List<string>();
        context.Log += (_, line) =>
        {
            if (line.Kind == Microsoft.ML.Runtime.ChannelMessageKind.Warning && line.Source.Contains("Distillation", StringComparison.Ordinal))
                warnings.Add(line.RawMessage);
        };
        var view = rows(context);
        var cpu = context.Fit(options(TrainingDevice.Cpu) with { Device = TrainingDevice.Cpu }, view).Scores(view).Classes();
        var model = context.Fit(options(settings.Training) with { Device = settings.Training }, view);
        var device = model.Scores(view).Classes();
        var (expected, found, agreement) = (Samples.Agreement(cpu, view.Labels()), Samples.Agreement(device, view.Labels()), Samples.Agreement(cpu, device));
        var text = $"accuracy {expected:0.000} on the CPU, {found:0.000} on the device, agreement {agreement:0.000}{string.Concat(warnings.Distinct().Take(2).Select(w => $"; warned: {w}"))}";
        Fault.If(found < least || Math.Abs(found - expected) > 0.08 || agreement < 0.88, text);
        Fault.If(settings.IsGpu && !$"{model.Model.Settings.First(s => s.Name == "Device").Value}".Contains("cuda", StringComparison.OrdinalIgnoreCase), $"it was not trained on the device: {text}");
        return text;
    }

    /// <summary>The same, where the device makes no difference to the options.</summary>
    public static string Compare(Settings settings, DistillationOptions options, Func<MLContext, IDataView> rows, double least = 0.9) => Compare(settings, _ => options, rows, least);
}
