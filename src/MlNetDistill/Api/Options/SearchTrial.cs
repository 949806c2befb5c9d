using MlNetDistill.Methods;
using MlNetDistill.Networks;
using static System.FormattableString;

namespace MlNetDistill;

/// <summary>A candidate of a search, and what came of it.</summary>
public sealed record SearchTrial
{
    /// <summary>Its number, from 1 in the order in which candidates are first trained.</summary>
    public required int Number { get; init; }

    /// <summary>How it is trained; on labels alone for the student alone.</summary>
    public required DistillationMethod Method { get; init; }

    /// <summary>The peak learning rate.</summary>
    public required double LearningRate { get; init; }

    /// <summary>The network.</summary>
    public required NetworkSpec Student { get; init; }

    /// <summary>The transfer rows that it learns from beside the training rows; null for none.</summary>
    public TransferRows? TransferRows { get; init; }

    /// <summary>Number of trained parameters.</summary>
    public required long Parameters { get; init; }

    /// <summary>Its trainings, from the shortest to the longest. Each begins with new weights.</summary>
    public IReadOnlyList<SearchRung> Rungs { get; init; } = [];

    /// <summary>Why its last training ended without a student, for example with a loss that is not finite; null if none failed.</summary>
    public string? Failure { get; init; }

    /// <summary>Bytes of the saved model; null unless there is a <see cref="Chosen"/> one.</summary>
    public long? ZipBytes { get; init; }

    /// <summary>Median time of a row in µs, through <c>Transform</c> of many rows; null unless there is a <see cref="Chosen"/> training.</summary>
    public double? MicrosecondsPerRow { get; init; }

    /// <summary>Whether it learns from labels alone.</summary>
    public bool IsAlone => Method.IsLabelsOnly;

    /// <summary>
    /// The training whose student stands for it: of a candidate that was trained in full, the best of its trainings by the goal, because a longer one is not always better;
    /// among equals the longer. Null for other candidates.
    /// </summary>
    public SearchRung? Chosen { get; init; }

    /// <summary>The training by which it is ranked and shown.</summary>
    internal SearchRung? Ranked => Chosen ?? Last;

    /// <summary>Its longest training; null if there is none that gave a student.</summary>
    public SearchRung? Last => Rungs.Count > 0 ? Rungs[^1] : null;

    /// <summary>The settings and the results in one line.</summary>
    public override string ToString() => Invariant($"{Number}: {Setting}") + (Failure ?? (Ranked is null ? "" : $": {Ranked}"));

    /// <summary>Its settings in one line.</summary>
    internal string Setting => Invariant($"{Method}, rate {LearningRate:G3}, {Student.Name}{(TransferRows is null ? "" : $", {TransferRows.Short}")}");
}

/// <summary>A training of a candidate, and its result on the rows by which candidates are chosen.</summary>
/// <param name="Epochs">
/// Passes over the rows that the trainer itself would train on. Candidates with other rows, and the student alone, which has only those with labels, take as many steps.
/// </param>
/// <param name="Steps">Training steps.</param>
/// <param name="Accuracy">Share of the rows whose label is predicted, in [0, 1].</param>
/// <param name="Agreement">Share of the rows for which the student predicts the same class as the teacher, in [0, 1].</param>
/// <param name="Loss">Mean cross-entropy with the labels, in nats.</param>
/// <param name="TeacherLoss">Mean cross-entropy with the teacher's probabilities, in nats.</param>
/// <param name="Duration">Time of the training.</param>
public sealed record SearchRung(int Epochs, long Steps, double Accuracy, double Agreement, double Loss, double TeacherLoss, TimeSpan Duration)
{
    /// <summary>The length and the results in one line.</summary>
    public override string ToString() => Invariant($"{Epochs} epochs, accuracy {Accuracy:0.0000}, agreement {Agreement:0.0000}, loss {Loss:0.0000}");
}
