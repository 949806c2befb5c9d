using static System.FormattableString;

namespace MlNetDistill.Losses;

/// <summary>Checks of constructor arguments, which give the argument back.</summary>
internal static class Require
{
    public static double Temperature(double value, string parameter) => value > 0 && double.IsFinite(value)
        ? value
        : throw new ArgumentOutOfRangeException(parameter, Invariant($"The temperature must be above 0. It was {value}."));

    public static double Weight(double value, string parameter) => value >= 0 && double.IsFinite(value)
        ? value
        : throw new ArgumentOutOfRangeException(parameter, Invariant($"The weight must be at least 0. It was {value}."));

    public static int Tap(int value, string parameter) => value >= 0
        ? value
        : throw new ArgumentOutOfRangeException(parameter, Invariant($"Taps count from 0. It was {value}."));

    /// <summary>The two parts of a loss cannot both be switched off.</summary>
    public static void EitherWeight(double first, double second, string parameter)
    {
        if (first == 0 && second == 0)
            throw new ArgumentOutOfRangeException(parameter, "One of the two weights must be above 0. Both were 0.");
    }
}
