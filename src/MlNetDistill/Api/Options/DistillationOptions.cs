using System.Diagnostics.CodeAnalysis;
using Microsoft.ML;
using MlNetDistill.Cache;
using MlNetDistill.Core;
using MlNetDistill.Data;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Training;

namespace MlNetDistill;

/// <summary>All settings of a <see cref="DistillationTrainer"/>. They are checked when the trainer is made, all at once.</summary>
public sealed partial record DistillationOptions
{
    private const int DefaultEpochs = 30;

    // Fewer steps hardly move a network away from its random weights; many more learn few rows by heart, with a teacher as without.
    private const int FewestSteps = 500;

    /// <summary>The teacher whose knowledge is distilled. Required, unless the method needs none (<see cref="DistillationMethod.LabelsOnly"/>).</summary>
    public Teacher? Teacher { get; init; }

    /// <summary>The network to train.</summary>
    public required NetworkSpec Student { get; init; }

    /// <summary>Weights that the student starts from; null for fresh ones drawn from the seed.</summary>
    public InitialWeights? InitialWeights { get; init; }

    /// <summary>How it is distilled; KD by default.</summary>
    public DistillationMethod Method { get; init; } = DistillationMethod.Kd();

    /// <summary>
    /// The label: a key column (create one with <c>MapValueToKey</c>). Null if the data have none: the student then learns from its teacher alone and has the
    /// teacher's classes. A key column without a value in any row can be used too, with <see cref="MissingLabels.TeacherOnly"/>: its key values name the classes.
    /// </summary>
    /// <remarks>
    /// Without labels, losses over labels are left out, a method or stage that has only such losses is an error, and held-out rows are measured by agreement with the
    /// teacher instead of accuracy.
    /// </remarks>
    public string? LabelColumnName { get; init; } = "Label";

    /// <summary>The student's features: a vector of known size, of Single or Byte values, dense or sparse.</summary>
    public string FeatureColumnName { get; init; } = "Features";

    /// <summary>Example weights (Single, at least 0), or null for none.</summary>
    public string? ExampleWeightColumnName { get; init; }

    /// <summary>
    /// Name of the output column with the class probabilities. With a name other than <c>Score</c>, a <c>Score</c> column of the trainer's input (a teacher's) is
    /// kept, and must then also be in the input when the student scores.
    /// </summary>
    public string ScoreColumnName { get; init; } = "Score";

    /// <summary>Name of the output column with the predicted class, a key; any but <c>Score</c>.</summary>
    public string PredictedLabelColumnName { get; init; } = "PredictedLabel";

    /// <summary>
    /// Passes over the training rows, at least 1. The default is 30; where the rows are so few that 30 epochs have fewer than 500 steps, it is as many as make 500. With a
    /// route of teachers, where every anchor takes that many epochs, it is 30.
    /// </summary>
    public int Epochs
    {
        get => GivenEpochs ?? DefaultEpochs;
        init => GivenEpochs = value;
    }

    /// <summary>The number of epochs that was set; null for the default.</summary>
    internal int? GivenEpochs { get; init; }

    /// <summary>The default number of epochs of a network that is trained without the transfer rows, such as a teacher; null where a number was set.</summary>
    internal int? EpochsWithoutTransfer { get; private init; }

    /// <summary>The method's settings where nothing was set.</summary>
    internal KdDefaults KdDefaults => Student.NeedsImages && Teacher is { GivesLogits: true } ? KdDefaults.ForImages : KdDefaults.ForVectors;

    /// <summary>These options with the method's settings for this teacher and student where nothing was set.</summary>
    internal DistillationOptions WithMethodDefaults()
    {
        var method = Method.WithDefaults(KdDefaults);
        return this with { Method = method, IsSoftenedAsLogits = method != Method && KdDefaults == KdDefaults.ForImages };
    }

    /// <summary>Whether some setting of the method was not given and is that for logits.</summary>
    internal bool IsSoftenedAsLogits { get; private init; }

