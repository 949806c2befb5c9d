using MlNetDistill.Core;
using MlNetDistill.Data;
using MlNetDistill.Networks;
using MlNetDistill.Training;

namespace MlNetDistill;

/// <summary>What the library itself derives from the settings.</summary>
public sealed partial record EmbeddingOptions
{
    // These observe or control a run; all other options describe it.
    private static readonly string[] NoSettings = [nameof(CancellationToken), nameof(Progress)];

    /// <summary>Measures the training time.</summary>
    internal TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>A line for each setting.</summary>
    public override string ToString() => SettingText.FormatLines("", [.. DescribeSettings().Select(setting => (setting.Name, setting.Value))]);

    /// <summary>Every setting, by name, as text.</summary>
    internal IReadOnlyList<ReportedSetting> DescribeSettings() =>
    [
        .. typeof(EmbeddingOptions).GetProperties()
            .Where(property => !NoSettings.Contains(property.Name))
            .Select(property => new ReportedSetting(property.Name, SettingText.DescribeValue(property.GetValue(this), property.PropertyType))),
    ];

    /// <exception cref="ArgumentOutOfRangeException">Settings are out of their ranges; the message names every one.</exception>
    internal void Check() => Faults.ThrowIfAny(Validate(), "options");

    /// <summary>The settings that reading the rows and building the network share with those of classifiers.</summary>
    internal DistillationOptions ToRowOptions() => new()
    {
        Student = Student,
        Method = Method.Create(Loss),
        LabelColumnName = LabelColumnName,
        FeatureColumnName = FeatureColumnName,
        ExampleWeightColumnName = ExampleWeightColumnName,
        ScoreColumnName = OutputColumnName,
        MissingLabels = MissingLabels.TeacherOnly,
        MissingFeatures = MissingFeatures,
        GivenEpochs = Epochs,
        BatchSize = BatchSize,
        Sampling = Sampling,
        Augmentations = Augmentations,
        TransferRows = TransferRows,
        Optimizer = Optimizer,
        Schedule = Schedule,
        ValidationFraction = ValidationFraction,
        ValidationColumnName = ValidationColumnName,
        EarlyStopping = EarlyStopping,
        Seed = Seed,
        ImageShape = ImageShape,
        GradientClipping = GradientClipping,
        RowStorage = RowStorage,
        CheckpointDirectory = CheckpointDirectory,
        Checkpoints = Checkpoints,
        Precision = Precision,
        CancellationToken = CancellationToken,
        OnCancellation = OnCancellation,
        MaxTrainingTime = MaxTrainingTime,
        OnTimeUp = OnTimeUp,
        OnNonFinite = OnNonFinite,
        MeasureTraining = MeasureTraining,
        Clock = Clock,
        Progress = Progress,
    };

    private IEnumerable<string> Validate() =>
    [
        .. Teacher?.Validate() ?? ["Teacher must be set, for example to EmbeddingTeacher.FromColumn(\"TeacherEmbedding\")."],
        .. Student?.Validate() ?? ["Student must be set, for example to NetworkSpec.Mlp(64)."],
        .. Faults.AtLeast(1, nameof(EmbeddingLength), EmbeddingLength),
        .. Faults.AtLeast(1, nameof(Epochs), Epochs),
        .. Faults.AtLeast(1, nameof(BatchSize), BatchSize),
        .. Faults.Above0(nameof(GradientClipping), GradientClipping),
        .. Faults.ShareBelow1(nameof(ValidationFraction), ValidationFraction),
        .. Faults.Unless(ValidationFraction == 0 || ValidationColumnName is null, $"ValidationFraction and ValidationColumnName exclude each other; give one."),
        .. Faults.Unless(
            EarlyStopping is null || ValidationFraction > 0 || ValidationColumnName is not null, $"EarlyStopping needs held-out rows: give ValidationFraction or ValidationColumnName."),
        .. Faults.Defined(nameof(Matching), Matching),
        .. Faults.Defined(nameof(MissingFeatures), MissingFeatures),
        .. Faults.Defined(nameof(Precision), Precision),
        .. Faults.Defined(nameof(OnCancellation), OnCancellation),
        .. Faults.Above0(nameof(MaxTrainingTime), MaxTrainingTime),
        .. Faults.Defined(nameof(OnTimeUp), OnTimeUp),
        .. OnNonFinite?.Validate(nameof(OnNonFinite)) ?? ["OnNonFinite must be set; NonFiniteHandling.Stop stops."],
        .. NameFaults(),
        .. LossFaults(),
        .. MethodFaults(),
        .. ViewFaults(),
        .. TransferFaults(),
        .. Head?.Validate() ?? [],
        .. Optimizer.Validate(),
        .. Schedule?.Validate() ?? ["Schedule must be set."],
        .. EarlyStopping?.Validate() ?? [],
        .. Faults.NameOrNull(nameof(CheckpointDirectory), "a folder, or null for none", CheckpointDirectory),
        .. Checkpoints?.Validate(nameof(Checkpoints)) ?? [CheckpointOptions.Missing],
        .. RowStorage?.Validate(nameof(RowStorage)) ?? [RowStorageOptions.Missing],
        .. Sampling?.Validate(BatchSize) ?? ["Sampling must be set; see BatchSampling."],
    ];

