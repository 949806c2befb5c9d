using System.Globalization;
using Microsoft.ML.Runtime;
using MlNetDistill.Cache;
using MlNetDistill.Core;
using MlNetDistill.Diagnostics;
using MlNetDistill.Evaluation;
using MlNetDistill.Networks;
using static System.FormattableString;

namespace MlNetDistill.Fitting;

/// <summary>What <see cref="DistillationTrainer.Preflight"/> found. Times are those of a few steps on this machine as it is now; they show only the order of magnitude.</summary>
public sealed record PreflightReport
{
    private const int MostStages = 10;

    /// <summary>Usable rows of the training data, for training and validation, and <see cref="TransferRows"/>.</summary>
    public required long Rows { get; init; }

    /// <summary>Those of them that have a label.</summary>
    public required long LabelledRows { get; init; }

    /// <summary>Rows trained on.</summary>
    public required long TrainingRows { get; init; }

    /// <summary>Those of them that are <see cref="DistillationOptions.TransferRows"/>; 0 for none.</summary>
    public long TransferRows { get; init; }

    /// <summary>Rows held out; 0 for none.</summary>
    public required long ValidationRows { get; init; }

    /// <summary>Shape of a row of features.</summary>
    public required InputShape Shape { get; init; }

    /// <summary>Number of classes.</summary>
    public required int Classes { get; init; }

    /// <summary>The student's network.</summary>
    public required NetworkSpec Student { get; init; }

    /// <summary>Its number of parameters.</summary>
    public required long StudentParameters { get; init; }

    /// <summary>The method's name.</summary>
    public required string Method { get; init; }

    /// <summary>The teacher's quality on some rows; null if there is no teacher, or it is yet to be trained.</summary>
    public PreflightTeacher? Teacher { get; init; }

    /// <summary>
    /// With <see cref="DistillationOptions.CompareAlone"/>: what the student reaches on the labels alone, and what the teacher has to offer beyond. Null without, and where no
    /// held-out row has a label.
    /// </summary>
    public PreflightAlone? Alone { get; init; }

    /// <summary>Bytes of the student's weights, about the size of its saved model.</summary>
    public long StudentModelBytes { get; init; }

    /// <summary>
    /// Bytes of the teacher: of the saved model if it is an ML.NET model, of its file, or of the weights of a network; null if unknown, as before it is fitted.
    /// </summary>
    public long? TeacherModelBytes { get; init; }

    /// <summary>
    /// The student's time for a row of a batch on the CPU, as an ML.NET model if the teacher is one, else as a network; to compare with
    /// <see cref="PreflightTeacher.TimePerRow"/>. Null if it was not measured.
    /// </summary>
    public TimeSpan? StudentTimePerRow { get; init; }

    /// <summary>Whether the teacher is a linear ML.NET model, which is small and fast without distillation.</summary>
    public bool TeacherIsLinear { get; init; }

    /// <summary>What this library would do about the warnings that speak against this fit, a line each; other warnings contain their remedy.</summary>
    public IReadOnlyList<string> Advice { get; init; } = [];

    /// <summary>The stages of training, as far as they are known before it.</summary>
    public required IReadOnlyList<PreflightStage> Stages { get; init; }

    /// <summary>Time to compute the teacher's outputs for all rows, as often as they are cached; less if a cache exists already.</summary>
    public required TimeSpan TeacherTime { get; init; }

    /// <summary>Time to train the student and validate it.</summary>
    public required TimeSpan TrainingTime { get; init; }

    /// <summary>Bytes of the rows in memory.</summary>
    public required long DataBytes { get; init; }

    /// <summary>Bytes of the teacher's cached outputs, in memory or, beyond <see cref="TeacherCacheOptions.MemoryLimit"/>, in a file.</summary>
    public required long CacheBytes { get; init; }

    /// <summary>Bytes of the student with its gradients and its optimiser's state.</summary>
    public required long StudentBytes { get; init; }

    /// <summary>Bytes of memory that this process is expected to use in training, without the activations of a step.</summary>
    public required long ExpectedMemory { get; init; }

    /// <summary>Warnings, each as one sentence.</summary>
    public required IReadOnlyList<string> Warnings { get; init; }

    /// <summary>Whether the teacher's outputs are cached in memory; else in a file.</summary>
    internal bool CacheIsInMemory { get; init; } = true;

    /// <summary>The teacher that is trained first, which the times do not include; null for none.</summary>
    internal string? TrainedFirst { get; init; }

    /// <summary>Whether steps were timed; if not, all times are 0 and not shown.</summary>
    internal bool IsTimed { get; init; } = true;

    /// <summary>A summary of one screen.</summary>
    public override string ToString() => string.Join(Environment.NewLine, Lines());

    internal void Log(IChannel channel)
    {
        foreach (var line in Lines())
            channel.Info($"{line}");
        foreach (var warning in Warnings)
            channel.Warning($"{warning}");
    }

