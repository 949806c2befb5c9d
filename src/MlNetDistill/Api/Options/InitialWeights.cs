using MlNetDistill.Core;
using MlNetDistill.Networks;
using TorchSharp;
using static System.FormattableString;

namespace MlNetDistill;

/// <summary>
/// Weights that a student starts from, in place of fresh ones: those of a network trained before, or a mixture of both. To go on with a student where new
/// rows came in; and to tell a student that cannot be like its teacher from one that was not trained to be: started near a teacher of its own specification,
/// it need not search.
/// </summary>
public sealed partial record InitialWeights
{
    private readonly DistilledStudent _network;

    private InitialWeights(DistilledStudent network, double randomShare)
    {
        _network = network;
        RandomShare = randomShare;
    }

    /// <summary>Share c of fresh weights, in [0, 1].</summary>
    public double RandomShare { get; init; }

    /// <summary>The network it starts from.</summary>
    public string Name => $"{_network.Spec.Name} trained before";

    /// <summary>Its settings, in a line where they fit in one.</summary>
    public override string ToString() => SettingText.Describe(this);

    /// <summary>
    /// θ = c·(fresh weights) + (1 - c)·(the network's), as in the experiments of Stanton et al. 2021. With c above 0 the statistics of batch normalisations
    /// are then measured anew in one pass over the training rows.
    /// </summary>
    /// <param name="network">
    /// A network of the student's own specification, input and classes in the same order: a <c>DistillationTransformer</c>'s <c>Model</c>.
    /// </param>
    /// <param name="randomShare">c, in [0, 1]; 0 starts at the network, and 1 leaves nothing of it.</param>
    /// <returns>What <see cref="DistillationOptions.InitialWeights"/> takes.</returns>
    public static InitialWeights From(DistilledStudent network, double randomShare = 0)
    {
        ArgumentNullException.ThrowIfNull(network);
        return new InitialWeights(network, randomShare);
    }

    internal IEnumerable<string> Validate(NetworkSpec student)
    {
        if (!(RandomShare is >= 0 and <= 1))
            yield return Invariant($"The random share of InitialWeights must be in [0, 1]; was {RandomShare}.");
        if (student.GetType() != _network.Spec.GetType() || student.ToJson() != _network.Spec.ToJson())
        {
            yield return $"InitialWeights are those of a {_network.Spec.Name} ({_network.Spec.ToJson()}), " +
                $"and the Student is a {student.Name} ({student.ToJson()}): only a network of the same specification has the same weights.";
        }
    }

    internal void Apply(Network network, IEnumerable<torch.Tensor> trainingRows)
    {
        using var given = _network.ToNetwork();
        StartingWeights.Interpolate(network, given, RandomShare);
        if (RandomShare > 0)
            RunningStatistics.Recompute(network, trainingRows);
        network.eval();
    }
}
