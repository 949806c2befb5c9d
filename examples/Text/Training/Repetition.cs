using Microsoft.ML;
using MlNetDistill;
using MlNetDistill.Evaluation;

namespace TextExample.Training;

/// <summary>Teacher and students of one seed. All students start from the same weights; they differ in what they learn from.</summary>
internal sealed class Repetition
{
    private readonly MLContext _mlContext;
    private readonly MessageRows _rows;
    private readonly StudentPipeline _pipeline;

    public Repetition(Settings settings, int seed)
    {
        _mlContext = new MLContext(seed);
        _rows = MessageRows.Draw(_mlContext, settings, seed);
        _pipeline = new StudentPipeline(_mlContext, seed);
        var teacher = new TeacherModels(_mlContext, _rows.Labelled);
        var ensemble = teacher.Ensemble();
        // The teacher's answers also tell which words matter: among all messages, not only the labelled ones.
        var (selectedByLabels, selectedByTeacher) = (_pipeline.Features("Class").Fit(_rows.Labelled), _pipeline.Features("PredictedLabel").Fit(teacher.Answer(_rows.All)));
        // An ensemble is not an ML.NET model, so its answers become a column of the test rows, with which the students are compared.
        Test = _pipeline.Trainer(ensemble).ScoreTeacher(selectedByLabels.Transform(_mlContext.Data.LoadFromEnumerable(_rows.Test)));
        (Alone, SameRows, Distilled) = (
            Train("Student alone", null, selectedByLabels, _rows.Labelled, seed),
            Train("Distilled, labelled only", ensemble, selectedByLabels, _rows.Labelled, seed),
            Train("Distilled, all messages", ensemble, selectedByTeacher, _rows.All, seed));
        // Every member scores a message, and all of them must be kept.
        ModelCost[] costs = [.. teacher.Members.Select(Cost)];
        Teacher = new Finding(
            "Teacher, an ensemble", Metrics(Alone.Model).Teacher!.Accuracy, null, costs.Sum(cost => cost.ZipBytes), costs.Sum(cost => cost.SingleRow.Median));
    }

    public MLContext MLContext => _mlContext;

    public DataViewSchema InputSchema => _rows.Labelled.Schema;

    /// <summary>The test rows with the teacher's answers.</summary>
    public IDataView Test { get; }

    public Finding Teacher { get; }

    public Student Alone { get; }

    public Student SameRows { get; }

    public Student Distilled { get; }

    public IReadOnlyList<Finding> Findings => [Teacher, Alone.Finding, SameRows.Finding, Distilled.Finding];

    private Student Train(string name, Teacher? teacher, ITransformer features, IDataView rows, int seed)
    {
        var student = _pipeline.Trainer(teacher, new SlowWork($"{name}, seed {seed}")).Append(_mlContext.Transforms.Conversion.MapKeyToValue("PredictedLabel"));
        var model = features.Append(student.Fit(features.Transform(rows)));
        var (metrics, cost) = (Metrics(model), Cost(model));
        return new Student(model, cost, new Finding(name, metrics.Student!.Accuracy, metrics.Agreement, cost.ZipBytes, cost.SingleRow.Median));
    }

    private DistillationMetrics Metrics(ITransformer student) => _mlContext.MulticlassClassification.EvaluateDistillation(
        student.Transform(Test), "TeacherScore", "Score", "Class", new DistillationEvaluationOptions { BootstrapReplicates = 0 });

    private ModelCost Cost(ITransformer model) => _mlContext.Model.MeasureCost(model, _rows.Test.Take(1000));
}