    private IEnumerable<string> NameFaults() =>
    [
        .. Faults.Name(nameof(FeatureColumnName), "a column name", FeatureColumnName),
        .. Faults.Name(nameof(OutputColumnName), "a column name", OutputColumnName),
        .. Faults.NameOrNull(nameof(LabelColumnName), "a column name, or null for none", LabelColumnName),
        .. Faults.NameOrNull(nameof(ExampleWeightColumnName), "a column name, or null for none", ExampleWeightColumnName),
        .. Faults.NameOrNull(nameof(ValidationColumnName), "a column name, or null for none", ValidationColumnName),
        .. Faults.Unless(FeatureColumnName != OutputColumnName, $"FeatureColumnName and OutputColumnName must differ; both were '{OutputColumnName}'."),
        .. Faults.Unless(LabelColumnName is null || LabelColumnName != OutputColumnName, $"LabelColumnName and OutputColumnName must differ; both were '{OutputColumnName}'."),
    ];

    private IEnumerable<string> LossFaults()
    {
        if (Loss is null)
        {
            yield return "Loss must be set, for example to new MimicLoss().";
            yield break;
        }

        if ((Loss.TeacherNeeds & ~ModelOutputs.Embedding) != ModelOutputs.None || Loss.StudentNeeds.HasFlag(ModelOutputs.Logits))
            yield return $"The Loss {Loss} reads other outputs than embeddings, and an embedding student has no classes. Use a loss of embeddings (MimicLoss, CosineLoss, CorrelationCongruenceLoss, RkdLoss).";
        if (!Loss.Terms.Any(term => term.Weight > 0 && term.Loss.TeacherNeeds.HasFlag(ModelOutputs.Embedding)))
            yield return $"The Loss {Loss} has no term with a weight that reads the teacher's embeddings; add one, for example new MimicLoss().";
        if (Head is not null && LabelColumnName is null)
            yield return "Head is a classifier over labels, and LabelColumnName is null: name the label column, or leave Head null.";
        if (ExampleWeightColumnName is not null && !Loss.CanUseWeights)
            yield return $"The Loss {Loss} compares pairs of rows, to which example weights cannot be applied; leave out ExampleWeightColumnName.";
        if (LabelColumnName is null && Sampling is { NeedsLabels: true })
            yield return "BatchSampling.ClassUniform needs labels, and LabelColumnName is null; BatchSampling.SuperclassUniform uses the teacher's embeddings instead.";
    }

    private IEnumerable<string> MethodFaults()
    {
        if (Method is null)
        {
            yield return "Method must be set, for example to EmbeddingMethod.OneStage().";
            yield break;
        }

        if (Loss is null)
            yield break;
        var method = Method.Create(Loss);
        foreach (var fault in method.Validate())
            yield return fault;
        if (method.NeedsRoute && Teacher is { IsRoute: false })
            yield return $"The method {method.Name} follows a route of teachers, and the teacher ({Teacher.Name}) is none. Give EmbeddingTeacher.FromCheckpoints or EmbeddingTeacher.FromRoute.";
        if (method.NeedsHeldOutRows)
            yield return "Greedy selection of anchors compares class probabilities, which embeddings do not have; select anchors by AnchorSelection.EqualInterval or Epochs, or take all.";
        if (method.TeacherNeeds.HasFlag(ModelOutputs.StageFeatures) && Teacher is { GivesStageFeatures: false })
        {
            yield return $"The method {method.Name} learns the teacher's stage features, and the teacher ({Teacher.Name}) gives none. Give a network of this library (FromNetwork, FromCheckpoints), " +
                "or name the stageFeatures of a module or an ONNX file.";
        }
    }

    private IEnumerable<string> ViewFaults()
    {
        foreach (var fault in Augmentation.ValidateList(Augmentations))
            yield return fault;
        if (Augmentations is not { Count: > 0 })
            yield break;
        if (Teacher is { SupportsAugmentation: false })
        {
            yield return $"Augmentations change the student's features, and the teacher ({Teacher.Name}) has embeddings of the unchanged rows alone. Leave Augmentations empty, or give a " +
                "teacher that is a model over the student's features. For more rows that any teacher can answer, set TransferRows.";
        }

        if (LabelColumnName is not null && Augmentations.Any(augmentation => augmentation?.MixesLabels == true))
            yield return "Mixup and CutMix mix rows of several labels, and a row of embeddings has one; leave them out of Augmentations, or leave LabelColumnName null.";
    }

    private IEnumerable<string> TransferFaults()
    {
        if (TransferRows is null)
            yield break;
        foreach (var fault in TransferRows.Validate())
            yield return fault;
        if (Loss is { CanUseWeights: false } && TransferRows.Parts.Any(part => part.Weight != 1))
            yield return $"The Loss {Loss} compares pairs of rows, to which example weights cannot be applied; leave TransferRows.Weight 1.";
        if (Sampling is { NeedsLabels: true })
            yield return "BatchSampling.ClassUniform needs the label of every row, and TransferRows have none; use another Sampling.";
    }
}