    /// <summary>These options with the default number of epochs, if none was set.</summary>
    /// <param name="rows">Number of training rows without the transfer rows.</param>
    /// <param name="transferRows">Number of transfer rows.</param>
    internal DistillationOptions WithDefaultEpochs(long rows, long transferRows) => GivenEpochs is not null || Teacher is { IsRoute: true }
        ? this
        : this with { Epochs = DefaultEpochsFor(rows + transferRows), EpochsWithoutTransfer = DefaultEpochsFor(rows, comparesRows: false) };

    /// <summary>The default number of epochs for so many training rows.</summary>
    internal int DefaultEpochsFor(long rows) => DefaultEpochsFor(rows, comparesRows: !Method.CanUseWeights);

    private int DefaultEpochsFor(long rows, bool comparesRows)
    {
        var steps = (long)Sampling.Create(BatchSize).ForLoss(comparesRows).BatchesPerEpoch(rows);
        return (int)Math.Max(DefaultEpochs, (FewestSteps + steps - 1) / steps);
    }

    /// <summary>
    /// Most rows of a training step, at least 1. Where the training rows are no multiple of it, they are divided evenly among the steps of an epoch; with a loss that
    /// compares the rows of a batch, all steps have exactly this many rows and those left over are not used in that epoch.
    /// </summary>
    public int BatchSize { get; init; } = 128;

    /// <summary>
    /// Which rows form a batch for the student; shuffled by default. A teacher that is trained in <c>Fit</c> always has shuffled batches.
    /// </summary>
    public BatchSampling Sampling { get; init; } = BatchSampling.Shuffled();

    /// <summary>
    /// Random changes of the training rows, in the order in which they are applied; none by default. Held-out rows are not changed.
    /// </summary>
    /// <remarks>
    /// Student and teacher get the same changed row, so the teacher must be a network over the student's features (trained here or from a file), or a route or an
    /// ensemble of such networks; an ML.NET model scores the unchanged rows. A teacher that is trained in <c>Fit</c> is trained on changed rows too, with random draws
    /// of its own.
    /// </remarks>
    public IReadOnlyList<Augmentation> Augmentations { get; init; } = [];

    /// <summary>The optimiser; null, the default, for AdamW with the student's <see cref="NetworkSpec.DefaultLearningRate"/>.</summary>
    [AllowNull]
    public Optimizer Optimizer
    {
        // Without a student the options are refused, but their faults are collected before.
        get => GivenOptimizer ?? (Student is null ? Optimizer.AdamW() : Optimizer.AdamW(Student.DefaultLearningRate));
        init => GivenOptimizer = value;
    }

    /// <summary>The optimiser that was set; null for the default.</summary>
    internal Optimizer? GivenOptimizer { get; init; }

    /// <summary>
    /// Rows without labels that the student is also trained on, with the teacher's answers for them: made up from the training rows, or your own. Null for none.
    /// </summary>
    /// <remarks>
    /// Unlike <see cref="Augmentations"/>, which change the student's features, these are whole rows that go through the steps before the trainer, so that every teacher
    /// can answer for them, an ML.NET model too. An epoch passes over the training rows and these.
    /// </remarks>
    public TransferRows? TransferRows { get; init; }

    /// <summary>The learning-rate schedule; one cycle by default (our choice). One cycle also moves the momentum, whatever the optimiser's own is.</summary>
    public LearningRateSchedule Schedule { get; init; } = LearningRateSchedule.OneCycle();

    /// <summary>Largest norm of a step's gradient, above 0; larger gradients are scaled down to it. Null for no limit.</summary>
    public double? GradientClipping { get; init; }

    /// <summary>Share of the labelled training rows held out for validation, of all rows where none has a label, in [0, 1); 0 for none. Drawn with the seed.</summary>
    public double ValidationFraction { get; init; }

    /// <summary>A Boolean column that is true where a row is held out for validation; null for none.</summary>
    public string? ValidationColumnName { get; init; }

    /// <summary>
    /// A separate view to validate on, or null. It does not pass through the pipeline before this trainer, so it must already have the trainer's input columns, types
    /// and key values; usually a fraction or a column is simpler.
    /// </summary>
    public IDataView? ValidationData { get; init; }

