using MlNetDistill.Cache;
using MlNetDistill.Core;
using MlNetDistill.Data;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Training;

namespace MlNetDistill;

/// <summary>Validation of the settings: all faults at once.</summary>
public sealed partial record DistillationOptions
{
    internal void Check() => Faults.ThrowIfAny(Validate(), "options");

    /// <summary>Whether the settings fit together.</summary>
    internal bool IsValid => !Validate().Any();

    private IEnumerable<string> Validate() =>
    [
        .. Faults.Unless(Student is not null, $"Student must be set, for example to NetworkSpec.Mlp(64)."),
        .. Faults.Unless(Method is not null, $"Method must be set, for example to DistillationMethod.Kd()."),
        .. Faults.Unless(
            Teacher is not null || Method is null || Method.TeacherNeeds == ModelOutputs.None,
            $"The method {Method?.Name} needs a Teacher, for example Teacher.FromTransformer(model). To train without one, use DistillationMethod.LabelsOnly()."),
        .. Teacher is null || Method is null ? [] : TeacherFaults(Teacher, Method),
        .. NameFaults(),
        .. Faults.AtLeast(1, nameof(Epochs), Epochs),
        .. Faults.AtLeast(1, nameof(BatchSize), BatchSize),
        .. Faults.Above0(nameof(GradientClipping), GradientClipping),
        .. Faults.ShareBelow1(nameof(ValidationFraction), ValidationFraction),
        .. Faults.Unless(ValidationSources <= 1, $"ValidationFraction, ValidationColumnName and ValidationData exclude each other; give one."),
        .. Faults.Unless(
            EarlyStopping is null || ValidationSources > 0, $"EarlyStopping needs held-out rows: give ValidationFraction, ValidationColumnName or ValidationData."),
        .. Faults.Share(nameof(MinimumTeacherAccuracy), MinimumTeacherAccuracy),
        .. Faults.Unless(
            MissingLabels != MissingLabels.TeacherOnly || Method?.TeacherNeeds != ModelOutputs.None,
            $"MissingLabels.TeacherOnly needs a method that asks the teacher about the rows, and {Method?.Name} asks none."),
        .. Faults.Unless(
            ExampleWeightColumnName is null || Method is not { CanUseWeights: false },
            $"The method {Method?.Name} has a loss over pairs of rows, to which example weights cannot be applied; leave out ExampleWeightColumnName."),
        .. Faults.Unless(
            !CompareAlone || Method is not { IsLabelsOnly: true },
            $"CompareAlone compares the student with one that learns from labels alone, and the method {Method?.Name} learns from labels alone itself: leave CompareAlone false, or give a method that learns from a teacher."),
        .. Faults.Defined(nameof(MissingLabels), MissingLabels),
        .. Faults.Defined(nameof(MissingFeatures), MissingFeatures),
        .. Faults.Defined(nameof(Precision), Precision),
        .. Faults.Unless(
            Precision != TrainingPrecision.BFloat16 || Method is not { TrainsTeacher: true },
            $"The method {Method?.Name} trains a copy of its teacher by differentiating the student's backward pass again, which is in 32-bit floats only: leave Precision Float32, or take a method with a fixed teacher, such as DistillationMethod.Kd()."),
        .. Faults.Defined(nameof(OnCancellation), OnCancellation),
        .. Faults.Above0(nameof(MaxTrainingTime), MaxTrainingTime),
        .. Faults.Defined(nameof(OnTimeUp), OnTimeUp),
        .. OnNonFinite?.Validate(nameof(OnNonFinite)) ?? ["OnNonFinite must be set; NonFiniteHandling.Stop stops."],
        .. LabelColumnName is null ? NoLabelFaults() : [],
        .. PartFaults(),
    ];

    private IEnumerable<string> NameFaults() =>
    [
        .. Faults.Name(nameof(FeatureColumnName), "a column name", FeatureColumnName),
        .. Faults.Name(nameof(ScoreColumnName), "a column name", ScoreColumnName),
        .. Faults.Name(nameof(PredictedLabelColumnName), "a column name", PredictedLabelColumnName),
        .. Faults.NameOrNull(nameof(LabelColumnName), "a column name, or null for none", LabelColumnName),
        .. Faults.NameOrNull(nameof(ExampleWeightColumnName), "a column name, or null for none", ExampleWeightColumnName),
        .. Faults.NameOrNull(nameof(ValidationColumnName), "a column name, or null for none", ValidationColumnName),
        .. CollidingNames(),
        .. Faults.Unless(
            PredictedLabelColumnName != "Score",
            $"PredictedLabelColumnName must not be 'Score': a saved student's probabilities are first written under that name."),
    ];

