using System.Diagnostics.CodeAnalysis;
using MlNetDistill.Core;
using MlNetDistill.Data;
using MlNetDistill.Losses;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Training;

namespace MlNetDistill;

/// <summary>All settings of an <see cref="EmbeddingTrainer"/>. They are checked when the trainer is made, all at once.</summary>
public sealed partial record EmbeddingOptions
{
    /// <summary>The teacher whose embeddings are distilled.</summary>
    public required EmbeddingTeacher Teacher { get; init; }

    /// <summary>The network to train: its last layer gives the embedding instead of classes.</summary>
    public required NetworkSpec Student { get; init; }

    /// <summary>Length of the student's embedding, at least 1; null for the teacher's.</summary>
    public int? EmbeddingLength { get; init; }

    /// <summary>
    /// What the student learns from the teacher's embeddings: <see cref="MimicLoss"/> by default; <see cref="CosineLoss"/>, <see cref="CorrelationCongruenceLoss"/> and
    /// <see cref="RkdLoss"/> are others, alone or as a weighted sum. It reads embeddings and no logits.
    /// </summary>
    /// <remarks>
    /// Mimic and cosine give the student the teacher's space: its embeddings can be compared with those of the teacher (<see cref="DistilledEmbedding.MapTeacher"/>).
    /// Losses over pairs of rows alone leave the rotation free: the student's embeddings can only be compared with each other.
    /// </remarks>
    public DistillationLoss Loss { get; init; } = new MimicLoss();

    /// <summary>A training head over the labels, beside the loss of the teacher; null, the default, for none: no label is read then.</summary>
    public MarginHead? Head { get; init; }

    /// <summary>How the training is divided: one stage by default, a route of teachers, or stage by stage.</summary>
    public EmbeddingMethod Method { get; init; } = EmbeddingMethod.OneStage();

    /// <summary>How embeddings of other lengths are compared.</summary>
    public WidthMatching Matching { get; init; } = WidthMatching.Auto;

    /// <summary>The student's features: a vector of known size, of Single or Byte values, dense or sparse.</summary>
    public string FeatureColumnName { get; init; } = "Features";

    /// <summary>Name of the output column, a vector of Single of length 1.</summary>
    public string OutputColumnName { get; init; } = "Embedding";

    /// <summary>A label, a key column, for a <see cref="Head"/> and for batches by class; null for none. Rows without a label learn from the teacher alone.</summary>
    public string? LabelColumnName { get; init; }

    /// <summary>Example weights (Single, at least 0), or null for none.</summary>
    public string? ExampleWeightColumnName { get; init; }

    /// <summary>Passes over the training rows, at least 1; null for 30, or with few rows as many as make 500 steps.</summary>
    public int? Epochs { get; init; }

    /// <summary>Most rows of a training step, at least 1.</summary>
    public int BatchSize { get; init; } = 128;

    /// <summary>Which rows form a batch; shuffled by default. Batches by class or by clusters of the teacher's embeddings help losses over pairs of rows.</summary>
    public BatchSampling Sampling { get; init; } = BatchSampling.Shuffled();

    /// <summary>
    /// Random changes of the training rows, in the order in which they are applied; none by default. Student and teacher get the same changed row, so the teacher must be a
    /// model over the student's features (an ONNX file, a module, a network). It is then queried in every step.
    /// </summary>
    public IReadOnlyList<Augmentation> Augmentations { get; init; } = [];

    /// <summary>
    /// Rows that the student is also trained on, with the teacher's embeddings of them: made up from the training rows, or your own. Null for none. They go through the steps
    /// before the trainer, so that every teacher that can be asked answers for them.
    /// </summary>
    public TransferRows? TransferRows { get; init; }

    /// <summary>The optimiser; null, the default, for AdamW with the student's <see cref="NetworkSpec.DefaultLearningRate"/>.</summary>
    [AllowNull]
    public Optimizer Optimizer
    {
        get => field ?? (Student is null ? Optimizer.AdamW() : Optimizer.AdamW(Student.DefaultLearningRate));
        init;
    }

    /// <summary>The learning-rate schedule; one cycle by default.</summary>
    public LearningRateSchedule Schedule { get; init; } = LearningRateSchedule.OneCycle();

    /// <summary>Largest norm of a step's gradient, above 0; null for no limit.</summary>
    public double? GradientClipping { get; init; }

    /// <summary>Share of the rows held out for validation, of those with a label if there are labels, in [0, 1); 0 for none. Drawn with the seed.</summary>
    public double ValidationFraction { get; init; }

