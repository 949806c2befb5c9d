using MlNetDistill.Networks;


namespace MlNetDistill.Training;

/// <summary>
/// Keeps the weights of the epoch with the best validation accuracy, or agreement with the teacher where there are no labels; of equal ones that with the lower
/// validation loss.
/// </summary>
internal sealed class BestEpoch(Network network) : IDisposable
{
    private readonly NetworkWeights _weights = new(network);
    private (double Share, double Loss)? _best;
    private double _waitedFor = double.NegativeInfinity;

    /// <summary>The last epoch that improved by more than the minimum, from 1.</summary>
    public int LastImprovement { get; private set; }

    /// <summary>Whether an epoch was kept.</summary>
    public bool HasOne => _best is not null;

    public void Offer(int epoch, (double Share, double Loss) quality, Network network, double minimumImprovement)
    {
        if (quality.Share > _waitedFor + minimumImprovement)
            (_waitedFor, LastImprovement) = (quality.Share, epoch);
        var better = _best is not { } best || quality.Share > best.Share || (quality.Share == best.Share && quality.Loss < best.Loss);
        if (!better)
            return;
        _best = quality;
        _weights.Refresh(network);
    }

    public void Restore(Network network)
    {
        if (_best is not null)
            _weights.Restore(network);
    }

    public void Dispose() => _weights.Dispose();
}
