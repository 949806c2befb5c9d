using MlNetDistill.Core;

namespace MlNetDistill.Methods;

/// <summary>
/// The settings of <see cref="DistillationMethod.MetaDistil"/>. Defaults marked (code) are those of the image part of the official code, JetRunner/MetaDistil 80e60c1
/// (CIFAR-100, 240 epochs); it has none for the others, and those are our choice.
/// </summary>
public sealed record MetaDistilOptions
{
    /// <summary>Softening divisor T, above 0; null for 4 (code) if the student reads images and the teacher gives logits, else 1.</summary>
    [WhenNull(KdDefaults.Text)]
    public double? Temperature { get; init; }

    /// <summary>Share of the teacher's term, in (0, 1]; the rest is the labels'. Null for 0.9 if the student reads images and the teacher gives logits, else 0.5.</summary>
    [WhenNull(KdDefaults.Text)]
    public double? Alpha { get; init; }

    /// <summary>How the student's logits are compared with the teacher's.</summary>
    public MetaDistilLoss SoftLoss { get; init; }

    /// <summary>The step size η of the pilot, above 0: 0.05 (code). It is scaled by the student's schedule; the code lowers both at the same epochs.</summary>
    public double PilotLearningRate { get; init; } = 0.05;

    /// <summary>
    /// Updates the copy of the teacher; SGD at 0.001 with momentum 0.9 and weight decay 5e-4. The code's rate is 0.05, with all of the quiz in each round; with one batch of it, a
    /// small ResNet that was trained by AdamW lost what it knew at that rate.
    /// </summary>
    public Optimizer TeacherOptimizer { get; init; } = Optimizer.Sgd(0.001, momentum: 0.9, nesterov: false, weightDecay: 5e-4);

    /// <summary>The teacher's learning rate over the phase; null for the schedule of the student.</summary>
    public LearningRateSchedule? TeacherSchedule { get; init; }

    /// <summary>
    /// The share of the epochs, in [0, 1), in which the copy of the teacher stays as it is: 0.625, as the code's teacher has the learning rate 0 in 150 of 240 epochs.
    /// These epochs are plain KD with a teacher that is queried in each step and cost as little; the code computes the teacher's gradients in them too, so its momentum is
    /// not 0 when the teacher begins to move, and ours is.
    /// </summary>
    public double FixedTeacherShare { get; init; } = 0.625;

    /// <summary>The share of the labelled training rows, drawn by the seed, that are the quiz: neither student nor teacher trains on them in this method. In (0, 1).</summary>
    public double QuizShare { get; init; } = 0.1;

    /// <summary>Quiz batches of a round, drawn anew each time, at least 1; null for all of them in each round, as the code does, which costs a pass over the quiz a step.</summary>
    [WhenNull("all")]
    public int? QuizBatches { get; init; } = 1;

    /// <summary>Training batches of a round, at least 1: 1 (code). More make the pilot take several steps, and the student several with one teacher.</summary>
    public int BatchesPerRound { get; init; } = 1;

    /// <summary>The settings, in one line if they fit.</summary>
    public override string ToString() => SettingText.Describe(this);

    internal IEnumerable<string> Validate() =>
    [
        .. Faults.Above0("MetaDistil's Temperature", Temperature),
        .. Faults.Unless(Alpha is null or (> 0 and <= 1), $"MetaDistil's Alpha must be in (0, 1], as the teacher learns through its term; was {Alpha}."),
        .. Faults.Defined("MetaDistil's SoftLoss", SoftLoss),
        .. Faults.Above0("MetaDistil's PilotLearningRate", PilotLearningRate),
        .. Faults.Unless(TeacherOptimizer is not null, $"MetaDistil's TeacherOptimizer must be given; it is null."),
        .. (TeacherOptimizer?.Validate() ?? []).Concat(TeacherSchedule?.Validate() ?? []).Select(fault => $"MetaDistil's teacher: {fault}"),
        .. Faults.ShareBelow1("MetaDistil's FixedTeacherShare", FixedTeacherShare),
        .. Faults.Unless(QuizShare is > 0 and < 1, $"MetaDistil's QuizShare must be in (0, 1); was {QuizShare}."),
        .. Faults.AtLeast(1, "MetaDistil's QuizBatches", QuizBatches),
        .. Faults.AtLeast(1, "MetaDistil's BatchesPerRound", BatchesPerRound),
    ];
}

/// <summary>How MetaDistil compares the student's logits s with the teacher's t.</summary>
public enum MetaDistilLoss
{
    /// <summary>T² · mean over rows of KL(softmax(t / T) ‖ softmax(s / T)), as in KD.</summary>
    Divergence,

    /// <summary>Mean over rows and classes of ((s - t) / T)².</summary>
    SquaredDifference,
}
