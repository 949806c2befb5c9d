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

/// <summary>One batch through teacher and student and, to time them, a few steps of every stage, with a student that is thrown away.</summary>
/// <param name="options">The settings of the fit.</param>
/// <param name="networks">Knows how the student is shown rows.</param>
/// <param name="set">The rows.</param>
/// <param name="split">Which of them are trained on.</param>
/// <param name="seeds">The run's seeds.</param>
/// <param name="warned">What was warned of before.</param>
/// <param name="classes">The classes, to look at the names of the teacher's; null where all rows are going to tell of them.</param>
internal sealed class PreflightCheck(DistillationOptions options, FitNetworks networks, IRowSource set, DataSplit split, Seeds seeds, IReadOnlyList<string> warned, ClassLabels? classes)
{
    private const double Overconfident = 0.999;
    private readonly List<string> _warnings = [];

    /// <param name="rehearsal">The stages, and a student to throw away.</param>
    /// <param name="answering">The teacher's anchors where they answer; null where it is yet to be trained.</param>
    /// <param name="measureTime">Whether steps are timed, on the student's device. A fit that begins now does not wait for an estimate.</param>
    public PreflightReport Run(DryRun rehearsal, IReadOnlyList<Anchor>? answering, bool measureTime)
    {
        var (student, stages, anchors, isThere) = (rehearsal.Student, rehearsal.Stages, answering ?? rehearsal.Anchors, answering is not null);
        var teacher = isThere && anchors.Count > 0 ? new TeacherCheck(options, set, split).Run(anchors[^1].Teacher) : null;
        if (teacher is not null)
            Warn(teacher);
        _warnings.AddRange(stages.SelectMany(stage => StageChecks.Warnings(stage, networks.Task.LogitCount, options.EarlyStopping is not null)));
        if (options.InitialWeights is null && StepsCheck.Warning(stages, StepsOf, options.BatchSize) is { } few)
            _warnings.Add(few);
        var timer = new StepTimer(options, set, split, seeds, student, networks.GetView(FitNetworks.StudentRole), isThere);
        var timed = stages.Select(stage => (Stage: stage, Time: measureTime ? timer.MeasureStep(stage) : TimeSpan.Zero)).ToList();
        // A teacher that was trained after the rehearsal stands in for what was planned.
        var actual = rehearsal.Anchors.Zip(anchors).DistinctBy(pair => pair.First.Teacher).ToDictionary(pair => pair.First.Teacher, pair => pair.Second.Teacher);
        StageTeacher[] recorded = [.. stages.Where(timer.IsRecorded).SelectMany(s => s.Teacher!.QueriedTeachers).Distinct().Select(t => actual.GetValueOrDefault(t, t))];
        // One record is let go for the next, but where another would cost a pass over the data.
        var kept = Math.Max(Math.Min(1, recorded.Length), recorded.Count(t => t.NeedsPassPerQuery));
        var views = Math.Max(1, options.TeacherCache.AugmentedViews);
        var answers = kept == 0 ? 0 : kept * set.Count * views * AnswerBytes(anchors[^1].Teacher.Shapes);
        var validation = timer.PerScoredRow * (split.Validation?.shape[0] ?? 0);
        // Weights, gradients and the two moments of an adaptive optimiser.
        var studentBytes = student.ParameterCount * sizeof(float) * 4;
        return new PreflightReport
        {
            IsTimed = measureTime,
            Rows = set.Count,
            LabelledRows = set.LabelledRows,
            TrainingRows = split.Training.shape[0],
            ValidationRows = split.Validation?.shape[0] ?? 0,
            Shape = set.Shape,
            Classes = networks.Task.LogitCount,
            Student = options.Student,
            StudentParameters = student.ParameterCount,
            Method = options.Method.Name,
            Teacher = teacher,
            Stages = [.. timed.Select(t => new PreflightStage(t.Stage.Name, t.Stage.Epochs, StepsOf(t.Stage), t.Time))],
            RecordingTime = teacher is null ? TimeSpan.Zero : TimeOfAnswers(teacher, recorded.Length * views, recorded.Length),
            TrainingTime = timed.Aggregate(TimeSpan.Zero, (sum, t) => sum + (t.Stage.Epochs * ((t.Time * StepsOf(t.Stage)) + validation))),
            DataBytes = set.Count * (set.RowBytes + sizeof(long)),
            AnswerBytes = answers,
            AnswersInMemory = answers <= options.TeacherCache.MemoryLimit,
            StudentBytes = studentBytes,
            ExpectedMemory = Process.GetCurrentProcess().WorkingSet64 + Math.Min(answers, options.TeacherCache.MemoryLimit) + studentBytes,
            TrainedFirst = isThere || anchors.Count == 0 ? null : options.Teacher!.Name,
            Warnings = [.. warned.Concat(_warnings).Distinct()],
        };
    }

    /// <summary>Outputs of a live teacher are computed for some rows too, to compare it with the labels.</summary>
    private TimeSpan TimeOfAnswers(PreflightTeacher teacher, int timesAsked, int passes)
    {
        var augmented = options.Augmentations.Count > 0;
        var live = augmented || !options.TeacherCache.Keeps(options.Method.TeacherNeeds, augmented) ? Math.Min(set.Count, TeacherQuality.LiveRows) : 0;
        return (passes * teacher.TimePerPass) + (teacher.TimePerRow * (((double)set.Count * timesAsked) + live));
    }

    private int StepsOf(Stage stage) => stage.Sampler.BatchesPerEpoch(split.Training.shape[0]);

    private void Warn(PreflightTeacher teacher)
    {
        if (teacher.Confusion is { } confusion)
        {
            if (TeacherQuality.IsRefused(confusion.Level, options.MinimumTeacherAccuracy))
            {
                _warnings.Add(FormattableString.Invariant(
                    $"The teacher's accuracy on the rows it was queried for is {confusion.Level}, near chance or below the required value: does it read the right column, in the scale of its own training, and are its ScoreKind and class names right?"));
            }

            _warnings.AddRange(classes is null ? [] : ClassNameChecks.Exchanged(confusion, classes));
        }

        if (teacher.ScoresLookLikeProbabilities is { } taken)
            _warnings.Add(taken);
        if (teacher.MeanConfidence > Overconfident)
        {
            _warnings.Add(FormattableString.Invariant(
                $"The teacher's mean confidence is {teacher.MeanConfidence:0.0000}: its soft targets carry hardly more information than labels. Fit the teacher out-of-fold (folds), or raise the temperature."));
        }
    }

    private long AnswerBytes(OutputShapes shapes) => CacheField.CreateAll(new CacheFileKey
    {
        // What it takes does not depend on what it is of.
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