    /// <summary>
    /// When to stop a stage early; null to train all epochs. With held-out rows, the best epoch of each stage is restored in both cases, except in stages that learn
    /// features and no logits: these keep their last epoch.
    /// </summary>
    public EarlyStopping? EarlyStopping { get; init; }

    /// <summary>Seed of all random numbers; null to draw one from the MLContext, which is reproducible if the context has a seed.</summary>
    public int? Seed { get; init; }

    /// <summary>Where tensors live; null follows <see cref="MLContext.GpuDeviceId"/> and <see cref="MLContext.FallbackToCpu"/>.</summary>
    public TrainingDevice? Device { get; init; }

    /// <summary>
    /// The precision of the passes of training; 32-bit floats by default. With <see cref="TrainingPrecision.BFloat16"/>, the convolutions and linear layers of every network
    /// that this fit trains (the student, the student alone, a teacher that is trained) compute in bfloat16, which takes about half of the memory of their maps and pays
    /// on hardware with bfloat16 arithmetic: NVIDIA GPUs from Ampere on, and x64 processors with AVX-512 BF16 or AMX. Elsewhere it is slower than 32-bit floats.
    /// </summary>
    /// <remarks>
    /// Held-out rows are scored, students exported and saved, and teachers queried in 32-bit floats. Blocks and modules of your own compute in 32-bit floats. Where a GPU
    /// cannot compute in bfloat16, training is in 32-bit floats, with a warning. Methods that train a copy of the teacher differentiate the student's backward pass again
    /// and take 32-bit floats only.
    /// </remarks>
    public TrainingPrecision Precision { get; init; }

    /// <summary>Shape of the images in the feature column; null to take it from the student or from the column's own dimensions.</summary>
    /// <remarks>
    /// The dimensions of a column from <c>ExtractPixels</c> also give its order: C×H×W, or H×W×C where colours are interleaved. A plain vector is read as C×H×W; if
    /// it is H×W×C, give its column these dimensions (<c>[VectorType(h, w, c)]</c>, or <c>SchemaDefinition</c>).
    /// </remarks>
    public InputShape? ImageShape { get; init; }

    /// <summary>What to do with rows that have no label.</summary>
    public MissingLabels MissingLabels { get; init; } = MissingLabels.Error;

    /// <summary>What to do with rows whose features are NaN or infinite.</summary>
    public MissingFeatures MissingFeatures { get; init; } = MissingFeatures.Error;

    /// <summary>
    /// Least accuracy of the teacher on the labelled training rows, in [0, 1]; below it the fit fails. Null for the default: the teacher must be above chance by 5 %
    /// of the distance from chance to 1, either in accuracy (chance: the share of the most frequent class) or in mean accuracy over classes (chance: 1/K). A teacher
    /// at chance most likely reads the wrong columns. 0 accepts any teacher. If no row has a label, it must be null or 0.
    /// </summary>
    public double? MinimumTeacherAccuracy { get; init; }

    /// <summary>
    /// Whether the same student is also trained on the labels alone, to find out whether distilling pays: with the same initial weights, optimiser, schedule, batch size
    /// and number of steps, on the labelled training rows. It is <see cref="DistillationTransformer.Alone"/>; with held-out rows that have labels, or a teacher that
    /// can be asked for them, <see cref="DistillationTransformer.Comparison"/> compares the two row by row. False by default: it takes about as long as training the
    /// student once more. <see cref="DistillationTrainer.Preflight"/> then trains it too, no longer than the default, and says what the teacher has to offer.
    /// </summary>
    public bool CompareAlone { get; init; }

    /// <summary>How the teacher's outputs are kept for reuse; by default in memory, for this fit.</summary>
    public TeacherCacheOptions TeacherCache { get; init; } = new();

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
    /// The longest time that the networks of this fit train, all together: a teacher that is trained in the fit, the student and the student alone. It counts steps and
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

    /// <summary>
    /// Receives the state of training after every epoch. An exception that it throws is logged as a warning, and training continues; to stop training, cancel
    /// <see cref="CancellationToken"/>.
    /// </summary>
    public IProgress<TrainingProgress>? Progress { get; init; }
}
