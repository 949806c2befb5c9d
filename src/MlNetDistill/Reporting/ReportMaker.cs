using System.Reflection;
using System.Runtime.InteropServices;
using Microsoft.ML;
using MlNetDistill.Evaluation;
using MlNetDistill.Export;
using MlNetDistill.Reading;

namespace MlNetDistill.Reporting;

/// <summary>Measures what a report says.</summary>
internal sealed class ReportMaker(MLContext context, ReportInput evidence)
{
    /// <exception cref="ArgumentException">Something that must be given is null.</exception>
    public static void CheckGiven(ReportInput evidence)
    {
        foreach (var (name, value) in new (string, object?)[]
        {
            (nameof(evidence.Title), evidence.Title),
            (nameof(evidence.Test), evidence.Test),
            (nameof(evidence.Student), evidence.Student),
            (nameof(evidence.TeacherName), evidence.TeacherName),
            (nameof(evidence.Evaluation), evidence.Evaluation),
        })
        {
            if (value is null)
                throw new ArgumentException($"{name} of the evidence must be given; it is null.", nameof(evidence));
        }
    }

    public DistillationReport Make()
    {
        evidence.Criteria?.Check();
        if (evidence.Teacher is null && evidence.TeacherScoreColumnName == evidence.ScoreColumnName)
        {
            throw new ArgumentException(
                $"There is no Teacher, and TeacherScoreColumnName is '{evidence.ScoreColumnName}', the student's own scores: it would be compared with " +
                "itself. Give the Teacher, or as TeacherScoreColumnName a column of the rows (DistillationTrainer.ScoreTeacher makes one).",
                nameof(evidence));
        }

        var metrics = Compare(evidence.Student, evidence.Test);
        var overlap = SeenRows.Find(evidence.Student, evidence.Test, evidence.Training);
        var alone = evidence.Alone is null ? null : Compare(evidence.Alone, evidence.Test);
        var overAlone = alone is null ? null : metrics.DifferenceFrom(alone);
        return new DistillationReport
        {
            Title = evidence.Title,
            Description = evidence.Description,
            Teacher = Reported(evidence.TeacherName, evidence.Teacher, evidence.TeacherCost),
            Student = Reported("Student, distilled", evidence.Student, evidence.StudentCost),
            Alone = evidence.Alone is { } model ? Reported("Student alone", model, evidence.AloneCost) : null,
            Metrics = metrics,
            AloneMetrics = alone,
            AccuracyOverAlone = overAlone?.Accuracy,
            AgreementOverAlone = overAlone?.Agreement,
            TrainingMetrics = evidence.Training is null ? null : Compare(evidence.Student, evidence.Training),
            Acceptance = evidence.Criteria?.Judge(metrics, evidence.StudentCost, overlap),
            TrainingOverlap = overlap,
            Data = [.. Described("Training rows", evidence.Training), .. Described("Test rows", evidence.Test)],
            Versions = Versions(),
        };
    }

    /// <summary>What predicts in a model of ML.NET's own.</summary>
    private static object? PredictorOf(ITransformer? model) => model switch
    {
        ISingleFeaturePredictionTransformer<object> predicts => predicts.Model,
        IEnumerable<ITransformer> chain => chain.Select(PredictorOf).LastOrDefault(predictor => predictor is not null),
        _ => null,
    };

    private static List<ReportedSetting> Versions() =>
    [
        new("MlNetDistill", VersionOf(typeof(DistillationReport).Assembly)),
        new("Microsoft.ML", VersionOf(typeof(MLContext).Assembly)),
        new("TorchSharp", VersionOf(typeof(TorchSharp.torch).Assembly)),
        new("ONNX Runtime", VersionOf(typeof(Microsoft.ML.OnnxRuntime.InferenceSession).Assembly)),
        new(".NET", RuntimeInformation.FrameworkDescription),
        new("System", $"{RuntimeInformation.OSDescription}, {RuntimeInformation.ProcessArchitecture}, {Environment.ProcessorCount} processors"),
    ];

    // After a plus sign stands the commit that it was built from.
    private static string VersionOf(Assembly assembly) =>
        assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? $"{assembly.GetName().Version}";

    private DistillationMetrics Compare(ITransformer student, IDataView rows)
    {
        var catalog = context.MulticlassClassification;
        return evidence.Teacher is { } teacher
            ? catalog.EvaluateDistillation(
                rows, teacher, student, evidence.LabelColumnName, evidence.ScoreColumnName, evidence.TeacherScoreColumnName, evidence.Evaluation)
            : catalog.EvaluateDistillation(
                student.Transform(rows), evidence.TeacherScoreColumnName, evidence.ScoreColumnName, evidence.LabelColumnName, evidence.Evaluation);
    }

    private ReportedModel Reported(string name, ITransformer? model, ModelCost? cost)
    {
        // The last is the one that gives the scores, where this library trained it in this process.
        var network = model?.FindStudents().LastOrDefault()?.Model;
        return new ReportedModel
        {
            Name = name,
            Kind = network?.Spec.Name ?? PredictorOf(model)?.GetType().Name.Split('`')[0],
            Parameters = network?.ParameterCount,
            Cost = cost,
            Hash = model is null ? null : ModelHash.ComputeOrNull(context, model, evidence.Test.Schema),
            History = network?.History ?? [],
            Notes = network?.Notes ?? [],
            Warnings = network?.Warnings ?? [],
            Settings = network?.Settings ?? [],
        };
    }

    private static IEnumerable<ReportedData> Described(string name, IDataView? rows)
    {
        if (rows is null)
            yield break;
        var (count, hash) = ViewHash.Of(rows);
        yield return new ReportedData(name, count, hash);
    }
}
