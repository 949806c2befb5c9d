using MlNetDistill.Core;
using MlNetDistill.Data;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using static System.FormattableString;

namespace MlNetDistill;

/// <summary>What may be wrong with the settings, found all at once.</summary>
public sealed partial record DistillationOptions
{
    internal void Check()
    {
        var faults = Validate().ToList();
        if (faults.Count > 0)
            throw new ArgumentOutOfRangeException("options", string.Join(" ", faults));
    }

    private IEnumerable<string> Validate()
    {
        if (Student is null)
            yield return "Student must be set, for example to NetworkSpec.Mlp(64).";
        if (Method is null)
            yield return "Method must be set, for example to DistillationMethod.Kd().";
        if (Teacher is null && Method is not null && Method.TeacherNeeds != ModelOutputs.None)
            yield return $"The method {Method.Name} needs a Teacher, for example Teacher.FromTransformer(model). To train without one, use DistillationMethod.LabelsOnly().";
        foreach (var fault in Teacher is null || Method is null ? [] : TeacherFaults(Teacher, Method))
            yield return fault;
        foreach (var (name, value) in new[]
        {
            (nameof(FeatureColumnName), FeatureColumnName),
            (nameof(ScoreColumnName), ScoreColumnName),
            (nameof(PredictedLabelColumnName), PredictedLabelColumnName),
        })
        {
            if (string.IsNullOrWhiteSpace(value))
                yield return $"{name} must be a column name; was {(value is null ? "null" : $"'{value}'")}.";
        }

        foreach (var (name, value) in new[] { (nameof(LabelColumnName), LabelColumnName), (nameof(ExampleWeightColumnName), ExampleWeightColumnName), (nameof(ValidationColumnName), ValidationColumnName) })
        {
            if (value is not null && string.IsNullOrWhiteSpace(value))
                yield return $"{name} must be a column name, or null for none; was '{value}'.";
        }

        foreach (var fault in CollidingNames())
            yield return fault;
        if (PredictedLabelColumnName == "Score")
            yield return "PredictedLabelColumnName must not be 'Score': the in-box predictor in a saved student writes its probabilities under that name first.";
        if (Epochs < 1)
            yield return Invariant($"Epochs must be at least 1; was {Epochs}.");
        if (BatchSize < 1)
            yield return Invariant($"BatchSize must be at least 1; was {BatchSize}.");
        if (GradientClipping is { } norm && !(norm > 0 && double.IsFinite(norm)))
            yield return Invariant($"GradientClipping must be above 0; was {norm}.");
        if (!(ValidationFraction >= 0 && ValidationFraction < 1))
            yield return Invariant($"ValidationFraction must be in [0, 1); was {ValidationFraction}.");
        if (ValidationSources > 1)
            yield return "ValidationFraction, ValidationColumnName and ValidationData exclude each other; give one.";
        if (EarlyStopping is not null && ValidationSources == 0)
            yield return "EarlyStopping needs held-out rows: give ValidationFraction, ValidationColumnName or ValidationData.";
        if (MinimumTeacherAccuracy is { } least && !(least >= 0 && least <= 1))
            yield return Invariant($"MinimumTeacherAccuracy must be in [0, 1]; was {least}.");
        if (MissingLabels == MissingLabels.TeacherOnly && Method?.TeacherNeeds == ModelOutputs.None)
            yield return "MissingLabels.TeacherOnly needs a method that learns from the teacher.";
        if (ExampleWeightColumnName is not null && Method is { CanUseWeights: false })
            yield return $"The method {Method.Name} has a term over pairs of rows, which example weights cannot weigh; leave out ExampleWeightColumnName.";
        if (!Enum.IsDefined(MissingLabels))
            yield return $"MissingLabels has no value {MissingLabels}.";
        if (!Enum.IsDefined(MissingFeatures))
            yield return $"MissingFeatures has no value {MissingFeatures}.";
        if (!Enum.IsDefined(OnCancellation))
            yield return $"OnCancellation has no value {OnCancellation}.";
        foreach (var fault in LabelColumnName is null ? NoLabelFaults() : [])
            yield return fault;
        foreach (var fault in PartFaults())
            yield return fault;
    }

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
            yield return "BatchSampling.ClassUniform needs labels, and LabelColumnName is null; BatchSampling.SuperclassUniform uses the teacher's outputs instead.";
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
                "stage features; other teachers give embeddings where an embeddingColumnName is named.";
        }

        if (method.NeedsHeldOutRows && ValidationSources == 0)
            yield return $"The method {method.Name} looks at held-out rows: give ValidationFraction, ValidationColumnName or ValidationData.";
        if (method.NeedsHeldOutRows && ValidationData is not null && !teacher.SupportsAugmentation)
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
            yield return $"BatchSampling.SuperclassUniform uses the teacher's outputs, and the method {Method.Name} has no teacher; use another Sampling.";
    }

    private IEnumerable<string> PartFaults() =>
        (Student?.Validate() ?? [])
        .Concat(ShapeFaults())
        .Concat(Method?.Validate() ?? [])
        .Concat(Teacher?.Validate() ?? [])
        .Concat(Optimizer?.Validate() ?? ["Optimizer must be given."])
        .Concat(Schedule?.Validate() ?? ["Schedule must be given."])
        .Concat(EarlyStopping?.Validate() ?? [])
        .Concat(Sampling?.Validate(BatchSize) ?? ["Sampling must be given; see BatchSampling."])
        .Concat(Augmentation.FaultsOf(Augmentations))
        .Concat(InitialWeights is not null && Student is not null ? InitialWeights.Validate(Student) : [])
        .Concat(TeacherCache?.Validate() ?? ["TeacherCache must be set; new TeacherCacheOptions() keeps the teacher's outputs in memory."])
        .Concat(TeacherCache is { AugmentedViews: > 0 } && Augmentations is { Count: 0 } ? ["TeacherCache.AugmentedViews keeps views of augmented rows, and there are no Augmentations; leave it 0."] : [])
        .Concat(ViewFaults());
}
