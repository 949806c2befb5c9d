using System.Text.Json.Serialization;
using MlNetDistill.Networks;

namespace MlNetDistill.Training;

/// <summary>How good a student is on the held-out rows.</summary>
/// <param name="Share">Accuracy, or agreement with the teacher where the rows have no labels.</param>
/// <param name="Loss">Cross-entropy with the labels, or with the teacher's probabilities.</param>
internal sealed record HeldOutQuality(double Share, double Loss);

/// <summary>The weights of the epoch with the highest share, and of equal shares the lowest loss.</summary>
internal sealed class BestEpoch : IDisposable
{
    /// <summary>Its quality; null before the first epoch.</summary>
    public HeldOutQuality? Quality { get; set; }

    /// <summary>Its weights; null before the first epoch.</summary>
    [JsonIgnore]
    public NetworkWeights? Weights { get; private set; }

    /// <summary>Keeps the network's present weights if they are better.</summary>
    public void Offer(HeldOutQuality quality, Network network)
    {
        var better = Quality is not { } best || quality.Share > best.Share || (quality.Share == best.Share && quality.Loss < best.Loss);
        if (!better)
            return;
        Quality = quality;
        if (Weights is null)
            Weights = new NetworkWeights(network);
        else
            Weights.Refresh(network);
    }

    /// <summary>Puts the weights into the network, where there are any.</summary>
    public void Restore(Network network) => Weights?.Restore(network);

    public void Dispose() => Weights?.Dispose();
}
