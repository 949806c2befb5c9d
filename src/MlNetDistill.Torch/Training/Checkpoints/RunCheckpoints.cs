using System.Diagnostics;
using MlNetDistill.Core;
using MlNetDistill.Networks;
using MlNetDistill.Teachers;
using static System.FormattableString;

namespace MlNetDistill.Training;

/// <summary>The checkpoints of the training of one network: safetensors files in a directory, each with the whole state of the training.</summary>
/// <param name="directory">The directory.</param>
/// <param name="role">The role of the network in the fit.</param>
/// <param name="options">When checkpoints are saved.</param>
/// <param name="warn">Receives a warning if one cannot be saved or read.</param>
internal sealed class RunCheckpoints(string directory, string role, CheckpointOptions options, Action<string> warn)
{
    private readonly Stopwatch _sinceSaved = Stopwatch.StartNew();
    private bool _hasState;
    private bool _fails;

    /// <summary>How to go on, as a sentence; null if nothing was saved.</summary>
    public string? Continuation => _hasState ? $"Its state is in '{directory}': Fit with the same options and rows goes on there." : null;

    /// <summary>Called where a run continues, with the number of epochs that had ended, and whether that was all of it.</summary>
    public Action<int, bool> Continues { get; init; } = (_, _) => { };

    /// <summary>Called when a stage has begun with its teacher: the number of the stage, from 1, the teacher, and its outputs that the stage reads.</summary>
    public Action<int, StageTeacher, ModelOutputs> TeacherBegins { get; init; } = (_, _, _) => { };

    /// <summary>Whether the training may draw from the generator of the process.</summary>
    public bool DrawsFromProcess { get; init; }

    /// <summary>Whether enough time has passed since the last checkpoint.</summary>
    public bool IsDue => options.Interval is { } interval && _sinceSaved.Elapsed >= interval;

    /// <summary>Whether a checkpoint is due after an epoch.</summary>
    public bool IsDueAfter(int epoch) => IsDue || options.IsDueAfter(epoch);

    /// <summary>The last state that can be read; null if none was saved.</summary>
    /// <exception cref="InvalidDataException">There are checkpoints, and none can be read.</exception>
    public SavedState? Load()
    {
        var files = CheckpointFiles.Find(directory, role);
        foreach (var path in files)
        {
            try
            {
                var saved = new SavedState(CheckpointFiles.Read(path), DrawsFromProcess);
                _hasState = true;
                return saved;
            }
            catch (Exception damage) when (damage is InvalidDataException or IOException && path != files[^1])
            {
                warn($"{damage.Message} Training continues from the checkpoint before it.");
            }
        }

        return null;
    }

    /// <summary>Saves the state, and deletes older ones. If it cannot be written, training goes on: the state before is still there.</summary>
    public void Save(TrainingState state)
    {
        var path = CheckpointFiles.PathOf(directory, role, state.Steps);
        try
        {
            AtomicFile.Write(path, state.Save, "the state of the training");
            (_hasState, _fails) = (true, false);
            DeleteOlder(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A disk that is full stays so for a while.
            if (!_fails)
                warn(Invariant($"The checkpoint of step {state.Steps} could not be saved: {e.Message} Training continues, and the next ones are tried."));
            _fails = true;
        }

        _sinceSaved.Restart();
    }

    // Not those with more steps than this one: they could not be read, and are no reason to delete one that can.
    private void DeleteOlder(string saved)
    {
        foreach (var older in CheckpointFiles.Find(directory, role).SkipWhile(path => path != saved).Skip(options.Keep))
        {
            try
            {
                File.Delete(older);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // Somebody reads it; it is deleted with the next one.
            }
        }
    }
}
