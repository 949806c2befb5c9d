using System.Reflection;
using System.Runtime.InteropServices;
using Microsoft.ML;
using MlNetDistill.Evaluation;
using MlNetDistill.Export;
using MlNetDistill.Reading;

namespace MlNetDistill.Reporting;

/// <summary>Evaluates the models of a report and collects its other content.</summary>
internal sealed class ReportMaker(MLContext context, ReportInput input)
{
    /// <exception cref="ArgumentException">A required value is null.</exception>
    public static void ThrowIfIncomplete(ReportInput input)
    {
        foreach (var (name, value) in new (string, object?)[]
        {
            (nameof(input.Title), input.Title),
            (nameof(input.Test), input.Test),
            (nameof(input.Student), input.Student),
            (nameof(input.TeacherName), input.TeacherName),
            (nameof(input.Evaluation), input.Evaluation),
        })
        {
            if (value is null)
                throw new ArgumentException($"{name} of the ReportInput must be set; it is null.", nameof(input));
        }
    }

    public DistillationReport Create()
    {
        input.Criteria?.Check();
        if (input.Teacher is null && input.TeacherScoreColumnName == input.ScoreColumnName)
        {
            throw new ArgumentException(
                $"There is no Teacher, and TeacherScoreColumnName is '{input.ScoreColumnName}', the student's own scores, so the student would be compared with " +
                "itself. Set Teacher, or set TeacherScoreColumnName to a column of the rows (DistillationTrainer.ScoreTeacher adds one).",
                nameof(input));
        }

        var metrics = Compare(input.Student, input.Test);
        var overlap = OverlapMeasurement.Measure(input.Student, input.Test, input.Training);
        var aloneModel = input.Alone ?? (input.Student.FindStudents().LastOrDefault()?.Alone is null ? null : input.Student.WithStudentAlone());
        var alone = aloneModel is null ? null : Compare(aloneModel, input.Test);
        var overAlone = alone is null ? null : metrics.DifferenceFrom(alone);
        return new DistillationReport
        {
            Title = input.Title,
            Description = input.Description,
            Teacher = DescribeModel(input.TeacherName, input.Teacher, input.TeacherCost),
            Student = DescribeModel("Student, distilled", input.Student, input.StudentCost),
            Alone = aloneModel is { } model ? DescribeModel("Student alone", model, input.AloneCost) : null,
            Metrics = metrics,
            AloneMetrics = alone,
            AccuracyOverAlone = overAlone?.Accuracy,
            AgreementOverAlone = overAlone?.Agreement,
            TrainingMetrics = input.Training is null ? null : Compare(input.Student, input.Training),
            Acceptance = input.Criteria?.Judge(metrics, input.StudentCost, overlap),
            TrainingOverlap = overlap,
            Knowledge = input.Knowledge,
            Data = [.. DescribeRows("Training rows", input.Training), .. DescribeRows("Test rows", input.Test)],
            Versions = Versions(),
        };
    }

    /// <summary>The last predictor in an ML.NET model.</summary>
    private static object? FindPredictor(ITransformer? model) => model switch
    {
        ISingleFeaturePredictionTransformer<object> predicts => predicts.Model,
        IEnumerable<ITransformer> chain => chain.Select(FindPredictor).LastOrDefault(predictor => predictor is not null),
        _ => null,
    };

    private static List<ReportedSetting> Versions() =>
    [
        new("MlNetDistill", GetVersion(typeof(DistillationReport).Assembly)),
        new("Microsoft.ML", GetVersion(typeof(MLContext).Assembly)),
        new("TorchSharp", GetVersion(typeof(TorchSharp.torch).Assembly)),
        new("ONNX Runtime", GetVersion(typeof(Microsoft.ML.OnnxRuntime.InferenceSession).Assembly)),
        new(".NET", RuntimeInformation.FrameworkDescription),
        new("System", $"{RuntimeInformation.OSDescription}, {RuntimeInformation.ProcessArchitecture}, {Environment.ProcessorCount} processors"),
    ];

    // After a plus sign is the commit of the build.
    private static string GetVersion(Assembly assembly) =>
        assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? $"{assembly.GetName().Version}";

    private DistillationMetrics Compare(ITransformer student, IDataView rows)
    {
        var catalog = context.MulticlassClassification;
        return input.Teacher is { } teacher
            ? catalog.EvaluateDistillation(
                rows, teacher, student, input.LabelColumnName, input.ScoreColumnName, input.TeacherScoreColumnName, input.Evaluation)
            : catalog.EvaluateDistillation(
                student.Transform(rows), input.TeacherScoreColumnName, input.ScoreColumnName, input.LabelColumnName, input.Evaluation);
    }

    private ReportedModel DescribeModel(string name, ITransformer? model, ModelCost? cost)
    {
        // The last student gives the scores. It is known only if it was trained in this process.
        var network = model?.FindStudents().LastOrDefault()?.Model;
        return new ReportedModel
        {
            Name = name,
            Kind = network?.Spec.Name ?? FindPredictor(model)?.GetType().Name.Split('`')[0],
            Parameters = network?.ParameterCount,
            Cost = cost,
            Hash = model is null ? null : ModelHash.TryCompute(context, model, input.Test.Schema, out _),
            History = network?.History ?? [],
            Notes = network?.Notes ?? [],
            Warnings = network?.Warnings ?? [],
            Settings = network?.Settings ?? [],
        };
    }

    private static IEnumerable<ReportedData> DescribeRows(string name, IDataView? rows)
    {
        if (rows is null)
            yield break;
        var (count, hash) = ViewHash.Compute(rows);
        yield return new ReportedData(name, count, hash);
    }
}
