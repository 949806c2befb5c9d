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

    // What the default rate and schedule need for a small perceptron over a hundred rows, seen on Iris.
    private const int FewestSteps = 500;

    /// <summary>Whose knowledge is distilled. A method that needs none (<see cref="DistillationMethod.LabelsOnly"/>) does not ask it; otherwise
    /// required.</summary>
    public Teacher? Teacher { get; init; }

    /// <summary>The network to train.</summary>
    public required NetworkSpec Student { get; init; }

    /// <summary>Weights that the student starts from; null for fresh ones drawn from the seed.</summary>
    public InitialWeights? InitialWeights { get; init; }

    /// <summary>How it is distilled; KD by default.</summary>
    public DistillationMethod Method { get; init; } = DistillationMethod.Kd();

    /// <summary>
    /// The label: a key column (make one with <c>MapValueToKey</c>). Null where the data have none: the student then learns from its teacher alone, and its classes
    /// are the teacher's. A key column none of whose rows has a value serves too, with <see cref="MissingLabels.TeacherOnly"/>: its key values name the classes.
    /// </summary>
    /// <remarks>
    /// Without labels terms over labels are left out, a method or stage of such terms alone is refused, and agreement with the teacher takes the place of accuracy
    /// on held-out rows.
    /// </remarks>
    public string? LabelColumnName { get; init; } = "Label";

    /// <summary>The student's features: a vector of known size, of Single or Byte values, dense or sparse.</summary>
    public string FeatureColumnName { get; init; } = "Features";

    /// <summary>Example weights (Single, at least 0), or null for none.</summary>
    public string? ExampleWeightColumnName { get; init; }

    /// <summary>
    /// Name of the output column with the class probabilities. Under a name other than <c>Score</c>, a <c>Score</c> column that the trainer's
    /// input already has (a teacher's) stays as it is, and must then be there at scoring too.
    /// </summary>
    public string ScoreColumnName { get; init; } = "Score";

    /// <summary>Name of the output column with the predicted class, a key; any but <c>Score</c>.</summary>
    public string PredictedLabelColumnName { get; init; } = "PredictedLabel";

    /// <summary>
    /// Passes over the training rows, at least 1. Where it is not set, 30; of so few rows that these would be fewer than 500 steps, as many as make 500 steps
    /// (a route of teachers excepted, whose anchors each take so long).
    /// </summary>
    public int Epochs
    {
        get => GivenEpochs ?? DefaultEpochs;
        init => GivenEpochs = value;
    }

    /// <summary>The number of epochs that was set; null for the default.</summary>
    internal int? GivenEpochs { get; init; }

    /// <summary>These options with as many epochs as a training on so many rows has.</summary>
    internal DistillationOptions WithDefaultEpochs(long trainingRows)
    {
        var steps = (long)Sampling.Create(BatchSize).BatchesPerEpoch(trainingRows);
        return GivenEpochs is not null || Teacher is { IsRoute: true } || steps * DefaultEpochs >= FewestSteps
            ? this
            : this with { Epochs = (int)((FewestSteps + steps - 1) / steps) };
    }

    /// <summary>Rows of a training step, at least 1. An incomplete last batch is left out of its epoch.</summary>
    public int BatchSize { get; init; } = 128;

    /// <summary>
    /// Which rows come together in a batch of the student's; shuffled by default. A teacher that is trained on the spot has shuffled batches.
    /// </summary>
    public BatchSampling Sampling { get; init; } = BatchSampling.Shuffled();

    /// <summary>
    /// Random changes of the rows trained on, in the order in which they are applied; none by default. Held-out rows stay as they are.
    /// </summary>
    /// <remarks>
    /// Student and teacher see the same changed row, so the teacher must be a network over the student's features, trained or from a file, or a route or an
    /// ensemble of such: an ML.NET model answered for the rows it read. A teacher that is trained on the spot is trained on changed rows as well, with draws of
    /// its own.
    /// </remarks>
    public IReadOnlyList<Augmentation> Augmentations { get; init; } = [];

    /// <summary>The optimiser; AdamW at 0.002 by default (our choice: it needs no tuning to be usable).</summary>
    public Optimizer Optimizer { get; init; } = Optimizer.AdamW();

    /// <summary>The learning-rate schedule; one cycle by default (our choice). One cycle also moves the momentum, whatever the optimiser's own is.</summary>
    public LearningRateSchedule Schedule { get; init; } = LearningRateSchedule.OneCycle();

    /// <summary>Largest norm of a step's gradient, above 0; larger gradients are scaled down to it. Null for no limit.</summary>
    public double? GradientClipping { get; init; }

    /// <summary>Share of the labelled training rows held out for validation, of all rows where none has a label, in [0, 1); 0 for none. Drawn with the seed.</summary>
    public double ValidationFraction { get; init; }

    /// <summary>A Boolean column that is true where a row is held out for validation; null for none.</summary>
    public string? ValidationColumnName { get; init; }

    /// <summary>
    /// A separate view to validate on, or null. It does not pass through the pipeline that leads to this trainer, so it must already have
    /// the trainer's input columns, types and key values; usually a fraction or a column is what you want.
    /// </summary>
    public IDataView? ValidationData { get; init; }

    /// <summary>
    /// When to stop a stage early; null to train all epochs. With rows held out, the best epoch of each stage is restored either way, but for stages
    /// that learn features and no logits, which keep their last.
    /// </summary>
    public EarlyStopping? EarlyStopping { get; init; }

    /// <summary>Seed of every draw; null to draw one from the MLContext, which is reproducible if the context was given a seed.</summary>
    public int? Seed { get; init; }

    /// <summary>Where tensors live; null follows <see cref="MLContext.GpuDeviceId"/> and <see cref="MLContext.FallbackToCpu"/>.</summary>
    public TrainingDevice? Device { get; init; }

    /// <summary>Shape of the images in the feature column; null to take it from the student or from the column's own dimensions.</summary>
    /// <remarks>
    /// The dimensions of a column that <c>ExtractPixels</c> made say its order too: C×H×W, or H×W×C where the colours are interleaved. A plain vector is taken to be
    /// C×H×W; to say that it is H×W×C, give its column these dimensions (<c>[VectorType(h, w, c)]</c>, or <c>SchemaDefinition</c>).
    /// </remarks>
    public InputShape? ImageShape { get; init; }

    /// <summary>What to do with rows that have no label.</summary>
    public MissingLabels MissingLabels { get; init; } = MissingLabels.Error;

    /// <summary>What to do with rows whose features are NaN or infinite.</summary>
    public MissingFeatures MissingFeatures { get; init; } = MissingFeatures.Error;

    /// <summary>
    /// Least accuracy of the teacher on the labelled training rows, in [0, 1]; below it the fit fails. Null for the default: the teacher must be a
    /// little above chance (by 5 % of the way to certainty), in its accuracy beside the share of the most frequent class or in its mean accuracy over classes beside
    /// 1/K. A teacher that guesses has most likely been fed the wrong columns. 0 accepts any teacher. Where no
    /// row has a label, nothing can be compared: it must then be null or 0.
    /// </summary>
    public double? MinimumTeacherAccuracy { get; init; }

    /// <summary>How the teacher's answers are kept; in memory, for the fit, by default.</summary>
    public TeacherCacheOptions TeacherCache { get; init; } = new();

    /// <summary>Stops the training when cancelled.</summary>
    public CancellationToken CancellationToken { get; init; }

    /// <summary>What a cancelled training does.</summary>
    public CancellationBehavior OnCancellation { get; init; } = CancellationBehavior.Throw;

    /// <summary>
    /// Receives the state of training after every epoch. What it throws is logged as a warning, and the training goes on: to stop it, cancel
    /// <see cref="CancellationToken"/>.
    /// </summary>
    public IProgress<TrainingProgress>? Progress { get; init; }
}
