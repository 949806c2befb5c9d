using System.Text.Json.Serialization;
using MlNetDistill.Methods;
using static TorchSharp.torch;

namespace MlNetDistill.Training;

/// <summary>What the training of one stage changes beside the student.</summary>
internal sealed class StageState : IDisposable
{
    /// <summary>The stage's name.</summary>
    public required string Name { get; init; }

    /// <summary>Time that training had taken when the stage's first epoch began.</summary>
    public TimeSpan Began { get; set; }

    /// <summary>Whether the student had learnt nothing before.</summary>
    public bool IsFirst { get; init; }

    /// <summary>Epochs begun.</summary>
    public int Epoch { get; set; }

    /// <summary>Steps taken; they say the learning rate.</summary>
    public long Step { get; set; }

    /// <summary>What each term of the loss was at first; null before the end of the first epoch.</summary>
    public IReadOnlyList<double>? FirstLosses { get; set; }

    /// <summary>The quality on held-out rows that early stopping waits to see surpassed.</summary>
    public double QualityToBeat { get; set; } = double.NegativeInfinity;

    /// <summary>The last epoch that surpassed it.</summary>
    public int LastImprovement { get; set; }

    /// <summary>Whether a warning of how the stage goes was given: what goes wrong does so in every epoch.</summary>
    public bool Warned { get; set; }

    /// <summary>Steps that the optimizer has counted.</summary>
    public long OptimizerSteps { get => Optimizer?.Steps ?? field; init; }

    /// <summary>The best epoch of the stage.</summary>
    public BestEpoch Best { get; init; } = new();

    /// <summary>What the optimizer keeps for each parameter.</summary>
    [JsonIgnore]
    public OptimizerState? Optimizer { get; set; }

    /// <summary>What the loss compares features through.</summary>
    [JsonIgnore]
    public StageProjections? Projections { get; set; }

    /// <summary>The generators as the stage found them: from there its sampler prepares itself, and its projections begin.</summary>
    [JsonIgnore]
    public Dictionary<string, Tensor> Generators { get; init; } = [];

    /// <summary>The optimizer's tensors by the parameter's name and their own.</summary>
    public IEnumerable<KeyValuePair<string, Tensor>> OptimizerTensors() =>
        from parameter in Optimizer?.Parameters ?? []
        from tensor in parameter.Tensors
        select KeyValuePair.Create($"{parameter.Name}/{tensor.Key}", tensor.Value);

    /// <summary>Takes the quality of the present epoch for an improvement if it is one by more than the minimum.</summary>
    public void RecordQuality(double quality, double minimumImprovement)
    {
        if (quality > QualityToBeat + minimumImprovement)
            (QualityToBeat, LastImprovement) = (quality, Epoch);
    }

    public void Dispose()
    {
        Optimizer?.Dispose();
        Projections?.Dispose();
        Best.Dispose();
        foreach (var state in Generators.Values)
            state.Dispose();
    }
}
