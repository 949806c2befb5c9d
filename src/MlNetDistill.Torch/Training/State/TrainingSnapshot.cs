using static TorchSharp.torch;

namespace MlNetDistill.Training;

/// <summary>A copy, in memory, of all that the steps of an epoch change.</summary>
internal sealed class TrainingSnapshot : IDisposable
{
    private readonly Dictionary<string, Tensor> _tensors = [];
    private (int Epochs, long Steps, int Epoch, long Step) _counters;
    private (long Student, long? Teacher) _optimizerSteps;
    private IReadOnlyList<double>? _firstLosses;

    /// <summary>Epochs of the stage that had ended.</summary>
    public int Epoch => _counters.Epoch;

    /// <summary>Copies the state, over the last copy.</summary>
    public void Take(TrainingState state)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        foreach (var (name, value) in ChangedTensors(state))
        {
            if (_tensors.TryGetValue(name, out var copy))
                copy.copy_(value);
            else
                _tensors[name] = value.clone().DetachFromDisposeScope();
        }

        var stage = state.Stage!;
        _counters = (state.Epochs, state.Steps, stage.Epoch, stage.Step);
        _optimizerSteps = (stage.Optimizer!.Steps, stage.TeacherOptimizer?.Steps);
        _firstLosses = stage.FirstLosses;
    }

    /// <summary>Copies it back.</summary>
    public void Restore(TrainingState state)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        foreach (var (name, value) in ChangedTensors(state))
        {
            if (_tensors.TryGetValue(name, out var copy))
                value.copy_(copy);
            else
                // What an optimizer keeps is zero before the step that creates it.
                value.zero_();
        }

        // Not that of the projections, which draws nothing between the beginning and the end of a stage.
        state.Shuffling!.set_state(_tensors["generators/shuffling"]);
        state.Quizzing!.set_state(_tensors["generators/quizzing"]);
        random.set_rng_state(_tensors["generators/process"]);
        var stage = state.Stage!;
        (state.Epochs, state.Steps, stage.Epoch, stage.Step) = _counters;
        stage.FirstLosses = _firstLosses;
        stage.Optimizer!.Steps = _optimizerSteps.Student;
        if (stage.TeacherOptimizer is { } teacher)
            teacher.Steps = _optimizerSteps.Teacher!.Value;
    }

    public void Dispose()
    {
        foreach (var tensor in _tensors.Values)
            tensor.Dispose();
    }

    // The best epochs change only after an epoch that was good.
    private static IEnumerable<KeyValuePair<string, Tensor>> ChangedTensors(TrainingState state) => state.Tensors().Where(tensor =>
        !tensor.Key.StartsWith("best/", StringComparison.Ordinal) && !tensor.Key.StartsWith("stage/best/", StringComparison.Ordinal) &&
        !tensor.Key.StartsWith("stage/generators/", StringComparison.Ordinal));
}
