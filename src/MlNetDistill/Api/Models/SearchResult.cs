using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Evaluation;

namespace MlNetDistill;

/// <summary>What a search found: the best distilled student, the best student alone, and which of them to use.</summary>
/// <remarks>
/// Everything was chosen by the <see cref="ChoosingRows"/>. What is best of many on some rows looks better there than it is, so <see cref="Metrics"/>,
/// <see cref="Gain"/> and <see cref="Verdict"/> are of other rows, which no training and no choice has used.
/// </remarks>
public sealed record SearchResult
{
    /// <summary>What was looked for.</summary>
    public required SearchGoal Goal { get; init; }

    /// <summary>All candidates: the distilled ones, then the student alone; those trained longest first, and among these the best first.</summary>
    public required IReadOnlyList<SearchTrial> Leaderboard { get; init; }

    /// <summary>The best distilled candidate.</summary>
    public required SearchTrial Best { get; init; }

    /// <summary>The best candidate trained on labels alone, with the network of <see cref="Best"/>.</summary>
    public required SearchTrial BestAlone { get; init; }

    /// <summary>Whether the student alone is the better one on the judging rows: whether the whole interval of <see cref="Gain"/> is below 0.</summary>
    public required bool PrefersAlone { get; init; }

    /// <summary>
    /// The trainer's options with the settings of <see cref="Model"/>: give them to <c>Distill</c> to train on all rows, with the trainer's own number of epochs and
    /// held-out rows.
    /// </summary>
    public required DistillationOptions Options { get; init; }

    /// <summary>
    /// The student to use, trained on the rows that were not held out: the best distilled one, or, if <see cref="PrefersAlone"/>, the student alone.
    /// </summary>
    public required DistillationTransformer Model { get; init; }

    /// <summary>The student of <see cref="BestAlone"/>, trained on the same rows.</summary>
    public required DistillationTransformer Alone { get; init; }

    /// <summary>The steps before the trainer, where they were given, and <see cref="Model"/>, as one model.</summary>
    public TransformerChain<DistillationTransformer> Pipeline => new([.. Steps is null ? [] : new[] { Steps }, Model]);

    /// <summary>The best distilled student and its teacher on the judging rows.</summary>
    public required DistillationMetrics Metrics { get; init; }

    /// <summary>The student alone and the teacher on the judging rows.</summary>
    public required DistillationMetrics AloneMetrics { get; init; }

    /// <summary>What the best distilled student has more than the student alone of what the goal measures, on the judging rows, row by row.</summary>
    public required Estimate Gain { get; init; }

    /// <summary>The accuracy of the best distilled student minus that of the student alone on the judging rows.</summary>
    public required Estimate AccuracyGain { get; init; }

    /// <summary>The same for the agreement with the teacher.</summary>
    public required Estimate AgreementGain { get; init; }

    /// <summary>The teacher's accuracy on the rows by which candidates were chosen.</summary>
    public required double TeacherAccuracy { get; init; }

    /// <summary>Number of rows by which candidates were chosen.</summary>
    public required long ChoosingRows { get; init; }

    /// <summary>Training steps of all candidates together.</summary>
    public required long TrainingSteps { get; init; }

    /// <summary>Training steps of one fit with the trainer's options.</summary>
    public required long StepsOfOneFit { get; init; }

    /// <summary>Training time of all candidates together.</summary>
    public required TimeSpan Elapsed { get; init; }

    /// <summary>Whether the teacher most likely was trained on the held-out rows.</summary>
    internal bool TeacherKnowsRows { get; init; }

    /// <summary>The fitted steps before the trainer, or null.</summary>
    internal ITransformer? Steps { get; init; }

    /// <summary>Whether distilling paid, in sentences.</summary>
    public string Verdict => SearchVerdict.Write(this);

    /// <summary>The leaderboard and the verdict, on one screen.</summary>
    public override string ToString() => SearchTable.Format(this);
}
