using System.Reflection;
using System.Runtime.InteropServices;
using Microsoft.ML;
using MlNetDistill.Core;
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
            (nameof(input.Precisions), input.Precisions),
        })
        {
            if (value is null)
                throw new ArgumentException($"{name} of the ReportInput must be set; it is null.", nameof(input));
        }

        PrecisionMaker.Check(input);
    }

    public DistillationReport Create()
    {
        input.Criteria?.Check();
        Faults.ThrowIfAny(input.Knowledge?.Validate() ?? [], nameof(input));
        if (input.Teacher is null && input.TeacherScoreColumnName == input.ScoreColumnName)
        {
            throw new ArgumentException(
                $"There is no Teacher, and TeacherScoreColumnName is '{input.ScoreColumnName}', the student's own scores, so the student would be compared with " +
                "itself. Set Teacher, or set TeacherScoreColumnName to a column of the rows (DistillationTrainer.ScoreTeacher adds one).",
                nameof(input));
        }

        var metrics = Compare(input.Student, input.Test);
        input.Knowledge?.CheckClasses(metrics.Classes);
        var overlap = OverlapMeasurement.Measure(input.Student, input.Test, input.Training);
        var aloneModel = input.Alone ?? (input.Student.FindStudents().LastOrDefault()?.Alone is null ? null : input.Student.WithStudentAlone());
        var alone = aloneModel is null ? null : Compare(aloneModel, input.Test);
        var overAlone = alone is null ? null : metrics.DifferenceFrom(alone);
        return new DistillationReport
        {
            Title = input.Title,
            Description = input.Description,
            Teacher = Describe(input.TeacherName, input.Teacher, input.TeacherCost),
            Student = Describe("Student, distilled", input.Student, input.StudentCost),
            Alone = aloneModel is { } model ? Describe("Student alone", model, input.AloneCost) : null,
            Metrics = metrics,
            AloneMetrics = alone,
            Precisions = new PrecisionMaker(context, input, model => Compare(model, input.Test)).Create(),
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

    /// <summary>Versions of the libraries and the system.</summary>
    public static List<ReportedSetting> Versions() =>
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

    private ReportedModel Describe(string name, ITransformer? model, ModelCost? cost) => DescribeModel(context, input.Test.Schema, name, model, cost);

    /// <summary>What a report says about a model. How a student was trained is known only if it was trained in this process.</summary>
    public static ReportedModel DescribeModel(MLContext context, DataViewSchema schema, string name, ITransformer? model, ModelCost? cost)
    {
        var described = new ReportedModel
        {
            Name = name,
            Kind = FindPredictor(model)?.GetType().Name.Split('`')[0],
            Cost = cost,
            Hash = model is null ? null : ModelHash.TryCompute(context, model, schema, out _),
        };
        // The last student gives the scores.
        return (model?.FindStudents().LastOrDefault()?.Model, FindEmbedding(model)?.Model) switch
        {
            ({ } network, _) => described with
            {
                Kind = network.Spec.Name,
                Parameters = network.ParameterCount,
                History = network.History,
                Notes = network.Notes,
                Warnings = network.Warnings,
                Settings = network.Settings,
            },
            (_, { } network) => described with
            {
                Kind = network.Spec.Name,
                Parameters = network.ParameterCount,
                History = network.History,
                Notes = network.Notes,
                Warnings = network.Warnings,
                Settings = network.Settings,
            },
            _ => described,
        };
    }

    /// <summary>The last student of embeddings in a model.</summary>
    public static EmbeddingTransformer? FindEmbedding(ITransformer? model) => model switch
    {
        EmbeddingTransformer student => student,
        IEnumerable<ITransformer> chain => chain.Select(FindEmbedding).LastOrDefault(student => student is not null),
        _ => null,
    };

    /// <summary>Number and hash of a set of rows; nothing without rows.</summary>
    public static IEnumerable<ReportedData> DescribeRows(string name, IDataView? rows)
    {
        if (rows is null)
            yield break;
        var (count, hash) = ViewHash.Compute(rows);
        yield return new ReportedData(name, count, hash);
    }
}
