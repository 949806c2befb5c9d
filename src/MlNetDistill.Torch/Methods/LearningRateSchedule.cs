using MlNetDistill.Core;
using static System.FormattableString;

namespace MlNetDistill.Methods;

/// <summary>
/// How the learning rate changes over a training stage, as a factor of the optimizer's rate. Any schedule can begin with a linear warm-up.
/// Derive your own schedule from it.
/// </summary>
public abstract record LearningRateSchedule
{
    /// <summary>Epochs of each stage over which the rate first rises linearly from 0; fractions allowed, 0 for none.</summary>
    public double WarmupEpochs { get; init; }

    /// <summary>The same rate throughout.</summary>
    public static LearningRateSchedule Constant() => new ConstantSchedule();

    /// <summary>Multiply the rate by <paramref name="factor"/> after each of the given epochs (after 150 means: from the 151st on).</summary>
    /// <remarks>
    /// A method of several stages restarts the schedule in each, so epochs are counted within a stage; a warning names drops after its end.
    /// </remarks>
    /// <param name="afterEpochs">Epochs of a stage completed before each drop, at least 1 and rising.</param>
    /// <param name="factor">The factor of each drop, in (0, 1].</param>
    public static LearningRateSchedule Step(IReadOnlyList<int> afterEpochs, double factor = 0.1)
    {
        ArgumentNullException.ThrowIfNull(afterEpochs);
        return new StepSchedule([.. afterEpochs], factor);
    }

    /// <summary>
    /// Half a cosine from the rate down to <paramref name="finalFactor"/> times it, step by step (Loshchilov and Hutter 2017, without restarts).
    /// </summary>
    /// <param name="finalFactor">Last rate over first, in [0, 1).</param>
    public static LearningRateSchedule Cosine(double finalFactor = 0) => new CosineSchedule(finalFactor);

    /// <summary>
    /// One cycle (Smith and Topin 2018, as PyTorch's OneCycleLR): a cosine rise to the peak, a cosine fall to almost nothing, and momentum the other way.
    /// </summary>
    /// <param name="riseFraction">Share of the steps that rise, in (0, 1).</param>
    /// <param name="startDivisor">Peak over first rate, at least 1.</param>
    /// <param name="finalDivisor">First over last rate, at least 1.</param>
    /// <param name="lowMomentum">Momentum (β₁ of AdamW) at the peak rate.</param>
    /// <param name="highMomentum">Momentum (β₁ of AdamW) at the ends.</param>
    public static LearningRateSchedule OneCycle(
        double riseFraction = 0.2, double startDivisor = 25, double finalDivisor = 1e4, double lowMomentum = 0.85, double highMomentum = 0.95) =>
        new OneCycleSchedule(riseFraction, startDivisor, finalDivisor, lowMomentum, highMomentum);

    /// <summary>The factor of the optimizer's rate for a step, with the warm-up.</summary>
    /// <param name="step">The step, from 0.</param>
    /// <param name="steps">Steps of the whole stage.</param>
    /// <param name="stepsPerEpoch">Steps of an epoch.</param>
    /// <exception cref="InvalidOperationException">The schedule gave a factor below 0, an infinite one or NaN.</exception>
    public double FactorAt(long step, long steps, int stepsPerEpoch)
    {
        var factor = BaseFactorAt(step, steps, stepsPerEpoch);
        if (!(factor >= 0 && double.IsFinite(factor)))
            throw new InvalidOperationException(Invariant($"The schedule {this} gave the factor {factor} for step {step} of {steps}; it must be 0 or more, and finite."));
        var warmUp = WarmupEpochs * stepsPerEpoch;
        return factor * (step < warmUp ? (step + 1) / (warmUp + 1) : 1);
    }

    /// <summary>The momentum for a step, in [0, 1); null for the optimizer's own.</summary>
    public virtual double? MomentumAt(long step, long steps) => null;

    /// <summary><see cref="MomentumAt"/>, checked.</summary>
    /// <exception cref="InvalidOperationException">The schedule gave a momentum outside [0, 1).</exception>
    internal double? CheckedMomentumAt(long step, long steps)
    {
        var momentum = MomentumAt(step, steps);
        return momentum is null or (>= 0 and < 1) ? momentum : throw new InvalidOperationException(Invariant($"The schedule {this} gave the momentum {momentum} for step {step} of {steps}; it must be in [0, 1), or null for the optimizer's own."));
    }

    /// <summary>Its kind and its settings, in a line where they fit in one.</summary>
    public sealed override string ToString() => SettingText.Describe(this);

