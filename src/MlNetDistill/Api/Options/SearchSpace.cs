using MlNetDistill.Core;
using MlNetDistill.Methods;
using MlNetDistill.Networks;

namespace MlNetDistill;

/// <summary>What a search varies. A list that is null has a default, which depends on the trainer's own settings.</summary>
/// <remarks>
/// All combinations are candidates. If there are more than <see cref="SearchOptions.Trials"/>, a sample is drawn in which every value of every list occurs about
/// equally often; the trainer's own settings are always among them, if they are in the space.
/// </remarks>
public sealed record SearchSpace
{
    /// <summary>
    /// Methods other than the labels alone; settings that depend on the teacher are those for the trainer's. One that asks no teacher, such as label smoothing, is
    /// trained on the labelled rows, without transfer rows. By default the trainer's own, KD at temperatures 1, 2 and 4 with alpha 0.5, 0.9 and 1, and DIST (except with example weights or
    /// two classes, for which it is not made). Training on labels alone is always searched beside them.
    /// </summary>
    public IReadOnlyList<DistillationMethod>? Methods { get; init; }

    /// <summary>Peak learning rates, each above 0; a fifth of the trainer's own, this, and five times it by default. The student alone is searched at the same rates.</summary>
    public IReadOnlyList<double>? LearningRates { get; init; }

    /// <summary>
    /// Students. By default the trainer's own; for the goal <see cref="SearchGoal.SmallestStudent"/>, if that is a perceptron, also those with an eighth, a quarter and
    /// half the width of its layers.
    /// </summary>
    public IReadOnlyList<NetworkSpec>? Students { get; init; }

    /// <summary>
    /// Transfer rows, where null stands for none. By default none and the trainer's own; if that has none, none and <see cref="MlNetDistill.TransferRows.Munge"/> with 2 and
    /// with 5 copies, unless the features are an image or very many (more than 50 million numbers in all these rows), or the teacher or the steps before the trainer cannot
    /// take rows that are made up; the log says so then. All are made, and answered by the teacher, once for all candidates. <c>[null]</c> makes none.
    /// </summary>
    public IReadOnlyList<TransferRows?>? TransferRows { get; init; }

    /// <summary>KD with every temperature and every alpha.</summary>
    /// <param name="temperatures">Softening divisors, each above 0.</param>
    /// <param name="alphas">Shares of the teacher's term, each in [0, 1].</param>
    public static IReadOnlyList<DistillationMethod> Kd(IReadOnlyList<double> temperatures, IReadOnlyList<double> alphas)
    {
        ArgumentNullException.ThrowIfNull(temperatures);
        ArgumentNullException.ThrowIfNull(alphas);
        return [.. temperatures.SelectMany(temperature => alphas.Select(alpha => DistillationMethod.Kd(temperature, alpha)))];
    }

    /// <summary>The lists that are given.</summary>
    public override string ToString() => SettingText.Describe(this, includeNull: false);

    internal IEnumerable<string> Validate() =>
    [
        .. ListFaults(nameof(Methods), Methods, method => method.Validate()),
        .. ListFaults(nameof(Students), Students, student => student.Validate()),
        .. Faults.Unless(TransferRows is not { Count: 0 }, $"Space.TransferRows must hold at least one value, which may be null for no such rows, or be null for the default."),
        .. (TransferRows ?? []).SelectMany(rows => rows?.Validate() ?? []),
        .. Faults.Unless(LearningRates is not { Count: 0 }, $"Space.LearningRates must hold at least one rate, or be null for the default."),
        .. (LearningRates ?? []).SelectMany(rate => Faults.Above0("Each of Space.LearningRates", rate)),
        .. (Methods ?? []).Where(method => method?.IsLabelsOnly == true).Select(
            method => $"Space.Methods must not hold '{method.Name}', which learns from labels alone: the student alone is always searched beside the methods. Leave it out."),
    ];

    private static IEnumerable<string> ListFaults<T>(string name, IReadOnlyList<T>? list, Func<T, IEnumerable<string>> validate)
        where T : class =>
        list is { Count: 0 } ? [$"Space.{name} must hold at least one value, or be null for the default."]
        : (list ?? []).SelectMany(value => value is null ? [$"Space.{name} holds a null; leave it out."] : validate(value));
}
