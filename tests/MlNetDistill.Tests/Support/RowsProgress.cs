using MlNetDistill.Training;

namespace MlNetDistill.Tests.Support;

/// <summary>Progress reported on the training thread, kept, and passed on.</summary>
internal sealed class RowsProgress(Action<TrainingProgress>? then = null) : IProgress<TrainingProgress>
{
    public List<TrainingProgress> Reports { get; } = [];

    public void Report(TrainingProgress value)
    {
        Reports.Add(value);
        then?.Invoke(value);
    }
}