    /// <summary>
    /// Columns of the trainer that have the same name. An output would hide an input from all later steps, and an evaluation would read the student's outputs as
    /// labels or weights.
    /// </summary>
    private IEnumerable<string> CollidingNames()
    {
        var all = NamedColumns.ToArray();
        return
            from second in Enumerable.Range(0, all.Length)
            from first in Enumerable.Range(0, second)
            where !string.IsNullOrWhiteSpace(all[first].Name) && all[first].Name == all[second].Name
            select $"{all[first].Option} and {all[second].Option} must differ; both were '{all[first].Name}'.";
    }

    /// <summary>The columns of the trainer by the option that names each.</summary>
    internal IEnumerable<(string Option, string? Name)> NamedColumns =>
    [
        (nameof(ScoreColumnName), ScoreColumnName),
        (nameof(PredictedLabelColumnName), PredictedLabelColumnName),
        (nameof(LabelColumnName), LabelColumnName),
        (nameof(FeatureColumnName), FeatureColumnName),
        (nameof(ExampleWeightColumnName), ExampleWeightColumnName),
        (nameof(ValidationColumnName), ValidationColumnName),
    ];

    /// <summary>Settings that need labels, where there are none. Whether a stage needs labels is checked when the method creates its stages.</summary>
    private IEnumerable<string> NoLabelFaults()
    {
        if (Method?.TeacherNeeds == ModelOutputs.None)
            yield return $"The method {Method.Name} asks no teacher and learns from labels, and LabelColumnName is null: name the label column, or use a method that asks a teacher.";
        if (Teacher is { NeedsLabels: true })
        {
            yield return $"The teacher ({Teacher.Name}) is trained on labels, and LabelColumnName is null: name the label column, or give a teacher that is trained already.";
        }

        if (CompareAlone)
            yield return "CompareAlone trains the student on labels alone as well, and LabelColumnName is null: name the label column, or leave CompareAlone false.";
        if (Sampling is { NeedsLabels: true })
            yield return $"{NameOf(Sampling)} needs labels, and LabelColumnName is null; BatchSampling.SuperclassUniform uses the teacher's outputs instead.";
        if (MinimumTeacherAccuracy > 0)
            yield return FormattableString.Invariant($"MinimumTeacherAccuracy {MinimumTeacherAccuracy} needs labels to compare the teacher with, and LabelColumnName is null; leave MinimumTeacherAccuracy null.");
    }

    private IEnumerable<string> TeacherFaults(Teacher teacher, DistillationMethod method)
    {
        if (method.NeedsRoute && !teacher.IsRoute)
            yield return $"The method {method.Name} needs a route of teachers; make one with the Route class.";
        var missing = method.TeacherNeeds & ~teacher.CanProvide;
        if (missing != ModelOutputs.None)
        {
            yield return $"The method {method.Name} needs {missing} from its teacher, and this teacher gives only {teacher.CanProvide}. " +
                "A network (Teacher.Train, Route.Train, or Teacher.FromOnnx, FromTorchScript or FromModule with their outputs named) gives logits, embedding and " +
                "stage features; other teachers give embeddings if an embeddingColumnName is set." +
                (missing.HasFlag(ModelOutputs.Embedding) ? " Logits can be compared instead: Cckd(missingEmbedding: MissingEmbedding.UseLogits), or a loss with on: ModelOutputs.Logits." : "");
        }

        if (missing == ModelOutputs.None && method.NeedsLastLayer && !teacher.ShowsLastLayer)
        {
            yield return $"The method {method.Name} keeps the teacher's last linear layer, and this teacher ({teacher.Name}) does not show one. " +
                "Use a network that is trained in the fit (Teacher.Train, Route.Train), or its checkpoints (Route.FromCheckpoints).";
        }

        if (method.TrainsTeacher && !teacher.CanBeTrained)
        {
            yield return $"The method {method.Name} trains a copy of its teacher, and this one ({teacher.Name}) cannot be copied and trained: a model of ML.NET, an ONNX or TorchScript file, a " +
                "module of yours, scores in a column and a teacher made of several are used as they are. Give a network that this library builds (Teacher.Train, Route.Train, Route.FromCheckpoints), or " +
                "take a method with a fixed teacher, such as DistillationMethod.Kd().";
        }

        if (method.NeedsHeldOutRows && ValidationSources == 0)
            yield return $"The method {method.Name} needs held-out rows: give ValidationFraction, ValidationColumnName or ValidationData.";
        if (method.NeedsHeldOutRows && ValidationData is not null && !teacher.SupportsAugmentation)
        {
            yield return $"The method {method.Name} needs the teacher's outputs for the held-out rows, and this teacher can only score the training data: " +
                "hold out some of its rows with ValidationFraction or ValidationColumnName instead of giving ValidationData.";
        }
    }

    private int ValidationSources =>
        (ValidationFraction > 0 ? 1 : 0) + (ValidationColumnName is null ? 0 : 1) + (ValidationData is null ? 0 : 1);

