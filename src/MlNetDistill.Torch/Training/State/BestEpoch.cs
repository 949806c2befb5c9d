using System.Text.Json.Serialization;
using MlNetDistill.Networks;

namespace MlNetDistill.Training;

/// <summary>The weights of the epoch with the highest quality, or of several the one with the lowest loss.</summary>
internal sealed class BestEpoch : IDisposable
{
    /// <summary>Its result on the held-out rows; null before the first epoch.</summary>
    public ValidationResult? Result { get; set; }

    /// <summary>Its weights; null before the first epoch.</summary>
    [JsonIgnore]
    public NetworkWeights? Weights { get; private set; }

    /// <summary>Copies the current weights of the network if they are better.</summary>
    public void KeepIfBetter(ValidationResult result, Network network)
    {
        var better = Result is not { } best || result.Quality > best.Quality || (result.Quality == best.Quality && result.Loss < best.Loss);
        if (!better)
            return;
        Result = result;
        if (Weights is null)
            Weights = new NetworkWeights(network);
        else
            Weights.Refresh(network);
    }

    /// <summary>Continues with an epoch that was saved.</summary>
    public void Load(ValidationResult? result, NetworkWeights? weights)
    {
        Weights?.Dispose();
        (Result, Weights) = (result, weights);
    }

    /// <summary>Copies the weights into the network, if there are any.</summary>
    public void Restore(Network network) => Weights?.Restore(network);

    public void Dispose() => Weights?.Dispose();
}