    /// <summary>What is wrong with these settings, each as one sentence.</summary>
    public virtual IEnumerable<string> Validate() => Faults.AtLeast0("The schedule's WarmupEpochs", WarmupEpochs);

    /// <summary>Which setting has no effect in a stage of this many epochs, as one sentence; null if none.</summary>
    internal virtual string? Warning(int epochs) =>
        WarmupEpochs > epochs ? $"the warm-up of {WarmupEpochs} epochs is longer than the stage, which has {epochs}." : null;

    /// <summary>The factor of the optimizer's rate for a step, without the warm-up: 0 or more.</summary>
    /// <param name="step">The step, from 0.</param>
    /// <param name="steps">Steps of the whole stage.</param>
    /// <param name="stepsPerEpoch">Steps of an epoch.</param>
    protected abstract double BaseFactorAt(long step, long steps, int stepsPerEpoch);
}

internal sealed record ConstantSchedule : LearningRateSchedule
{
    protected override double BaseFactorAt(long step, long steps, int stepsPerEpoch) => 1;
}

internal sealed record StepSchedule(IReadOnlyList<int> AfterEpochs, double Factor) : LearningRateSchedule
{
    public override IEnumerable<string> Validate() =>
    [
        .. base.Validate(),
        .. Faults.Unless(Factor is > 0 and <= 1, $"The step schedule's factor must be in (0, 1]; was {Factor}."),
        .. Faults.Unless(AfterEpochs.All(epoch => epoch >= 1), $"The step schedule's epochs must be at least 1; were [{NumberText.Join(AfterEpochs)}]."),
        .. Faults.Unless(
            AfterEpochs.Zip(AfterEpochs.Skip(1)).All(pair => pair.First < pair.Second), $"The step schedule's epochs must rise; were [{NumberText.Join(AfterEpochs)}]."),
    ];

    internal override string? Warning(int epochs) => base.Warning(epochs) ?? (AfterEpochs.Any(epoch => epoch >= epochs)
        ? $"the learning rate is to drop after epochs {NumberText.Join(AfterEpochs)} of a stage, and this one has {epochs}."
        : null);

    protected override double BaseFactorAt(long step, long steps, int stepsPerEpoch) =>
        Math.Pow(Factor, AfterEpochs.Count(epoch => step >= (long)epoch * stepsPerEpoch));
}

internal sealed record CosineSchedule(double FinalFactor) : LearningRateSchedule
{
    public override IEnumerable<string> Validate() => base.Validate().Concat(Faults.ShareBelow1("The cosine schedule's final factor", FinalFactor));

    protected override double BaseFactorAt(long step, long steps, int stepsPerEpoch) =>
        FinalFactor + ((1 - FinalFactor) * (1 + Math.Cos(Math.PI * step / steps)) / 2);
}

internal sealed record OneCycleSchedule(double RiseFraction, double StartDivisor, double FinalDivisor, double LowMomentum, double HighMomentum)
    : LearningRateSchedule
{
    public override IEnumerable<string> Validate() =>
    [
        .. base.Validate(),
        .. Faults.Unless(RiseFraction is > 0 and < 1, $"The one-cycle schedule's riseFraction must be in (0, 1); was {RiseFraction}."),
        .. Faults.Unless(StartDivisor >= 1, $"The one-cycle schedule's startDivisor must be at least 1; was {StartDivisor}."),
        .. Faults.Unless(FinalDivisor >= 1, $"The one-cycle schedule's finalDivisor must be at least 1; was {FinalDivisor}."),
        .. Faults.Unless(
            LowMomentum >= 0 && LowMomentum <= HighMomentum && HighMomentum < 1,
            $"The one-cycle schedule's momenta must satisfy 0 ≤ low ≤ high < 1; were {LowMomentum} and {HighMomentum}."),
    ];

    public override double? MomentumAt(long step, long steps) => Between(step, steps, HighMomentum, LowMomentum, HighMomentum);

    protected override double BaseFactorAt(long step, long steps, int stepsPerEpoch) =>
        Between(step, steps, 1 / StartDivisor, 1, 1 / StartDivisor / FinalDivisor);

    // PyTorch's OneCycleLR: the rise ends at step riseFraction * steps - 1 (a fraction), the fall at the last step.
    private double Between(long step, long steps, double first, double peak, double last)
    {
        var top = (RiseFraction * steps) - 1;
        if (step <= top)
            return Anneal(first, peak, top <= 0 ? 1 : step / top);
        var fall = steps - 1 - top;
        return Anneal(peak, last, fall <= 0 ? 1 : (step - top) / fall);
    }

    private static double Anneal(double from, double to, double share) => to + ((from - to) / 2 * (1 + Math.Cos(Math.PI * share)));
}
