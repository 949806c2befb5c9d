using Microsoft.ML;
using MlNetDistill.Networks;

namespace MlNetDistill;

/// <summary>All settings of a <see cref="DistillationTrainer"/>. They are checked when the trainer is made, all at once.</summary>
public sealed record DistillationOptions
{
    /// <summary>Whose knowledge is distilled. A method that needs none (<see cref="DistillationMethod.LabelsOnly"/>) does not ask it; otherwise required.</summary>
    public Teacher? Teacher { get; init; }

    /// <summary>The network to train.</summary>
    public required NetworkSpec Student { get; init; }

    /// <summary>How it is distilled; KD by default.</summary>
    public DistillationMethod Method { get; init; } = DistillationMethod.Kd();

    /// <summary>The label: a key column (make one with <c>MapValueToKey</c>).</summary>
    public string LabelColumnName { get; init; } = "Label";

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

    /// <summary>Passes over the training rows, at least 1.</summary>
    public int Epochs { get; init; } = 30;

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
    /// Student and teacher see the same changed row, so the teacher must be a network (<see cref="Teacher.Train"/>) or a route of networks: an ML.NET model
    /// answered for the rows it read. A teacher that is trained on the spot is trained on changed rows as well, with draws of its own.
    /// </remarks>
    public IReadOnlyList<Augmentation> Augmentations { get; init; } = [];

    /// <summary>The optimiser; AdamW at 0.002 by default (our choice: it needs no tuning to be usable).</summary>
    public Optimizer Optimizer { get; init; } = Optimizer.AdamW();

    /// <summary>The learning-rate schedule; one cycle by default (our choice). One cycle also moves the momentum, whatever the optimiser's own is.</summary>
    public LearningRateSchedule Schedule { get; init; } = LearningRateSchedule.OneCycle();

    /// <summary>Largest norm of a step's gradient, above 0; larger gradients are scaled down to it. Null for no limit.</summary>
    public double? GradientClipping { get; init; }

    /// <summary>Share of the labelled training rows held out for validation, in [0, 1); 0 for none. Drawn with the seed.</summary>
    public double ValidationFraction { get; init; }

    /// <summary>A Boolean column that is true where a row is held out for validation; null for none.</summary>
    public string? ValidationColumnName { get; init; }

    /// <summary>
    /// A separate view to validate on, or null. It does not pass through the pipeline that leads to this trainer, so it must already have
    /// the trainer's input columns, types and key values; usually a fraction or a column is what you want.
    /// </summary>
    public IDataView? ValidationData { get; init; }

    /// <summary>When to stop early; null to train all epochs. With rows held out, the best epoch is restored either way.</summary>
    public EarlyStopping? EarlyStopping { get; init; }

    /// <summary>Seed of every draw; null to draw one from the MLContext, which is reproducible if the context was given a seed.</summary>
    public int? Seed { get; init; }

    /// <summary>Where tensors live; null follows <see cref="MLContext.GpuDeviceId"/> and <see cref="MLContext.FallbackToCpu"/>.</summary>
    public TrainingDevice? Device { get; init; }

    /// <summary>Shape of the images in the feature column; null to take it from the student or from the column's own dimensions.</summary>
    public InputShape? ImageShape { get; init; }

    /// <summary>What to do with rows that have no label.</summary>
    public MissingLabels MissingLabels { get; init; } = MissingLabels.Error;

    /// <summary>What to do with rows whose features are NaN or infinite.</summary>
    public MissingFeatures MissingFeatures { get; init; } = MissingFeatures.Error;

    /// <summary>
    /// Least accuracy of the teacher on the labelled training rows, in [0, 1]; below it the fit fails. Null for the default, a little above
    /// chance (1/K + 5 % of the rest): a teacher that guesses has most likely been fed the wrong columns. 0 accepts any teacher.
    /// </summary>
    public double? MinimumTeacherAccuracy { get; init; }

    /// <summary>Stops the training when cancelled.</summary>
    public CancellationToken CancellationToken { get; init; }

