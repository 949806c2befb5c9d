using MlNetDistill.Training;

namespace MlNetDistill.Reporting;

/// <summary>The epochs of a stage of training.</summary>
/// <param name="Name">Name of the stage, which includes its anchor if it has one.</param>
/// <param name="First">The first epoch in the whole training, from 1.</param>
/// <param name="Epochs">The epochs, in order.</param>
/// <param name="Time">Duration of the stage.</param>
internal sealed record StageSpan(string Name, int First, IReadOnlyList<TrainingProgress> Epochs, TimeSpan Time)
{
    public int Last => First + Epochs.Count - 1;

    public string Range => First == Last ? $"{First}" : $"{First} to {Last}";

    public static IReadOnlyList<StageSpan> From(IReadOnlyList<TrainingProgress> history)
    {
        List<StageSpan> spans = [];
        List<TrainingProgress> epochs = [];
        var before = TimeSpan.Zero;
        foreach (var (index, epoch) in history.Index())
        {
            // The same stage may follow itself: then its epochs start at 1 again.
            if (epochs.Count > 0 && (epoch.Stage != epochs[^1].Stage || epoch.Epoch <= epochs[^1].Epoch))
                End(index);
            epochs.Add(epoch);
        }

        if (epochs.Count > 0)
            End(history.Count);
        return spans;

        void End(int index)
        {
            var end = epochs[^1].Elapsed;
            // A smaller elapsed time means that another network's training has started.
            spans.Add(new StageSpan(epochs[0].Stage, index - epochs.Count + 1, epochs, end >= before ? end - before : end));
            (before, epochs) = (end, []);
        }
    }
}
