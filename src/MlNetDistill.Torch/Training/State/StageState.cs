using System.Text.Json.Serialization;
using MlNetDistill.Methods;
using MlNetDistill.Teachers;
using static TorchSharp.torch;

namespace MlNetDistill.Training;

/// <summary>What the training of a stage changes, apart from the student.</summary>
internal sealed class StageState : IDisposable
{
    /// <summary>The stage's name.</summary>
    public required string Name { get; init; }

    /// <summary>The training time before the first epoch of the stage.</summary>
    public TimeSpan Began { get; set; }

    /// <summary>Whether the student was untrained before the stage.</summary>
    public bool IsFirst { get; set; }

    /// <summary>Number of epochs begun.</summary>
    public int Epoch { get; set; }

    /// <summary>Number of steps; the learning rate depends on it.</summary>
    public long Step { get; set; }

    /// <summary>The first value of each loss term; null before the end of the first epoch.</summary>
    public IReadOnlyList<double>? FirstLosses { get; set; }

    /// <summary>The best quality on held-out rows, for early stopping.</summary>
    public double QualityToBeat { get; set; } = double.NegativeInfinity;

    /// <summary>The epoch of that quality.</summary>
    public int LastImprovement { get; set; }

    /// <summary>Whether a warning about the training of the stage was given, so that it is not repeated in every epoch.</summary>
    public bool Warned { get; set; }

    /// <summary>Whether no further epoch is trained, although the last one may not be reached: the stage was stopped early.</summary>
    public bool IsStopped { get; set; }

    /// <summary>Where the state was saved in the middle of an epoch; null between epochs.</summary>
    public EpochPart? Part { get; set; }

    /// <summary>Batches that were not learnt from, because losses or gradients were NaN or infinite.</summary>
    public int SkippedBatches { get; set; }

    /// <summary>How often training went back to the end of the last good epoch.</summary>
    public int TimesGoneBack { get; set; }

    /// <summary>The factor of all learning rates, below 1 after training went back.</summary>
    public double RateFactor { get; set; } = 1;

    /// <summary>The step counter of the optimizer.</summary>
    public long OptimizerSteps { get => Optimizer?.Steps ?? field; init; }

    /// <summary>The step counter of the optimizer of the teacher's copy.</summary>
    public long TeacherOptimizerSteps { get => TeacherOptimizer?.Steps ?? field; init; }

    /// <summary>The best epoch of the stage.</summary>
    public BestEpoch Best { get; init; } = new();

    /// <summary>The state of the optimizer for each parameter.</summary>
    [JsonIgnore]
    public OptimizerState? Optimizer { get; set; }

    /// <summary>The projections of the loss terms.</summary>
    [JsonIgnore]
    public StageProjections? Projections { get; set; }

    /// <summary>The copy of the teacher that a bilevel stage trains; null in other stages.</summary>
    [JsonIgnore]
    public TrainableTeacher? TeacherCopy { get; set; }

    /// <summary>The state of the copy's optimizer for each of its parameters.</summary>
    [JsonIgnore]
    public OptimizerState? TeacherOptimizer { get; set; }

    /// <summary>The states of the random generators at the beginning of the stage, before its sampler and its projections draw numbers.</summary>
    [JsonIgnore]
    public Dictionary<string, Tensor> Generators { get; init; } = [];

    /// <summary>The state of the generator of the rows' order at the beginning of the epoch, from which the order is drawn again; null before the first epoch.</summary>
    [JsonIgnore]
    public Tensor? EpochShuffling { get; private set; }

    /// <summary>Keeps the state of the generator of the rows' order, before an epoch.</summary>
    public void BeginEpoch(Generator shuffling)
    {
        EpochShuffling?.Dispose();
        EpochShuffling = shuffling.get_state().DetachFromDisposeScope();
    }

    /// <summary>The tensors of the optimizer; each name is that of the parameter and of the tensor.</summary>
    public IEnumerable<KeyValuePair<string, Tensor>> OptimizerTensors() => TensorsOf(Optimizer);

    /// <summary>The same of the copy's optimizer.</summary>
    public IEnumerable<KeyValuePair<string, Tensor>> TeacherOptimizerTensors() => TensorsOf(TeacherOptimizer);

    /// <summary>Records the quality of the current epoch if it is an improvement by more than the minimum.</summary>
    public void RecordQuality(double quality, double minimumImprovement)
    {
        if (quality > QualityToBeat + minimumImprovement)
            (QualityToBeat, LastImprovement) = (quality, Epoch);
    }

    public void Dispose()
    {
        Optimizer?.Dispose();
        Projections?.Dispose();
        TeacherOptimizer?.Dispose();
        TeacherCopy?.Dispose();
        Best.Dispose();
        EpochShuffling?.Dispose();
        foreach (var state in Generators.Values)
            state.Dispose();
    }

    private static IEnumerable<KeyValuePair<string, Tensor>> TensorsOf(OptimizerState? optimizer) =>
        from parameter in optimizer?.Parameters ?? []
        from tensor in parameter.Tensors
        select KeyValuePair.Create($"{parameter.Name}/{tensor.Key}", tensor.Value);
}