    /// <summary>What a cancelled training does.</summary>
    public CancellationBehavior OnCancellation { get; init; } = CancellationBehavior.Throw;

    /// <summary>Receives the state of training after every epoch.</summary>
    public IProgress<TrainingProgress>? Progress { get; init; }

    internal void Check()
    {
        var faults = Faults().ToList();
        if (faults.Count > 0)
            throw new ArgumentOutOfRangeException("options", string.Join(" ", faults));
    }

    private IEnumerable<string> Faults()
    {
        if (Student is null)
            yield return "Student must be given; see the Student class for networks.";
        if (Method is null)
            yield return "Method must be given; see DistillationMethod.";
        if (Teacher is null && Method is not null && Method.TeacherNeeds != OutputKinds.None)
            yield return $"The method {Method.Name} needs a Teacher; see the Teacher class, or use DistillationMethod.LabelsOnly().";
        foreach (var fault in Teacher is null || Method is null ? [] : TeacherFaults(Teacher, Method))
            yield return fault;
        foreach (var (name, value) in new[]
        {
            (nameof(LabelColumnName), LabelColumnName),
            (nameof(FeatureColumnName), FeatureColumnName),
            (nameof(ScoreColumnName), ScoreColumnName),
            (nameof(PredictedLabelColumnName), PredictedLabelColumnName),
        })
        {
            if (string.IsNullOrWhiteSpace(value))
                yield return $"{name} must be a column name; was {(value is null ? "null" : $"'{value}'")}.";
        }

        foreach (var (name, value) in new[] { (nameof(ExampleWeightColumnName), ExampleWeightColumnName), (nameof(ValidationColumnName), ValidationColumnName) })
        {
            if (value is not null && string.IsNullOrWhiteSpace(value))
                yield return $"{name} must be a column name, or null for none; was '{value}'.";
        }

        if (ScoreColumnName == PredictedLabelColumnName)
            yield return $"ScoreColumnName and PredictedLabelColumnName must differ; both were '{ScoreColumnName}'.";
        if (PredictedLabelColumnName == "Score")
            yield return "PredictedLabelColumnName must not be 'Score': the in-box predictor in a saved student writes its probabilities under that name first.";
        if (Epochs < 1)
            yield return $"Epochs must be at least 1; was {Epochs}.";
        if (BatchSize < 1)
            yield return $"BatchSize must be at least 1; was {BatchSize}.";
        if (GradientClipping is { } norm && !(norm > 0 && double.IsFinite(norm)))
            yield return $"GradientClipping must be above 0; was {norm}.";
        if (!(ValidationFraction >= 0 && ValidationFraction < 1))
            yield return $"ValidationFraction must be in [0, 1); was {ValidationFraction}.";
        if (ValidationSources > 1)
            yield return "ValidationFraction, ValidationColumnName and ValidationData exclude each other; give one.";
        if (EarlyStopping is not null && ValidationSources == 0)
            yield return "EarlyStopping needs held-out rows: give ValidationFraction, ValidationColumnName or ValidationData.";
        if (MinimumTeacherAccuracy is { } least && !(least >= 0 && least <= 1))
            yield return $"MinimumTeacherAccuracy must be in [0, 1]; was {least}.";
        if (MissingLabels == MissingLabels.TeacherOnly && Method?.TeacherNeeds == OutputKinds.None)
            yield return "MissingLabels.TeacherOnly needs a method that learns from the teacher.";
        if (ExampleWeightColumnName is not null && Method is { CanUseWeights: false })
            yield return $"The method {Method.Name} has a term over pairs of rows, which example weights cannot weigh; leave out ExampleWeightColumnName.";
        if (!Enum.IsDefined(MissingLabels))
            yield return $"MissingLabels has no value {MissingLabels}.";
        if (!Enum.IsDefined(MissingFeatures))
            yield return $"MissingFeatures has no value {MissingFeatures}.";
        if (!Enum.IsDefined(OnCancellation))
            yield return $"OnCancellation has no value {OnCancellation}.";
        foreach (var fault in PartFaults())
            yield return fault;
    }

