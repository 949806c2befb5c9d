using Microsoft.ML;
using MlNetDistill.Tests.Support;

namespace MlNetDistill.Tests.MlNetFit;

/// <summary>Columns may be called anything.</summary>
public sealed class ColumnNamesTests
{
    private readonly MLContext _mlContext = new(seed: 1);

    [TestCase("my features")]
    [TestCase("a.b.c")]
    [TestCase("größe µ 特徴")]
    [TestCase("x.output")]
    [TestCase("c0")]
    [TestCase("t0_Gemm")]
    public void A_feature_column_of_any_name_is_learnt_and_loaded(string name)
    {
        var rows = _mlContext.PointsUnder(name);
        var model = _mlContext.Pipeline(ToyPipelines.Options() with { FeatureColumnName = name }).Fit(rows);
        AssertLearntAndLoaded(model, rows, "Score", "PredictedLabel");
    }

    [TestCase("my score", "my label")]
    [TestCase("score.output", "predicted.output")]
    [TestCase("PredictedLabel", "my label")]
    public void Output_columns_of_any_names_are_given_and_loaded(string score, string predicted)
    {
        var rows = _mlContext.View(ToyData.Points());
        var model = _mlContext.Pipeline(ToyPipelines.Options() with { ScoreColumnName = score, PredictedLabelColumnName = predicted }).Fit(rows);
        AssertLearntAndLoaded(model, rows, score, predicted);
    }

    [Test]
    public void Features_called_Score_survive_a_score_of_another_name()
    {
        var rows = _mlContext.PointsUnder("Score");
        var model = _mlContext.Pipeline(ToyPipelines.Options() with { FeatureColumnName = "Score", ScoreColumnName = "Probability" }).Fit(rows);
        AssertLearntAndLoaded(model, rows, "Probability", "PredictedLabel");
        Assert.That(ModelScores.ReadScores(model.Transform(rows)), Is.EqualTo(ModelScores.ReadScores(rows)));
    }

    [Test]
    public void A_predicted_label_called_Score_is_refused_at_once()
    {
        var options = ToyPipelines.Options() with { ScoreColumnName = "P", PredictedLabelColumnName = "Score" };
        Assert.That(
            () => _mlContext.MulticlassClassification.Trainers.Distill(options),
            Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.Contains("PredictedLabelColumnName must not be 'Score'"));
    }

    [Test]
    public void No_column_of_our_own_making_is_left_in_the_output()
    {
        var rows = _mlContext.View(ToyData.Points());
        var renamed = ToyPipelines.Options() with { ScoreColumnName = "P", PredictedLabelColumnName = "C" };
        var visible = _mlContext.Pipeline(renamed).Fit(rows).Transform(rows).Schema.Where(c => !c.IsHidden).Select(c => c.Name);
        Assert.That(visible, Is.EquivalentTo(new[] { "Label", "Features", "Class", "P", "C" }));
    }

    private void AssertLearntAndLoaded(ITransformer model, IDataView rows, string score, string predicted)
    {
        var scored = model.Transform(rows);
        var right = ModelScores.ReadNames(scored, predicted).Zip(ModelScores.ReadNames(rows, "Label")).Count(p => p.First == p.Second);
        Assert.That(right, Is.GreaterThan(140));
        var loaded = _mlContext.Reloaded(model, rows.Schema).Transform(rows);
        Assert.That(ModelScores.ReadLines(loaded, score, predicted), Is.EqualTo(ModelScores.ReadLines(scored, score, predicted)));
    }
}
