using System.Diagnostics;
using Microsoft.ML;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace MlNetDistill.DeviceCheck;

/// <summary>A run as a whole: the same bits again, saved and loaded, cancelled.</summary>
internal static class RunChecks
{
    public static IEnumerable<Check> Create(Settings settings) =>
    [
        new("run: twice, perceptron", () => Twice(settings, NetworkSpec.Mlp(32, 16), context => context.Points())),
        new("run: twice, ResNet", () => Twice(settings, NetworkSpec.ResNet(8, 8, 16, 32), context => context.Pictures())),
        new("run: saved and loaded", () => Saved(settings)),
        new("run: cancelled", () => Cancelled(settings)),
        new("run: cancelled, best returned", () => BestReturned(settings)),
    ];

    /// <summary>Equal bits are promised on the CPU alone; on a GPU it is said whether they are.</summary>
    private static string Twice(Settings settings, Networks.NetworkSpec student, Func<MLContext, IDataView> rows)
    {
        var context = new MLContext(1);
        var view = rows(context);
        var options = Pair.Quick with { Student = student, Teacher = Teacher.Train(student, epochs: 3), Method = DistillationMethod.Kd(), Device = settings.Training, Epochs = 6 };
        var (first, second) = (context.Fit(options, view).Scores(view), context.Fit(options, view).Scores(view));
        var most = first.SelectMany(s => s).Zip(second.SelectMany(s => s), (a, b) => Math.Abs(a - b)).Max();
        Fault.If(!settings.IsGpu && most > 0, $"two runs differ by up to {Numbers.Text(most)}");
        Fault.If(most > 0.1, $"two runs differ by up to {Numbers.Text(most)}");
        return most == 0 ? "equal bits" : $"probabilities differ by up to {Numbers.Text(most)}";
    }

    private static string Saved(Settings settings)
    {
        var context = new MLContext(1);
        var view = context.Pictures();
        var model = context.Fit(Pair.Quick with { Student = NetworkSpec.ResNet(8, 4, 6, 8), Device = settings.Training, BatchSize = 16 }, view);
        var path = Path.Combine(settings.Folder, "device-check.student");
        try
        {
            context.Model.Save(model, view.Schema, path);
            var scores = new MLContext().Model.Load(path, out _).Scores(view);
            Fault.If(!scores.SelectMany(s => s).SequenceEqual(model.Scores(view).SelectMany(s => s)), "the loaded model gives other scores");
            using var scope = NewDisposeScope();
            using var network = model.Model.ToNetwork();
            Fault.If(network.Head.Weight.device_type != DeviceType.CPU, "ToNetwork gives a network that is not on the CPU");
            network.to(settings.Device);
            byte[][] rows = [.. Microsoft.ML.Data.ColumnCursorExtensions.GetColumn<byte[]>(view, "Features")];
            var batch = tensor(rows.SelectMany(r => r).ToArray()).reshape(rows.Length, 3, 8, 8).to(settings.Device);
            using var noGrad = no_grad();
            var difference = Numbers.Difference([.. scores.SelectMany(s => s).Select(v => (double)v)], Numbers.Read(network.forward(batch).Logits.softmax(1)));
            Fault.If(difference > 5e-3, $"network on the device and loaded model differ by {Numbers.Text(difference)}");
            return $"loaded scores are equal; the network on the device differs from them by {Numbers.Text(difference)}";
        }
        finally
        {
            File.Delete(path);
        }
    }

    private static string Cancelled(Settings settings)
    {
        var context = new MLContext(1);
        var view = context.Points();
        using var source = new CancellationTokenSource();
        var clock = new Stopwatch();
        try
        {
            context.Fit(Pair.Quick with { Device = settings.Training, Epochs = 100_000, Progress = new At(3, () => { clock.Start(); source.Cancel(); }), CancellationToken = source.Token }, view);
        }
        catch (OperationCanceledException)
        {
            var after = clock.Elapsed.TotalSeconds;
            Fault.If(after > 1, $"it ended {after:0.0} s after it was cancelled");
            return $"ended {after:0.000} s after it was cancelled; then {context.Fit(Pair.Quick with { Device = settings.Training, Epochs = 2 }, view).Model.History.Count} epochs of another fit";
        }

        throw new Fault("it was not cancelled");
    }

    private static string BestReturned(Settings settings)
    {
        var context = new MLContext(1);
        var view = context.Points();
        using var source = new CancellationTokenSource();
        var model = context.Fit(
            Pair.Quick with
            {
                Device = settings.Training,
                Epochs = 1000,
                Schedule = LearningRateSchedule.Constant(),
                Progress = new At(8, source.Cancel),
                CancellationToken = source.Token,
                OnCancellation = CancellationBehavior.ReturnBest,
                ValidationColumnName = "Held",
            },
            view);
        var accuracy = Samples.Agreement(model.Scores(view).Classes(), view.Labels());
        Fault.If(model.Model.History.Count != 8 || accuracy < 0.8, $"{model.Model.History.Count} epochs, accuracy {accuracy:0.000}");
        return $"{model.Model.History.Count} epochs, accuracy {accuracy:0.000}";
    }

    private sealed class At(int epoch, Action act) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value)
        {
            if (value.Epoch == epoch)
                act();
        }
    }
}
