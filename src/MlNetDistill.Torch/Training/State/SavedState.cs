using MlNetDistill.Methods;
using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace MlNetDistill.Training;

/// <summary>A state that was saved, from which a run of the same network over the same rows continues as if it had not been interrupted.</summary>
/// <param name="saved">The state, as it was loaded; disposed with this.</param>
/// <param name="drawsFromProcess">Whether the training may draw from the generator of the process, which is left alone otherwise: other code may be drawing from it.</param>
internal sealed class SavedState(TrainingState saved, bool drawsFromProcess = false) : IDisposable
{
    private readonly IReadOnlyDictionary<string, Tensor> _tensors = saved.Tensors();

    /// <summary>The phase, from 1, in which the state was saved; null if training has ended.</summary>
    public int? InterruptedPhase => saved.IsFinished ? null : saved.Phases;

    /// <summary>Phases that had ended.</summary>
    public int PhasesEnded => saved.IsFinished ? int.MaxValue : saved.Phases - 1;

    /// <summary>Epochs of the present stage that had ended.</summary>
    public int EpochsOfStage => saved.Stage is { } stage ? stage.Epoch - (stage.Part is null ? 0 : 1) : 0;

    /// <summary>Restores what belongs to no stage. Of a run that has ended also the weights of the network.</summary>
    public void Restore(TrainingState state)
    {
        (state.Epochs, state.Steps, state.Elapsed) = (saved.Epochs, saved.Steps, saved.Elapsed);
        state.History.AddRange(saved.History);
        state.Decisions.AddRange(saved.Decisions);
        state.Warnings.UnionWith(saved.Warnings);
        Restore(state.Best, saved.Best, "best", state.Student!);
        state.IsFinished = saved.IsFinished;
        if (saved.IsFinished)
            CopyWeights(state.Student!);
    }

    /// <summary>Copies the weights into a network.</summary>
    /// <exception cref="InvalidDataException">They are those of another network.</exception>
    public void CopyWeights(Network network) => Copy("student", network.state_dict());

    /// <summary>Copies the weights of the best epoch so far into a network; the last ones if no rows are held out, or training has ended.</summary>
    /// <exception cref="InvalidDataException">They are those of another network.</exception>
    public void CopyBestWeights(Network network) => Copy(saved.IsFinished || saved.Best.Result is null ? "student" : "best", network.state_dict());

    /// <summary>Sets the generators to their states at the beginning of the stage, before it is begun again.</summary>
    public void RestoreStart(TrainingState state) => RestoreGenerators(state, "stage/generators");

    /// <summary>Restores a stage that was begun again: the weights, what trains them, and how far they are.</summary>
    public void Restore(TrainingState state, StageState stage)
    {
        var from = saved.Stage ?? throw TensorFile.CreateReadError("it has no stage, and the training has not ended");
        CopyWeights(state.Student!);
        Copy("stage/projections", stage.Projections!.Tensors().ToDictionary());
        Restore(stage.Optimizer!, "stage/optimizer", from.OptimizerSteps);
        if (stage.TeacherCopy is { } copy)
        {
            Copy("stage/teacher", copy.Network.state_dict());
            Restore(stage.TeacherOptimizer!, "stage/teacherOptimizer", from.TeacherOptimizerSteps);
        }

        Restore(stage.Best, from.Best, "stage/best", state.Student!);
        (stage.IsFirst, stage.Began, stage.Epoch, stage.Step, stage.FirstLosses) = (from.IsFirst, from.Began, from.Epoch, from.Step, from.FirstLosses);
        (stage.QualityToBeat, stage.LastImprovement, stage.Warned, stage.IsStopped, stage.Part) = (from.QualityToBeat, from.LastImprovement, from.Warned, from.IsStopped, from.Part);
        (stage.SkippedBatches, stage.TimesGoneBack, stage.RateFactor) = (from.SkippedBatches, from.TimesGoneBack, from.RateFactor);
        RestoreGenerators(state, "generators");
        if (stage.Part is not null)
            state.Shuffling!.set_state(Get($"stage/epoch/{TrainingState.ShufflingName}"));
    }

    /// <summary>Sets the generators to their last states, but for that of the rows' order, which is where it was because the order of the epoch was drawn again.</summary>
    public void RestoreOtherGenerators(TrainingState state) => RestoreGenerators(state, "generators", TrainingState.ShufflingName);

    public void Dispose() => saved.Dispose();

    private void RestoreGenerators(TrainingState state, string group, string? except = null)
    {
        foreach (var (name, generator) in state.Generators().Where(g => g.Name != except))
            generator.set_state(Get($"{group}/{name}"));
        if (drawsFromProcess)
            random.set_rng_state(Get($"{group}/{TrainingState.ProcessName}"));
    }

    private void Restore(BestEpoch best, BestEpoch from, string group, Network network)
    {
        if (!Group(group).Any())
            return;
        var weights = new NetworkWeights(network);
        best.Load(from.Result, weights);
        Copy(group, weights.Values);
    }

    private void Restore(OptimizerState optimizer, string group, long steps)
    {
        optimizer.Steps = steps;
        foreach (var parameter in optimizer.Parameters)
        {
            foreach (var (name, value) in Group($"{group}/{parameter.Name}"))
                Copy(value, parameter.Tensor(name), name);
        }
    }

    private void Copy(string group, IReadOnlyDictionary<string, Tensor> to)
    {
        foreach (var (name, value) in to)
            Copy(Get($"{group}/{name}"), value, name);
    }

    private static void Copy(Tensor from, Tensor to, string name)
    {
        if (!from.shape.AsSpan().SequenceEqual(to.shape) || from.dtype != to.dtype)
        {
            throw TensorFile.CreateReadError(
                $"the tensor '{name}' is {from.dtype} [{string.Join(", ", from.shape)}], and in this training it is {to.dtype} [{string.Join(", ", to.shape)}]");
        }

        using var noGrad = no_grad();
        to.copy_(from);
    }

    private Tensor Get(string name) => _tensors.TryGetValue(name, out var tensor) ? tensor : throw TensorFile.CreateReadError($"the tensor '{name}' is missing");

    // Names of tensors of an optimizer have no further slash.
    private IEnumerable<KeyValuePair<string, Tensor>> Group(string name) =>
        from tensor in _tensors
        where tensor.Key.StartsWith($"{name}/", StringComparison.Ordinal)
        select KeyValuePair.Create(tensor.Key[(name.Length + 1)..], tensor.Value);
}
