using System.Diagnostics;
using MlNetDistill.Alignment;
using MlNetDistill.Cache;
using MlNetDistill.Core;
using MlNetDistill.Data;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Teachers;
using MlNetDistill.Training;

namespace MlNetDistill.Fitting;

/// <summary>Queries the teacher for a few rows, checks the stages and, on request, times a few steps of each with a student that is not kept.</summary>
/// <param name="options">The settings of the fit.</param>
/// <param name="networks">The networks of the fit.</param>
/// <param name="set">The rows.</param>
/// <param name="split">Which of them are trained on.</param>
/// <param name="seeds">The run's seeds.</param>
/// <param name="earlierWarnings">Warnings given before.</param>
/// <param name="classes">The classes, to check their names; null if the fit checks them on all rows.</param>
internal sealed class PreflightCheck(
    DistillationOptions options, FitNetworks networks, IRowSource set, DataSplit split, Seeds seeds, IReadOnlyList<string> earlierWarnings, ClassLabels? classes)
{
    private const double Overconfident = 0.999;
    private readonly List<string> _warnings = [];
    private readonly List<string> _advice = [];

    /// <summary>Measures student and teacher.</summary>
    public required CostMeasures Costs { get; init; }

    /// <summary>Estimates what the student alone reaches; null if that is not asked for.</summary>
    public AloneEstimate? Alone { get; init; }

    /// <param name="rehearsal">The stages, and an untrained student.</param>
    /// <param name="ready">The teacher's anchors; null if it is yet to be trained.</param>
    /// <param name="measureTime">Whether steps are timed, on the student's device. A fit that begins now does not wait for an estimate.</param>
    public PreflightReport Run(DryRun rehearsal, IReadOnlyList<Anchor>? ready, bool measureTime)
    {
        var (student, phases, anchors, isReady) = (rehearsal.Student, rehearsal.Phases, ready ?? rehearsal.Anchors, ready is not null);
        Stage[] stages = [.. phases.Select(phase => phase.StudentStage)];
        int GetSteps(Stage stage) => stage.Sampler.BatchesPerEpoch(QuizRows.CountTrained(phases[Array.FindIndex(stages, s => ReferenceEquals(s, stage))], set, split.Training));
        var check = new TeacherCheck(networks.Task, options, set, split);
        var teacher = isReady && anchors.Count > 0 ? check.Run(anchors[^1].Teacher) : null;
        if (teacher is not null)
            Warn(teacher);
        var alone = Alone is null ? null : EstimateAlone(Alone, check.HeldOut, stages.Sum(stage => (long)stage.Epochs * GetSteps(stage)));
        var costs = Costs.Run(student, teacher, isReady && anchors.Count > 0 ? anchors[^1].Teacher : null);
        foreach (var warning in costs.Warnings)
            Add(warning, costs.Advice);
        _warnings.AddRange(stages.SelectMany(stage => StageChecks.Warnings(stage, networks.Task, options.EarlyStopping is not null, options.BatchSize)));
        if (options.InitialWeights is null && StepsCheck.Warning(stages, GetSteps, options.BatchSize) is { } few)
            Add(few, "train longer: more Epochs or a smaller BatchSize");
        var timer = new StepTimer(options, set, split, seeds, student, networks.GetView(FitNetworks.StudentRole), isReady);
        var timed = stages.Zip(phases, (stage, phase) => (Stage: stage, Time: measureTime ? timer.MeasureStep(phase) : TimeSpan.Zero)).ToList();
        // A teacher that was trained after the rehearsal replaces the planned one.
        var actual = rehearsal.Anchors.Zip(anchors).DistinctBy(pair => pair.First.Teacher).ToDictionary(pair => pair.First.Teacher, pair => pair.Second.Teacher);
        StageTeacher[] cached = [.. phases.Where(timer.IsCached).SelectMany(p => p.StudentStage.Teacher!.QueriedTeachers).Distinct().Select(t => actual.GetValueOrDefault(t, t))];
        // A cache is released when the next teacher is used, unless computing it again would cost a pass over the data.
        var kept = Math.Max(Math.Min(1, cached.Length), cached.Count(t => t.NeedsPassPerQuery));
        var views = Math.Max(1, options.TeacherCache.AugmentedViews);
        var cacheBytes = kept == 0 ? 0 : kept * set.Count * views * GetCacheBytes(anchors[^1].Teacher.Shapes);
        var validation = timer.PerScoredRow * (split.Validation?.shape[0] ?? 0);
        // Weights, gradients and the two moments of an adaptive optimiser.
        var studentBytes = student.ParameterCount * sizeof(float) * 4;
        return new PreflightReport
        {
            IsTimed = measureTime,
            Rows = set.Count,
            LabelledRows = set.LabelledRows,
            TrainingRows = split.Training.shape[0],
            TransferRows = split.Added,
            ValidationRows = split.Validation?.shape[0] ?? 0,
            Shape = set.Shape,
            Classes = networks.Task.LogitCount,
            Student = options.Student,
            StudentParameters = student.ParameterCount,
            Method = options.Method.Name,
            Teacher = teacher,
            Alone = alone,
            StudentModelBytes = costs.StudentBytes,
            TeacherModelBytes = costs.TeacherBytes,
            StudentTimePerRow = costs.StudentTime,
            TeacherIsLinear = costs.IsLinear,
            Advice = [.. _advice.Distinct()],
            Stages = [.. timed.Select(t => new PreflightStage(t.Stage.Name, t.Stage.Epochs, GetSteps(t.Stage), t.Time))],
            TeacherTime = teacher is null ? TimeSpan.Zero : TimeOfQueries(teacher, cached.Length * views, cached.Length),
            TrainingTime = timed.Aggregate(TimeSpan.Zero, (sum, t) => sum + (t.Stage.Epochs * ((t.Time * GetSteps(t.Stage)) + validation))),
            DataBytes = set.FeatureBytes + (set.Count * sizeof(long)),
            CacheBytes = cacheBytes,
            CacheIsInMemory = cacheBytes <= options.TeacherCache.MemoryLimit,
            StudentBytes = studentBytes,
            ExpectedMemory = Process.GetCurrentProcess().WorkingSet64 + Math.Min(cacheBytes, options.TeacherCache.MemoryLimit) + studentBytes,
            TrainedFirst = isReady || anchors.Count == 0 ? null : options.Teacher!.Name,
            Warnings = [.. earlierWarnings.Concat(_warnings).Distinct()],
        };
    }

    /// <summary>The time to query the teacher. If its outputs are not cached, it is also queried for some rows to compare it with the labels.</summary>
    private TimeSpan TimeOfQueries(PreflightTeacher teacher, int queriesPerRow, int passes)
    {
        var augmented = options.Augmentations.Count > 0;
        var live = augmented || options.Method.TrainsTeacher || !options.TeacherCache.Keeps(options.Method.TeacherNeeds, augmented) ? Math.Min(set.Count, TeacherQuality.LiveRows) : 0;
        return (passes * teacher.TimePerPass) + (teacher.TimePerRow * (((double)set.Count * queriesPerRow) + live));
    }

    private void Warn(PreflightTeacher teacher)
    {
        if (teacher.Confusion is { } confusion)
        {
            if (TeacherQuality.IsRefused(confusion.Level, options.MinimumTeacherAccuracy))
            {
                Add(
                    FormattableString.Invariant(
                        $"The teacher's accuracy on the rows it was queried for is {confusion.Level}, near chance or below the required value: does it read the right column, in the scale of its own training, and are its ScoreKind and class names right?"),
                    "do not distil from this teacher before its columns, ScoreKind and class names are checked");
            }

            _warnings.AddRange(classes is null ? [] : ClassNameChecks.Exchanged(confusion, classes));
        }

        if (teacher.ScoresLookLikeProbabilities is { } warning)
            Add(warning, "state the teacher's ScoreKind");
        // For transfer rows, which it has not seen, it may be less sure.
        if (teacher.MeanConfidence > Overconfident && split.Added == 0)
        {
            Add(
                FormattableString.Invariant(
                    $"The teacher's mean confidence is {teacher.MeanConfidence:0.0000}: its soft targets carry hardly more information than labels. Let it answer for more rows (TransferRows), fit it out-of-fold (folds), or raise the temperature."),
                "soften the teacher (folds, or a higher temperature), and set CompareAlone to see whether distilling pays");
        }
    }

    private PreflightAlone? EstimateAlone(AloneEstimate estimate, JudgedTeacher? teacher, long planned)
    {
        PreflightAlone? alone;
        try
        {
            alone = estimate.Run(teacher, planned);
        }
        catch (NonFiniteLossException fault)
        {
            Add($"The student alone (CompareAlone) could not be trained: {fault.Message}", "lower Optimizer.LearningRate");
            return null;
        }

        if (alone is null or { Rows: < PayoffWarning.FewestRows })
            _advice.Add($"hold more labelled rows out (ValidationFraction), so that CompareAlone has at least {PayoffWarning.FewestRows} rows to compare by");
        else if (alone.TeacherOverAlone is { } gain && PayoffWarning.Create(gain, alone.Rows) is { } warning)
            Add(warning, "take the student alone (DistillationMethod.LabelsOnly) or a better teacher, unless agreement with this one counts or there are many rows without labels");
        return alone;
    }

    private void Add(string warning, string? advice)
    {
        _warnings.Add(warning);
        if (advice is not null)
            _advice.Add(advice);
    }

    private long GetCacheBytes(OutputShapes shapes) => CacheField.CreateAll(new CacheFileKey
    {
        // The size does not depend on these.
        Teacher = "",
        Data = "",
        Classes = "",
        Rows = set.Count,
        Shapes = shapes,
        Kept = (options.Method.TeacherNeeds | ModelOutputs.Logits) & options.TeacherCache.Kept & shapes.Available,
        Precision = options.TeacherCache.Precision,
        TopK = options.TeacherCache.TopK,
    }).Sum(field => (long)field.Bytes);
}
