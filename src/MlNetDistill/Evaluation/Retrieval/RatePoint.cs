namespace MlNetDistill.Evaluation;

/// <summary>A point of a receiver operating characteristic: what is accepted from a threshold on.</summary>
/// <param name="Threshold">The lowest cosine that is accepted.</param>
/// <param name="FalseAcceptRate">Accepted share of the pairs of unlike identities, in [0, 1].</param>
/// <param name="TrueAcceptRate">Accepted share of the pairs of the same identity, in [0, 1].</param>
public sealed record RatePoint(double Threshold, double FalseAcceptRate, double TrueAcceptRate)
{
    /// <summary>The rates and the threshold.</summary>
    public override string ToString() =>
        FormattableString.Invariant($"FAR {FalseAcceptRate:0.0000}, TAR {TrueAcceptRate:0.0000} from cosine {Threshold:0.0000}");
}
