using MlNetDistill.Training;

namespace MlNetDistill.Reporting;

/// <summary>A stage as it was trained.</summary>
/// <param name="Name">Its name; where it has an anchor of a route, that is in it.</param>
/// <param name="First">Its first epoch in the whole training, from 1.</param>
/// <param name="Epochs">Its epochs, one after another.</param>
/// <param name="Time">Time it took.</param>
internal sealed record StageSpan(string Name, int First, IReadOnlyList<TrainingProgress> Epochs, TimeSpan Time)
{
    public int Last => First + Epochs.Count - 1;

    public string Range => First == Last ? $"{First}" : $"{First} to {Last}";

    public static IReadOnlyList<StageSpan> From(IReadOnlyList<TrainingProgress> history)
    {
        List<StageSpan> spans = [];
        List<TrainingProgress> epochs = [];
        var before = TimeSpan.Zero;
        foreach (var (at, epoch) in history.Index())
        {
            // The same stage may come again: then its epochs start anew.
            if (epochs.Count > 0 && (epoch.Stage != epochs[^1].Stage || epoch.Epoch <= epochs[^1].Epoch))
                End(at);
            epochs.Add(epoch);
        }

        if (epochs.Count > 0)
            End(history.Count);
        return spans;

        void End(int at)
        {
            var end = epochs[^1].Elapsed;
            // A clock that was set back is that of another network.
            spans.Add(new StageSpan(epochs[0].Stage, at - epochs.Count + 1, epochs, end >= before ? end - before : end));
            (before, epochs) = (end, []);
        }
    }
}
