using MlNetDistill.Training;
using Spectre.Console;

namespace Quickstart.Report;

/// <summary>Shows the progress of training: a bar for each network on a terminal, a line for each epoch in a file or a pipe.</summary>
internal sealed class TrainingDisplay
{
    private readonly ProgressContext? _bars;

    private TrainingDisplay(ProgressContext? bars) => _bars = bars;

    /// <summary>Runs some training under a display.</summary>
    public static T Show<T>(Func<TrainingDisplay, T> training)
    {
        if (!AnsiConsole.Profile.Capabilities.Interactive || Console.IsOutputRedirected)
            return training(new TrainingDisplay(null));
        var barWidth = Math.Clamp(AnsiConsole.Profile.Width - 72, 8, 30);
        return AnsiConsole.Progress()
            .Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn { Width = barWidth }, new ElapsedTimeColumn())
            .Start(bars => training(new TrainingDisplay(bars)));
    }

    /// <summary>Adds the next network to train. Set the result as the trainer's progress.</summary>
    public IProgress<TrainingProgress> Network(string name) => _bars is null ? new Lines(name) : new Bar(name, _bars);

    private static string Summary(string name, TrainingProgress progress)
    {
        var losses = progress.Losses.Where(loss => loss.Key != "total").Select(loss => $"{Short(loss.Key)} {loss.Value:0.000}");
        var accuracy = progress.Validation is { } validation ? $"  {validation.Measure} {validation.Quality:0.0 %}" : "";
        return $"{name,-17}  {progress.Epoch}/{progress.Epochs}  {string.Join("  ", losses)}{accuracy}  {progress.TimeLeft:mm\\:ss} left";
    }

    /// <summary>A name that leaves room for a bar in 80 columns.</summary>
    private static string Short(string loss) => loss == "crossEntropy" ? "ce" : loss;

    // Not Progress<T>: it reports from other threads, so epochs may arrive in another order.
    private sealed class Lines(string name) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => Console.WriteLine(Summary(name, value));
    }

    private sealed class Bar(string name, ProgressContext bars) : IProgress<TrainingProgress>
    {
        private readonly ProgressTask _task = bars.AddTask(name);

        public void Report(TrainingProgress value)
        {
            _task.Description = Summary(name, value);
            _task.MaxValue = value.Epochs;
            _task.Value = value.Epoch;
            // The clock of a full bar continues unless it is stopped.
            if (value.Epoch == value.Epochs)
                _task.StopTask();
        }
    }
}