    /// <summary>The distinct image shapes of these options, the student and the teacher's networks.</summary>
    internal IReadOnlyList<InputShape> ImageShapes =>
        [.. new[] { ImageShape, Student?.Image }.Concat(Teacher?.TrainedNetworks.Select(n => n.Image) ?? []).OfType<InputShape>().Distinct()];

    private IEnumerable<string> ShapeFaults()
    {
        if (ImageShapes.Count > 1)
            yield return $"The image shapes differ: {string.Join(", ", ImageShapes)}. ImageShape, the student and the teacher's networks read the same column; give the same shape.";
        if (ImageShape is { } shape && Student?.ValidateShape(shape) is { } fault && Student.Image is null)
            yield return $"ImageShape: {fault}";
    }

    private IEnumerable<string> ViewFaults()
    {
        if (Augmentations is { Count: > 0 } && Method is not null && Method.TeacherNeeds != ModelOutputs.None && Teacher is { SupportsAugmentation: false })
        {
            yield return "Augmentations change the student's features, but a teacher that is an ML.NET model or reads a column of its own scores the unchanged rows, so " +
                "its outputs would not fit. Leave Augmentations empty, or use a teacher that is a network over the student's features. For more rows that any teacher can " +
                "answer, set TransferRows.";
        }

        if (TeacherCache is { Mode: CacheMode.Off } && Method is not null && Method.TeacherNeeds != ModelOutputs.None && Teacher is { SupportsAugmentation: false })
        {
            yield return $"TeacherCache.Mode is Off, so the teacher is queried in every step, but a teacher that is an ML.NET model or reads a column of its own ({Teacher.Name}) answers in one " +
                "pass over the data. Choose another mode, or use a teacher that is a network over the student's features; a custom teacher that answers any batch of features says so by " +
                "supportsAugmentation: true.";
        }

        if (Method is { NeedsHardLabels: true } && Augmentations?.Any(a => a.MixesLabels) == true)
            yield return $"The method {Method.Name} needs one label for each row, and Mixup and CutMix mix labels; leave them out of Augmentations.";

        if (Sampling is { NeedsTeacher: true } && Method?.TeacherNeeds == ModelOutputs.None)
            yield return $"{NameOf(Sampling)} uses the teacher's outputs, and the method {Method.Name} asks no teacher; use another Sampling.";
    }

    private IEnumerable<string> TransferFaults()
    {
        if (TransferRows is null)
            yield break;
        foreach (var fault in TransferRows.Validate())
            yield return fault;
        if (Method?.TeacherNeeds == ModelOutputs.None)
            yield return $"TransferRows have no labels, and the method {Method.Name} asks no teacher about them; leave TransferRows null, or use a method that does.";
        if (Method is { CanUseWeights: false } && TransferRows.Parts.Any(part => part.Weight != 1))
            yield return $"The method {Method.Name} has a loss over pairs of rows, to which example weights cannot be applied; leave TransferRows.Weight 1.";
        if (Method is { NeedsHardLabels: true })
            yield return $"The method {Method.Name} compares the teacher with the label of each row, and TransferRows have none; leave TransferRows null, or use another method.";
        if (Sampling is { NeedsLabels: true })
            yield return $"{NameOf(Sampling)} needs the label of every row, and TransferRows have none; use another Sampling.";
    }

    private static string NameOf(BatchSampling sampling) => sampling switch
    {
        ClassUniformSampling => "BatchSampling.ClassUniform",
        SuperclassUniformSampling => "BatchSampling.SuperclassUniform",
        _ => $"The sampling {sampling}",
    };

    private IEnumerable<string> PartFaults() =>
    [
        .. Student?.Validate() ?? [],
        .. ShapeFaults(),
        .. Method?.Validate() ?? [],
        .. Teacher?.Validate() ?? [],
        .. GivenOptimizer?.Validate() ?? [],
        .. Schedule?.Validate() ?? ["Schedule must be set."],
        .. EarlyStopping?.Validate() ?? [],
        .. Sampling?.Validate(BatchSize) ?? ["Sampling must be set; see BatchSampling."],
        .. Augmentation.ValidateList(Augmentations),
        .. InitialWeights is not null && Student is not null ? InitialWeights.Validate(Student) : [],
        .. TeacherCache?.Validate() ?? ["TeacherCache must be set; new TeacherCacheOptions() keeps the teacher's outputs in memory."],
        .. Faults.NameOrNull(nameof(CheckpointDirectory), "a folder, or null for none", CheckpointDirectory),
        .. Checkpoints?.Validate(nameof(Checkpoints)) ?? [CheckpointOptions.Missing],
        .. RowStorage?.Validate(nameof(RowStorage)) ?? [RowStorageOptions.Missing],
        .. Faults.Unless(
            TeacherCache is not { AugmentedViews: > 0 } || Augmentations is not { Count: 0 },
            $"TeacherCache.AugmentedViews is for augmented rows, and there are no Augmentations; leave it 0."),
        .. ViewFaults(),
        .. TransferFaults(),
    ];
}
