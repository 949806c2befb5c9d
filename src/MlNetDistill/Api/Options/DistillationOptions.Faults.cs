using MlNetDistill.Core;
using MlNetDistill.Data;
using MlNetDistill.Methods;
using MlNetDistill.Networks;

namespace MlNetDistill;

/// <summary>What may be wrong with the settings, found all at once.</summary>
public sealed partial record DistillationOptions
{
    internal void Check() => Faults.ThrowIfAny(Validate(), "options");

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
            $"MissingLabels.TeacherOnly needs a method that learns from the teacher."),
        .. Faults.Unless(
            ExampleWeightColumnName is null || Method is not { CanUseWeights: false },
            $"The method {Method?.Name} has a term over pairs of rows, which example weights cannot weigh; leave out ExampleWeightColumnName."),
        .. Faults.Defined(nameof(MissingLabels), MissingLabels),
        .. Faults.Defined(nameof(MissingFeatures), MissingFeatures),
        .. Faults.Defined(nameof(OnCancellation), OnCancellation),
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
            $"PredictedLabelColumnName must not be 'Score': the in-box predictor in a saved student writes its probabilities under that name first."),
    ];

    /// <summary>
    /// Columns of the trainer under one name. An output would hide an input from all that comes after, and a later evaluation would take the student's answers for
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

    /// <summary>What asks for labels where there are none; that a stage does shows when it is laid out.</summary>
    private IEnumerable<string> NoLabelFaults()
    {
        if (Method?.TeacherNeeds == ModelOutputs.None)
            yield return $"The method {Method.Name} learns from labels alone, and LabelColumnName is null: name the label column, or use a method that learns from a teacher.";
        if (Teacher is { NeedsLabels: true })
        {
            yield return $"The teacher ({Teacher.Name}) is trained on labels, and LabelColumnName is null: name the label column, or give a teacher that is trained already.";
        }

        if (Sampling is { NeedsLabels: true })
            yield return $"{NameOf(Sampling)} needs labels, and LabelColumnName is null; BatchSampling.SuperclassUniform uses the teacher's outputs instead.";
        if (MinimumTeacherAccuracy > 0)
            yield return FormattableString.Invariant($"MinimumTeacherAccuracy {MinimumTeacherAccuracy} needs labels to compare the teacher with, and LabelColumnName is null; leave it null.");
    }

    private IEnumerable<string> TeacherFaults(Teacher teacher, DistillationMethod method)
    {
        if (method.NeedsRoute && !teacher.IsRoute)
            yield return $"The method {method.Name} needs a route of teachers; make one with the Route class.";
        var missing = method.TeacherNeeds & ~teacher.CanProvide;
        if (missing != ModelOutputs.None)
        {
            yield return $"The method {method.Name} reads {missing} of its teacher, and this one gives {teacher.CanProvide} alone. " +
                "A network (Teacher.Train, Route.Train, or Teacher.FromOnnx, FromTorchScript or FromModule with their outputs named) gives logits, embedding and " +
                "stage features; other teachers give embeddings where an embeddingColumnName is named." +
                (missing.HasFlag(ModelOutputs.Embedding) ? " Logits can be compared instead: Cckd(withoutEmbedding: MissingEmbedding.UseLogits), or a loss with on: ModelOutputs.Logits." : "");
        }

        if (method.NeedsHeldOutRows && ValidationSources == 0)
            yield return $"The method {method.Name} needs held-out rows: give ValidationFraction, ValidationColumnName or ValidationData.";
        if (method.NeedsHeldOutRows && ValidationData is not null && !teacher.SupportsAugmentation)
        {
            yield return $"The method {method.Name} queries the teacher for the held-out rows, and this one answers only for the training data: " +
                "hold out rows of it with ValidationFraction or ValidationColumnName instead of ValidationData.";
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
        if (ImageShape is { } shape && Student?.ValidateShape(shape) is { } fault && Student.Image is null)
            yield return $"ImageShape: {fault}";
    }

    private IEnumerable<string> ViewFaults()
    {
        if (Augmentations is { Count: > 0 } && Method is not null && Method.TeacherNeeds != ModelOutputs.None && Teacher is { SupportsAugmentation: false })
        {
            yield return "Augmentations change the student's features, and a teacher that is an ML.NET model or reads a column of its own answers for the rows as " +
                "they are, so it would answer for other inputs. Leave Augmentations empty, or use a teacher that is a network over the student's features.";
        }

        if (Method is { NeedsHardLabels: true } && Augmentations?.Any(a => a.MixesLabels) == true)
            yield return $"The method {Method.Name} needs one label for each row, and Mixup and CutMix mix labels; leave them out of Augmentations.";

        if (Sampling is { NeedsTeacher: true } && Method?.TeacherNeeds == ModelOutputs.None)
            yield return $"{NameOf(Sampling)} uses the teacher's outputs, and the method {Method.Name} has no teacher; use another Sampling.";
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
        .. Optimizer?.Validate() ?? ["Optimizer must be given."],
        .. Schedule?.Validate() ?? ["Schedule must be given."],
        .. EarlyStopping?.Validate() ?? [],
        .. Sampling?.Validate(BatchSize) ?? ["Sampling must be given; see BatchSampling."],
        .. Augmentation.ValidateList(Augmentations),
        .. InitialWeights is not null && Student is not null ? InitialWeights.Validate(Student) : [],
        .. TeacherCache?.Validate() ?? ["TeacherCache must be set; new TeacherCacheOptions() keeps the teacher's outputs in memory."],
        .. Faults.Unless(
            TeacherCache is not { AugmentedViews: > 0 } || Augmentations is not { Count: 0 },
            $"TeacherCache.AugmentedViews keeps views of augmented rows, and there are no Augmentations; leave it 0."),
        .. ViewFaults(),
    ];
}
