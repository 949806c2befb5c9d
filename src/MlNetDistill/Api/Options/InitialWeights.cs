using MlNetDistill.Core;
using MlNetDistill.Networks;
using TorchSharp;
using static System.FormattableString;

namespace MlNetDistill;

/// <summary>
/// Weights that a student starts from instead of random ones: those of a trained network, or a mixture of both. Use it to continue training when there are new rows;
/// or to find out why a student does not match its teacher: started near a teacher of the same specification, a student that could match it does not have to
/// search for its weights.
/// </summary>
public sealed partial record InitialWeights
{
    private readonly DistilledStudent _network;

    private InitialWeights(DistilledStudent network, double randomShare)
    {
        _network = network;
        RandomShare = randomShare;
    }

    /// <summary>Share c of random weights, in [0, 1].</summary>
    public double RandomShare { get; init; }

    /// <summary>The network it starts from.</summary>
    public string Name => $"{_network.Spec.Name} trained before";

    /// <summary>Its settings, in a line where they fit in one.</summary>
    public override string ToString() => SettingText.Describe(this);

    /// <summary>
    /// θ = c·(random weights) + (1 - c)·(the network's weights), as in the experiments of Stanton et al. 2021. With c above 0, the running statistics of batch
    /// normalisations are recomputed in one pass over the training rows.
    /// </summary>
    /// <param name="network">
    /// The <c>Model</c> of a <c>DistillationTransformer</c>. Its specification, its input and its classes, in the same order, must be the student's.
    /// </param>
    /// <param name="randomShare">c, in [0, 1]; with 0 all weights are the network's, with 1 all are random.</param>
    /// <returns>A value for <see cref="DistillationOptions.InitialWeights"/>.</returns>
    public static InitialWeights From(DistilledStudent network, double randomShare = 0)
    {
        ArgumentNullException.ThrowIfNull(network);
        return new InitialWeights(network, randomShare);
    }

    /// <summary>A hash of the network's weights.</summary>
    internal string Hash => _network.WeightsHash;

    internal IEnumerable<string> Validate(NetworkSpec student)
    {
        if (!(RandomShare is >= 0 and <= 1))
            yield return Invariant($"The random share of InitialWeights must be in [0, 1]; was {RandomShare}.");
        if (student.GetType() != _network.Spec.GetType() || student.ToJson() != _network.Spec.ToJson())
        {
            yield return $"InitialWeights are of a {_network.Spec.Name} ({_network.Spec.ToJson()}), " +
                $"and the Student is a {student.Name} ({student.ToJson()}): both must have the same specification.";
        }
    }

    internal void Apply(Network network, IEnumerable<torch.Tensor> trainingRows)
    {
        using var trained = _network.ToNetwork();
        StartingWeights.Interpolate(network, trained, RandomShare);
        if (RandomShare > 0)
            RunningStatistics.Recompute(network, trainingRows);
        network.eval();
    }
}
