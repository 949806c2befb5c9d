using MlNetDistill.Methods;

namespace MlNetDistill.Extending.Tests.Kinds;

/// <summary>From the optimiser's rate in a straight line to <paramref name="End"/> times it.</summary>
/// <param name="End">The last factor.</param>
/// <param name="Momentum">The momentum of every step; null for the optimiser's own.</param>
internal sealed record LinearDecay(double End = 0, double? Momentum = null) : LearningRateSchedule
{
    public override double? MomentumAt(long step, long steps) => Momentum;

    protected override double BaseFactorAt(long step, long steps, int stepsPerEpoch) => 1 + ((End - 1) * step / steps);
}
