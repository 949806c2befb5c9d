using MlNetDistill.Core;
using MlNetDistill.Losses;
using MlNetDistill.Networks;

namespace MlNetDistill.Methods;

/// <summary>
/// A phase in which the student and a copy of its teacher train: the student on the loss of a stage, the copy on how well the student does on a quiz after it learnt from
/// the copy (Zhou et al., ACL 2022). The quiz is a share of the labelled training rows on which neither trains in this phase.
/// </summary>
/// <remarks>
/// A round: (1) a pilot, the student after plain gradient descent on the batches of the round; (2) one step of the teacher's optimizer along the gradient of the pilot's
/// quiz loss in the weights of the teacher, through (1); (3) the student as it was before (1) trains on the same batches with the new teacher.
/// </remarks>
/// <param name="Student">
/// How the student trains. Its teacher must be a network that can be copied, and each term of its loss must read labels alone or be a <see cref="KdLoss"/> or a <see cref="LogitMatchingLoss"/>.
/// </param>
/// <param name="TeacherOptimizer">Updates the weights of the copy.</param>
/// <param name="PilotLearningRate">The step size η of the pilot, above 0; scaled by the student's schedule.</param>
public sealed record BilevelStage(Stage Student, Optimizer TeacherOptimizer, double PilotLearningRate) : TrainingPhase(Student.Name, Student.Epochs)
{
    /// <summary>The share of the labelled training rows that are the quiz, in (0, 1).</summary>
    public double QuizShare { get; init; } = 0.1;

    /// <summary>The quiz batches of a round, drawn anew each time, at least 1; null for all of them in each round.</summary>
    public int? QuizBatches { get; init; } = 1;

    /// <summary>The training batches of a round, at least 1.</summary>
    public int BatchesPerRound { get; init; } = 1;

    /// <summary>The teacher's learning rate over the phase; null for the schedule of the student.</summary>
    public LearningRateSchedule? TeacherSchedule { get; init; }

    /// <summary>The first epochs, in which the copy stays as it is and the student learns without rounds: 0 for none.</summary>
    public int FixedTeacherEpochs { get; init; }

    /// <summary>The loss of the quiz, a loss over labels.</summary>
    public DistillationLoss QuizLoss { get; init; } = new CrossEntropyLoss();

    /// <summary>What it trains, on which loss and for how long.</summary>
    public override string ToString() => $"{StudentStage}, and a copy of its teacher by {TeacherOptimizer}";

    // An epoch before the first round is one of plain KD: it is not kept as the best, and does not count towards an early stop.
    internal override Stage StudentStage => Student with
    {
        Name = Name,
        Epochs = Epochs,
        JudgedFrom = FixedTeacherEpochs < Epochs ? Math.Max(Student.JudgedFrom, FixedTeacherEpochs + 1) : Student.JudgedFrom,
    };

    internal override bool ReadsTeacher => false;

    /// <summary>What is wrong with its settings, each as one sentence.</summary>
    internal IEnumerable<string> Validate()
    {
        foreach (var fault in NumberFaults())
            yield return fault;
        if (TeacherOptimizer is null)
            yield return $"Its {nameof(TeacherOptimizer)} must be given; it is null.";
        foreach (var fault in (TeacherOptimizer?.Validate() ?? []).Concat(TeacherSchedule?.Validate() ?? []))
            yield return $"Teacher: {fault}";
        if (QuizLoss is not { TeacherNeeds: ModelOutputs.None, StudentNeeds: ModelOutputs.Logits })
            yield return $"Its {nameof(QuizLoss)} must be a loss over labels and the student's logits; it is {QuizLoss?.Name ?? "null"}.";
        foreach (var term in Student.Loss?.Terms ?? [])
        {
            if (term.Loss.StudentNeeds != ModelOutputs.Logits)
                yield return $"Its loss term '{term.Loss.Name}' reads {term.Loss.StudentNeeds} of the student; a round computes the student's logits alone. Train this term in a Stage, with a fixed teacher.";
            if (term.Loss.TeacherNeeds != ModelOutputs.None && !term.Loss.ReachesTeacher)
            {
                yield return $"Its loss term '{term.Loss.Name}' has no gradient towards the teacher that can be differentiated again. The teacher can be trained through 'kd' (KdLoss) and 'logitMatching' (LogitMatchingLoss); " +
                    "take one of them, or train this loss in a Stage, with a fixed teacher.";
            }
        }

        if (Student.Loss is { } loss && !loss.Terms.Any(term => term.Loss.ReachesTeacher && term.Weight > 0))
            yield return "No term of its loss that has a weight reads the teacher, so the teacher would have nothing to learn from. Add a KdLoss or a LogitMatchingLoss.";
        if (Student.Trains is { } part && part != NetworkPart.Whole)
            yield return $"It trains a part of the student ({part}); the pilot needs the whole.";
    }

    private IEnumerable<string> NumberFaults() =>
    [
        .. Faults.Above0($"Its {nameof(PilotLearningRate)}", PilotLearningRate),
        .. Faults.Unless(QuizShare is > 0 and < 1, $"Its {nameof(QuizShare)} must be in (0, 1); was {QuizShare}."),
        .. Faults.AtLeast(1, $"Its {nameof(QuizBatches)}", QuizBatches),
        .. Faults.AtLeast(1, $"Its {nameof(BatchesPerRound)}", BatchesPerRound),
        .. Faults.AtLeast(0, $"Its {nameof(FixedTeacherEpochs)}", FixedTeacherEpochs),
    ];
}
