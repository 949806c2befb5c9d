using MlNetDistill.Core;
using MlNetDistill.Training;
using static System.FormattableString;

namespace MlNetDistill;

/// <summary>The training of one network in a checkpoint directory, as it was when its last checkpoint was saved.</summary>
public sealed record CheckpointedNetwork
{
    private CheckpointedNetwork(string role, string path, TrainingState state)
    {
        Role = role;
        Path = path;
        Stage = state.Stage?.Name;
        Epochs = state.History.Count;
        Steps = state.Steps;
        Elapsed = state.Elapsed;
        IsFinished = state.IsFinished;
        History = state.History;
        SavedAt = File.GetLastWriteTimeUtc(path);
    }

    /// <summary>The network: <c>teacher</c>, <c>student</c>, <c>student alone</c>.</summary>
    public string Role { get; }

    /// <summary>Name of the stage that is trained; null if training has ended.</summary>
    public string? Stage { get; }

    /// <summary>Epochs that ended, of all stages.</summary>
    public int Epochs { get; }

    /// <summary>Training steps, of all stages.</summary>
    public long Steps { get; }

    /// <summary>Time of training.</summary>
    public TimeSpan Elapsed { get; }

    /// <summary>Whether training has ended.</summary>
    public bool IsFinished { get; }

    /// <summary>The progress after each epoch.</summary>
    public IReadOnlyList<TrainingProgress> History { get; }

    /// <summary>When the checkpoint was saved, in UTC.</summary>
    public DateTime SavedAt { get; }

    /// <summary>The file.</summary>
    public string Path { get; }

    /// <summary>The network and how far it is.</summary>
    public override string ToString() =>
        Invariant($"{Role}: {(IsFinished ? "trained" : $"in stage '{Stage}'")}, {NumberText.Count(Epochs, "epoch")}, {NumberText.Count(Steps, "step")}, {NumberText.Duration(Elapsed)}") +
        (History is [.., var last] ? $"; last epoch: {last.Figures}" : "");

    /// <summary>The networks in a directory.</summary>
    internal static IReadOnlyList<CheckpointedNetwork> Read(string directory) => [.. CheckpointFiles.FindRoles(directory).Select(role => Read(directory, role))];

    /// <summary>The last state of a network that can be read; the caller disposes it.</summary>
    /// <exception cref="InvalidDataException">No file can be read.</exception>
    internal static (string Path, TrainingState State) ReadLast(string directory, string role)
    {
        for (var tries = 3; ; tries--)
        {
            var files = CheckpointFiles.Find(directory, role);
            if (files.Count == 0)
                throw new InvalidDataException($"'{directory}' has no checkpoint of the {role} any more: another training has replaced this one. Open its directory again.");
            foreach (var path in files)
            {
                try
                {
                    return (path, CheckpointFiles.Read(path));
                }
                catch (Exception e) when (e is FileNotFoundException && tries > 1)
                {
                    // A training that is running has saved another one since.
                    break;
                }
                catch (InvalidDataException) when (path != files[^1])
                {
                    // The one before it may be whole.
                }
            }
        }
    }

    private static CheckpointedNetwork Read(string directory, string role)
    {
        var (path, state) = ReadLast(directory, role);
        using (state)
            return new(role, path, state);
    }
}