    private IEnumerable<string> TeacherFaults(Teacher teacher, DistillationMethod method)
    {
        if (method.NeedsRoute && !teacher.IsRoute)
            yield return $"The method {method.Name} needs a route of teachers; make one with the Route class.";
        var missing = method.TeacherNeeds & ~teacher.CanProvide;
        if (missing != OutputKinds.None)
        {
            yield return $"The method {method.Name} reads {missing} of its teacher, and this one gives {teacher.CanProvide} alone. " +
                "A network (Teacher.Train, Route.Train) gives logits, embedding and stage features.";
        }

        if (method.NeedsHeldOutRows && ValidationSources == 0)
            yield return $"The method {method.Name} looks at held-out rows: give ValidationFraction, ValidationColumnName or ValidationData.";
        if (method.NeedsHeldOutRows && ValidationData is not null && !teacher.SeesViews)
        {
            yield return $"The method {method.Name} asks the teacher about the held-out rows, and this one answers for the training data alone: " +
                "hold rows of it out with ValidationFraction or ValidationColumnName instead of ValidationData.";
        }
    }

    private int ValidationSources =>
        (ValidationFraction > 0 ? 1 : 0) + (ValidationColumnName is null ? 0 : 1) + (ValidationData is null ? 0 : 1);

    /// <summary>The distinct image shapes given: here, with the student, with a teacher's network.</summary>
    internal IReadOnlyList<InputShape> ImageShapes =>
        [.. new[] { ImageShape, Student?.Image }.Concat(Teacher?.TrainedNetworks.Select(n => n.Image) ?? []).OfType<InputShape>().Distinct()];

    private IEnumerable<string> ShapeFaults()
    {
        if (ImageShapes.Count > 1)
            yield return $"The image shapes given differ: {string.Join(", ", ImageShapes)}. Student, teacher and ImageShape see the same column; give one shape.";
        if (ImageShape is { } shape && Student?.ShapeFault(shape) is { } fault && Student.Image is null)
            yield return $"ImageShape: {fault}";
    }

    private IEnumerable<string> ViewFaults()
    {
        if (Augmentations is { Count: > 0 } && Method is not null && Method.TeacherNeeds != OutputKinds.None && Teacher is { SeesViews: false })
        {
            yield return "Augmentations change the rows, and a teacher that is an ML.NET model scores the rows that it reads, so it would answer for other " +
                "inputs. Leave Augmentations empty, or use a teacher that is a network: Teacher.Train, or a Route of networks.";
        }

        if (Sampling is { NeedsTeacher: true } && Method?.TeacherNeeds == OutputKinds.None)
            yield return $"BatchSampling.SuperclassUniform goes by the teacher's answers, and the method {Method.Name} has no teacher; use another Sampling.";
    }

    private IEnumerable<string> PartFaults() =>
        (Student?.Faults() ?? [])
        .Concat(ShapeFaults())
        .Concat(Method?.Faults() ?? [])
        .Concat(Teacher?.Faults() ?? [])
        .Concat(Optimizer?.Faults() ?? ["Optimizer must be given."])
        .Concat(Schedule?.Faults() ?? ["Schedule must be given."])
        .Concat(EarlyStopping?.Faults() ?? [])
        .Concat(Sampling?.Faults(BatchSize) ?? ["Sampling must be given; see BatchSampling."])
        .Concat(Augmentation.FaultsOf(Augmentations))
        .Concat(ViewFaults());
}

/// <summary>What to do with rows that have no label (a missing key).</summary>
public enum MissingLabels
{
    /// <summary>Fail and say how many there are.</summary>
    Error,

    /// <summary>Leave them out.</summary>
    Drop,

    /// <summary>Let them learn from the teacher alone: terms over labels skip them.</summary>
    TeacherOnly,
}

/// <summary>What to do with rows whose features are NaN or infinite.</summary>
public enum MissingFeatures
{
    /// <summary>Fail and name the first of them.</summary>
    Error,

    /// <summary>Leave them out, and log how many.</summary>
    Drop,
}
