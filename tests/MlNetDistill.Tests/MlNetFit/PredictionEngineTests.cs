using Microsoft.ML;
using MlNetDistill.Tests.Support;

namespace MlNetDistill.Tests.MlNetFit;

public sealed class PredictionEngineTests
{
    private readonly MLContext _mlContext = new(seed: 1);
    private readonly ToyPoint<string>[] _points = ToyData.Points();

    [Test]
    public void An_engine_predicts_what_the_model_says_about_a_view()
    {
        var model = Model();
        using var engine = Engine(model);
        var scored = model.Transform(_mlContext.View(_points));
        Assert.That(_points.Select(p => engine.Predict(p).Score), Is.EqualTo(ModelScores.ReadScores(scored)));
        Assert.That(_points.Select(p => engine.Predict(p).PredictedLabel), Is.EqualTo(ModelScores.ReadNames(scored, "PredictedLabel")));
    }

    [Test]
    public void Disposing_an_engine_leaves_another_on_the_same_model_working()
    {
        var model = Model();
        using var kept = Engine(model);
        var before = kept.Predict(_points[0]).Score;
        Engine(model).Dispose();
        Assert.That(kept.Predict(_points[0]).Score, Is.EqualTo(before));
    }

    [Test]
    public void An_engine_can_be_made_after_another_was_disposed()
    {
        var model = Model();
        Engine(model).Dispose();
        using var engine = Engine(model);
        Assert.That(engine.Predict(_points[0]).PredictedLabel, Is.EqualTo(_points[0].Label));
    }

    [Test]
    public void A_model_whose_engine_was_disposed_can_still_be_saved()
    {
        var model = Model();
        var view = _mlContext.View(_points);
        var before = ModelScores.ReadLines(model.Transform(view));
        Engine(model).Dispose();
        Assert.That(ModelScores.ReadLines(_mlContext.Reloaded(model, view.Schema).Transform(view)), Is.EqualTo(before));
    }

    [Test]
    public void A_model_in_the_middle_of_a_chain_survives_the_disposal_of_the_chain()
    {
        var model = _mlContext.FitImages();
        var view = _mlContext.View(ToyData.Images());
        var before = ModelScores.ReadLines(model.Transform(view));
        ((IDisposable)model).Dispose();
        Assert.That(ModelScores.ReadLines(model.Transform(view)), Is.EqualTo(before));
    }

    [Test]
    public void A_loaded_model_serves_an_engine_too()
    {
        var model = Model();
        var schema = _mlContext.View(_points).Schema;
        using var engine = _mlContext.Model.CreatePredictionEngine<ToyPoint<string>, Prediction>(_mlContext.Reloaded(model, schema));
        Assert.That(engine.Predict(_points[0]).PredictedLabel, Is.EqualTo(_points[0].Label));
    }

    private ITransformer Model()
    {
        var pipeline = _mlContext.Pipeline(ToyPipelines.Options()).Append(_mlContext.Transforms.Conversion.MapKeyToValue("PredictedLabel"));
        return pipeline.Fit(_mlContext.View(_points));
    }

    private PredictionEngine<ToyPoint<string>, Prediction> Engine(ITransformer model) =>
        _mlContext.Model.CreatePredictionEngine<ToyPoint<string>, Prediction>(model);

    private sealed class Prediction
    {
        public string PredictedLabel { get; set; } = "";

        public float[] Score { get; set; } = [];
    }
}