    /// <summary>A Boolean column that is true where a row is held out for validation; null for none.</summary>
    public string? ValidationColumnName { get; init; }

    /// <summary>When to stop early; null to train all epochs. With held-out rows, the best epoch is restored in both cases.</summary>
    public EarlyStopping? EarlyStopping { get; init; }

    /// <summary>Seed of all random numbers; null to draw one from the MLContext.</summary>
    public int? Seed { get; init; }

    /// <summary>Where tensors live; null follows the MLContext.</summary>
    public TrainingDevice? Device { get; init; }

    /// <summary>
    /// The precision of the passes of training; 32-bit floats by default. With <see cref="TrainingPrecision.BFloat16"/>, the student's convolutions and linear layers compute in
    /// bfloat16; see <see cref="DistillationOptions.Precision"/>. The teacher is queried in 32-bit floats.
    /// </summary>
    public TrainingPrecision Precision { get; init; }

    /// <summary>Shape of the images in the feature column; null to take it from the student or from the column's own dimensions.</summary>
    public InputShape? ImageShape { get; init; }

    /// <summary>What to do with rows whose features or embeddings of the teacher are NaN or infinite, or whose embedding of the teacher is shorter than 1e-6.</summary>
    public MissingFeatures MissingFeatures { get; init; } = MissingFeatures.Error;

    /// <summary>Whether rows are kept in memory or, beyond a limit, in a file; by default half of the memory that is free.</summary>
    public RowStorageOptions RowStorage { get; init; } = new();

    /// <summary>
    /// A directory in which the state of the training is saved now and then, so that a training that was interrupted can go on; created if it does not exist. Null, the
    /// default, for none. <c>Fit</c> with the same options, rows and teacher continues there, and on a CPU ends with the student of a training that was not interrupted, bit
    /// for bit; after the last epoch it returns the student that was trained. Each training needs a directory of its own. <c>Checkpoint.Open</c> looks into it.
    /// </summary>
    public string? CheckpointDirectory { get; init; }

    /// <summary>When checkpoints are saved, how many are kept, and what happens if the directory belongs to another training. Of no effect without <see cref="CheckpointDirectory"/>.</summary>
    public CheckpointOptions Checkpoints { get; init; } = new();

    /// <summary>Stops the training when cancelled.</summary>
    public CancellationToken CancellationToken { get; init; }

    /// <summary>What a cancelled training does.</summary>
    public CancellationBehavior OnCancellation { get; init; } = CancellationBehavior.Throw;

    /// <summary>
    /// The longest time that the networks of this fit train, all together: a teacher that is trained in the fit, the student. It counts steps and
    /// validation, and the queries of a teacher between stages; not reading the rows, checks, the queries before the first stage, and export. When it is used up, the training ends before its
    /// next step. Null for no limit. A student that was ended by time depends on the speed of the machine, so the same seed need not give it again.
    /// </summary>
    public TimeSpan? MaxTrainingTime { get; init; }

    /// <summary>
    /// What a training does when <see cref="MaxTrainingTime"/> is used up: by default it returns the best student so far, with a warning; or it throws
    /// <see cref="TrainingTimeoutException"/>. A teacher that is trained in the fit always throws, because one that is partly trained is not used, and so does a student before its first step.
    /// </summary>
    public CancellationBehavior OnTimeUp { get; init; } = CancellationBehavior.ReturnBest;

    /// <summary>
    /// What training does where a loss or a gradient is NaN or infinite: by default it stops within the step (<see cref="NonFiniteHandling.Stop"/>); or it skips the batch
    /// (<see cref="NonFiniteHandling.SkipBatch"/>), or goes back to the last good epoch with a lower learning rate (<see cref="NonFiniteHandling.GoBack"/>).
    /// </summary>
    public NonFiniteHandling OnNonFinite { get; init; } = NonFiniteHandling.Stop;

    /// <summary>
    /// Whether the norm of the gradient and the largest logit are measured in every step and reported once an epoch (<see cref="TrainingProgress.MeanGradientNorm"/>,
    /// <see cref="TrainingProgress.LargestLogit"/>). False by default, because a step of a small network takes noticeably longer. With <see cref="GradientClipping"/> the norm is
    /// reported in any case.
    /// </summary>
    public bool MeasureTraining { get; init; }

    /// <summary>Receives the state of training after every epoch.</summary>
    public IProgress<TrainingProgress>? Progress { get; init; }
}
