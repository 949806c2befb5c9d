using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Methods;
using MlNetDistill.Tests.Support;

namespace MlNetDistill.Tests.MlNetFit;

public sealed class EvaluateTests
{
    private readonly MLContext _mlContext = new(seed: 1);
    private readonly IDataView _scored;
    private readonly MulticlassClassificationMetrics _metrics;

    public EvaluateTests()
    {
        var points = _mlContext.View(ToyData.Points());
        _scored = ToyModels.Points.Transform(points);
        _metrics = _mlContext.MulticlassClassification.Evaluate(_scored, "Class");
    }

    [Test]
    public void The_student_has_learnt_the_points() => Assert.That(_metrics.MicroAccuracy, Is.GreaterThan(0.95));

    // Evaluate computes the accuracy from Score alone: names that are off by one would not show in it.
    [Test]
    public void The_predicted_names_agree_with_the_labels_as_often_as_the_accuracy_says()
    {
        var agreeing = ModelScores.ReadNames(_scored, "PredictedLabel").Zip(ModelScores.ReadNames(_scored, "Label")).Count(pair => pair.First == pair.Second);
        Assert.That(agreeing / 150.0, Is.EqualTo(_metrics.MicroAccuracy).Within(1e-9));
    }

    [Test]
    public void The_log_loss_is_that_of_the_probabilities_in_Score()
    {
        var expected = ModelScores.ReadScores(_scored).Zip(_scored.GetColumn<uint>("Class")).Average(row => -Math.Log(row.First[row.Second - 1]));
        Assert.That(_metrics.LogLoss, Is.EqualTo(expected).Within(1e-6));
    }

    [Test]
    public void The_scores_of_a_row_sum_to_one() => Assert.That(ModelScores.ReadScores(_scored).Select(row => row.Sum()), Has.All.EqualTo(1).Within(1e-5));

    [Test]
    public void The_predicted_class_has_the_highest_score()
    {
        var highest = ModelScores.ReadScores(_scored).Select(row => (uint)Array.IndexOf(row, row.Max()) + 1);
        Assert.That(_scored.GetColumn<uint>("PredictedLabel"), Is.EqualTo(highest));
    }

    [Test]
    public void The_confusion_table_names_the_classes()
    {
        var table = _metrics.ConfusionMatrix.GetFormattedConfusionTable();
        Assert.That(_metrics.ConfusionMatrix.NumberOfClasses, Is.EqualTo(3));
        Assert.That(new[] { "bee", "cat", "ant" }.Where(name => !table.Contains(name, StringComparison.Ordinal)), Is.Empty);
    }

    [Test]
    public void The_score_column_names_its_slots_after_the_classes()
    {
        VBuffer<ReadOnlyMemory<char>> names = default;
        _scored.Schema["Score"].GetSlotNames(ref names);
        Assert.That(names.DenseValues().Select(n => n.ToString()), Is.EqualTo(new[] { "bee", "cat", "ant" }));
    }

    [Test]
    public void Cross_validation_fits_the_teacher_within_each_fold()
    {
        var options = ToyPipelines.Options() with { Method = DistillationMethod.Kd(), Teacher = Teacher.FromEstimator(_mlContext.TeacherPipeline()) };
        var points = _mlContext.View(ToyData.Points());
        var results = _mlContext.MulticlassClassification.CrossValidate(points, _mlContext.Pipeline(options), numberOfFolds: 3, labelColumnName: "Class");
        Assert.That(results.Select(r => r.Metrics.MicroAccuracy).ToList(), Has.Count.EqualTo(3).And.All.GreaterThan(0.9));
        Assert.That(results.Select(r => r.Model.FindStudent().Teacher), Has.All.Not.Null.And.Unique);
    }

    [Test]
    public void Feature_importance_finds_the_feature_that_says_nothing()
    {
        var model = ToyModels.Points;
        var importance = _mlContext.MulticlassClassification.PermutationFeatureImportance(
            model.LastTransformer, model.Transform(_mlContext.View(ToyData.Points())), labelColumnName: "Class", permutationCount: 3);
        Assert.That(importance, Has.Length.EqualTo(ToyData.Features));
        Assert.That(importance[0].MicroAccuracy.Mean, Is.LessThan(-0.1));
        Assert.That(importance[3].MicroAccuracy.Mean, Is.EqualTo(0).Within(0.03));
    }
}