    private IEnumerable<string> Lines()
    {
        var text = new List<string> { "Preflight" };
        Line("data", $"{Rows:N0} rows ({Shape}), {Classes} classes{(LabelledRows == Rows ? "" : LabelledRows == 0 ? ", no labels" : Invariant($", {LabelledRows:N0} rows labelled"))}; training on {TrainingRows:N0}{(TransferRows == 0 ? "" : Invariant($" ({TransferRows:N0} of them transfer rows)"))}, validating on {ValidationRows:N0}");
        Line("student", $"{Student.Name}, {StudentParameters:N0} parameters; {Method}");
        if (Teacher is { } teacher)
        {
            foreach (var (i, line) in teacher.Lines.Index())
                Line(i == 0 ? "teacher" : "", $"{line}");
        }

        if (Alone is { } alone)
            Line("alone", $"{alone}");
        if (TrainedFirst is { } first)
            Line("teacher", $"{first}; it is trained first, which is not in the times below");
        if (TeacherModelBytes is { } bytes)
            Line("size", $"student about {Figures.Bytes(StudentModelBytes)}, teacher {Figures.Bytes(bytes)}{(TeacherIsLinear ? ", a linear model" : "")}");
        if (IsTimed && Teacher is not null && StudentTimePerRow is { } time)
            Line("speed", $"for a row of a batch: student {Figures.Microseconds(time.TotalMicroseconds)}, teacher {Figures.Microseconds(Teacher.TimePerRow.TotalMicroseconds)}");
        // A route may have many anchors; all of them are in Stages.
        var shown = Stages.Count <= MostStages ? Stages : [.. Stages.Take(MostStages - 2), Stages[^1]];
        foreach (var (i, stage) in shown.Index())
        {
            if (i == shown.Count - 1 && shown.Count < Stages.Count)
                Line("", $"… {Stages.Count - shown.Count} more stages …");
            Line("stage", $"{(IsTimed ? $"{stage}" : stage.Length)}");
        }

        if (IsTimed)
            Line("time", $"about {NumberText.Duration(TeacherTime + TrainingTime)}: the teacher's outputs {NumberText.Duration(TeacherTime)}, training {NumberText.Duration(TrainingTime)}");
        Line("memory", $"data {Size(DataBytes)}, teacher cache {Size(CacheBytes)} {(CacheIsInMemory ? "in memory" : "in a file")}, student {Size(StudentBytes)}; about {Size(ExpectedMemory)} in all");
        foreach (var warning in Warnings)
            Line("warning", $"{warning}");
        foreach (var advice in Advice)
            Line("advice", $"{advice}");
        return text;

        void Line(string head, FormattableString rest) => text.Add($"  {head,-9}{Invariant(rest)}");
    }

    private static string Size(long bytes) => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1048576.0:0.0} MiB");
}

/// <summary>A teacher's quality on some rows.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Gives">The outputs that it gives.</param>
/// <param name="RowsQueried">Number of rows that it was queried for.</param>
/// <param name="OnValidationRows">Whether these are validation rows; else training rows, on which the teacher may have been trained.</param>
/// <param name="Accuracy">Share of the labelled rows for which it predicts the label; null if none has a label.</param>
/// <param name="MeanConfidence">Mean probability of its most probable class.</param>
/// <param name="AgreementCeiling">
/// The largest share of these rows on which any student with the same features can agree with it, as rows with equal features get one prediction. It is below 1 if
/// the teacher reads other columns than the student.
/// </param>
/// <param name="TimePerRow">Time for a row of a batch.</param>
public sealed record PreflightTeacher(
    string Name, ModelOutputs Gives, int RowsQueried, bool OnValidationRows, double? Accuracy, double MeanConfidence, double AgreementCeiling, TimeSpan TimePerRow)
{
    /// <summary>Time of a query without the time for its rows: of a pass, if the teacher reads a data view.</summary>
    internal TimeSpan TimePerPass { get; init; }

    /// <summary>A warning if its scores look like probabilities and are used as something else; else null.</summary>
    internal string? ScoresLookLikeProbabilities { get; init; }

    /// <summary>Labels and predictions; null if no row has a label.</summary>
    internal ClassConfusion? Confusion { get; init; }

    /// <summary>How far its accuracy can be trusted; null if it was not trained on these rows.</summary>
    internal string? Caveat { get; init; }

    internal IReadOnlyList<string> Lines =>
    [
        $"{Name}, gives {Gives}",
        (Accuracy is { } accuracy ? Invariant($"accuracy {accuracy:0.0000}") : "no labels to compare it with")
            + Invariant($", mean confidence {MeanConfidence:0.0000}, on {RowsQueried} {(OnValidationRows ? "held-out" : "training")} rows"),
        .. Caveat is null ? Array.Empty<string>() : [Caveat],
        Invariant($"a student with only these features can reach an agreement of at most {AgreementCeiling:0.0000}"),
    ];

    /// <summary>Its name, its quality, and how far a student can agree with it.</summary>
    public override string ToString() => string.Join(Environment.NewLine, Lines);
}

/// <summary>A stage of training and its cost.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Epochs">Its epochs.</param>
/// <param name="StepsPerEpoch">Steps of an epoch.</param>
/// <param name="TimePerStep">Time of a step, with the teacher's outputs taken from the cache or, if they are not cached, computed.</param>
public sealed record PreflightStage(string Name, int Epochs, int StepsPerEpoch, TimeSpan TimePerStep)
{
    internal string Length => Invariant($"{Name}: {NumberText.Count(Epochs, "epoch")} of {NumberText.Count(StepsPerEpoch, "step")}");

    /// <summary>Its length and cost.</summary>
    public override string ToString() => Invariant($"{Length}, {TimePerStep.TotalMilliseconds:0.##} ms each");
}
