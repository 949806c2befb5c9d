using MlNetDistill.Methods;

namespace MlNetDistill.Extending.Tests.Kinds;

/// <summary>From the optimiser's rate in a straight line to <paramref name="End"/> times it.</summary>
internal sealed record LinearDecay(double End = 0) : LearningRateSchedule
{
    protected override double BaseFactorAt(long step, long steps, int stepsPerEpoch) => 1 + ((End - 1) * step / steps);
}
