using static System.FormattableString;

namespace MlNetDistill.Evaluation;

/// <summary>
/// The true accept rate at a false accept rate: the largest at any threshold that accepts at most this share of the pairs of unlike identities. Equal scores are
/// accepted or rejected together. (The IJB script of insightface takes the point whose rate is nearest instead, which may be above.)
/// </summary>
/// <param name="FalseAcceptRate">The share of pairs of unlike identities that may be accepted, in (0, 1).</param>
/// <param name="TrueAcceptRate">The share of pairs of the same identity that are accepted then, in [0, 1].</param>
/// <param name="Threshold">The lowest cosine that is accepted, in [-1, 1]; null if even the highest cosine of all pairs accepts too many.</param>
public sealed record AcceptRate(double FalseAcceptRate, double TrueAcceptRate, double? Threshold)
{
    /// <summary>Both rates and the threshold.</summary>
    public override string ToString() =>
        $"TAR {Figures.Percent(TrueAcceptRate)} at FAR {Figures.Compact(FalseAcceptRate)}{(Threshold is { } threshold ? Invariant($", from cosine {threshold:0.0000}") : "")}";
}
