using MlNetDistill.Core;

namespace MlNetDistill;

/// <summary>How <see cref="DistillationTrainer.Search(Microsoft.ML.IDataView, SearchOptions?)"/> searches. The options are checked when the search begins, all at once.</summary>
public sealed record SearchOptions
{
    /// <summary>What is varied.</summary>
    public SearchSpace Space { get; init; } = new();

    /// <summary>What is looked for; the best accuracy by default.</summary>
    public SearchGoal Goal { get; init; } = SearchGoal.Accuracy();

    /// <summary>
    /// Most candidates that are trained with the shortest schedule, at least 1. There are fewer if the space is smaller or the budget does not suffice.
    /// </summary>
    public int Trials { get; init; } = 16;

    /// <summary>
    /// Most training steps of the whole search, the student alone included, in units of one training with the trainer's own number of epochs; at least 2, because one
    /// distilled student and one alone are trained in full. As steps are counted and no time, the same search always does the same.
    /// </summary>
    public double Budget { get; init; } = 10;

    /// <summary>
    /// Fewest steps of a training, at least 1; the shortest schedules are lengthened to it, at most to the full one, because the order of students that have hardly begun to
    /// learn says little. The budget holds all the same: fewer candidates are tried.
    /// </summary>
    public int MinimumSteps { get; init; } = 200;

    /// <summary>
    /// Most time for the trainings, above 0; null for no limit. The first training is timed, the limit becomes a smaller <see cref="Budget"/>, and fewer candidates are
    /// tried. It is an estimate, which larger students than the first exceed, and other machines try other numbers of candidates.
    /// </summary>
    public TimeSpan? TimeLimit { get; init; }

    /// <summary>
    /// Share of the labelled rows by which candidates are chosen, in (0, 1). Nothing is trained on them. If the trainer has a validation column, its rows are divided
    /// in the proportion of this and <see cref="JudgeFraction"/>; if the trainer holds out rows, every training is validated on the rows by which candidates are chosen.
    /// </summary>
    public double ValidationFraction { get; init; } = 0.15;

    /// <summary>Share of the labelled rows that only judge the result, in (0, 1): nothing is trained on them, and nothing is chosen by them.</summary>
    public double JudgeFraction { get; init; } = 0.15;

    /// <summary>
    /// A folder in which every finished training is kept; null for none. A second search with the same rows, teacher and options continues there, and gives the same
    /// result as one that was not interrupted. Other rows, options or versions of the library have sub-folders of their own.
    /// </summary>
    public string? Folder { get; init; }

    /// <summary>
    /// Receives the state of the search after every epoch and every training. An exception that it throws is logged as a warning, and the search continues; to stop it,
    /// cancel the trainer's <see cref="DistillationOptions.CancellationToken"/>. The trainer's own progress receives nothing.
    /// </summary>
    public IProgress<SearchProgress>? Progress { get; init; }

    /// <summary>Its settings, one on each line.</summary>
    public override string ToString() => SettingText.Describe(this, includeNull: false);

    /// <exception cref="ArgumentOutOfRangeException">Settings are out of their ranges; the message names every one.</exception>
    internal void Check() => Faults.ThrowIfAny(Validate(), "options");

    private IEnumerable<string> Validate() =>
    [
        .. Space?.Validate() ?? ["Space must be set; new SearchSpace() has the defaults."],
        .. Goal?.Validate() ?? ["Goal must be set, for example to SearchGoal.Accuracy()."],
        .. Faults.AtLeast(1, nameof(Trials), Trials),
        .. Faults.Unless(Budget is >= 2 and < double.PositiveInfinity, $"Budget must be at least 2, for one distilled student and one alone; was {Budget}."),
        .. Faults.AtLeast(1, nameof(MinimumSteps), MinimumSteps),
        .. Faults.Above0(nameof(TimeLimit), TimeLimit),
        .. Faults.Unless(ValidationFraction is > 0 and < 1, $"ValidationFraction must be in (0, 1); was {ValidationFraction}."),
        .. Faults.Unless(JudgeFraction is > 0 and < 1, $"JudgeFraction must be in (0, 1); was {JudgeFraction}."),
        .. Faults.Unless(
            !(ValidationFraction + JudgeFraction >= 1),
            $"ValidationFraction and JudgeFraction must sum to less than 1, or no row is left to train on; were {ValidationFraction} and {JudgeFraction}."),
        .. Faults.NameOrNull(nameof(Folder), "a folder's name, or null for none", Folder),
    ];
}
