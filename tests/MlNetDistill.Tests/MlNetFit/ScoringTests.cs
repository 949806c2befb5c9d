using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Core;
using MlNetDistill.Networks;
using MlNetDistill.Tests.Support;

namespace MlNetDistill.Tests.MlNetFit;

public sealed class ScoringTests
{
    private const int Threads = 16;
    private readonly MLContext _mlContext = new(seed: 1);

    [Test]
    public void Sixteen_threads_on_one_model_score_what_one_thread_does()
    {
        var model = ToyModels.Images;
        var images = ToyData.Images();
        var expected = ModelScores.ReadLines(model.Transform(_mlContext.View(images)));
        var found = new string[Threads][];
        OnThreads(i => found[i] = ModelScores.ReadLines(model.Transform(new MLContext().View(images))));
        Assert.That(found, Has.All.EqualTo(expected));
    }

    [Test]
    public void Sixteen_engines_on_one_model_score_what_one_thread_does()
    {
        var model = ToyModels.Points;
        var points = ToyData.Points();
        var expected = ModelScores.ReadScores(model.Transform(_mlContext.View(points)));
        var found = new float[Threads][][];
        OnThreads(i =>
        {
            using var engine = _mlContext.Model.CreatePredictionEngine<ToyPoint<string>, Prediction>(model);
            found[i] = [.. points.Select(p => engine.Predict(p).Score)];
        });
        Assert.That(found, Has.All.EqualTo(expected));
    }

    [TestCase(true)]
    [TestCase(false)]
    public void A_row_with_a_NaN_feature_scores_NaN_and_no_class(bool hidden)
    {
        var points = ToyData.Points();
        var model = _mlContext.Pipeline(ToyPipelines.Options(hidden ? NetworkSpec.Mlp(8) : NetworkSpec.Mlp())).Fit(_mlContext.View(points));
        points[1].Features[2] = float.NaN;
        var scored = model.Transform(_mlContext.View(points[..3]));
        Assert.That(ModelScores.ReadScores(scored)[1], Has.All.NaN);
        Assert.That(ModelScores.ReadNames(scored, "PredictedLabel")[1], Is.Null);
        Assert.That(ModelScores.ReadScores(scored)[2], Has.None.NaN, "the row after it");
    }

    [Test]
    public void A_column_with_image_dimensions_feeds_a_perceptron_too()
    {
        var images = _mlContext.View(ToyData.Images());
        var model = _mlContext.Pipeline(ToyPipelines.Options(NetworkSpec.Mlp(8)) with { FeatureColumnName = "Pixels" }).Fit(images);
        AssertLearnt(model.Transform(images));
    }

    [Test]
    public void A_flat_column_feeds_a_resnet_whose_image_shape_is_given()
    {
        var definition = SchemaDefinition.Create(typeof(ToyImage));
        definition[nameof(ToyImage.Pixels)].ColumnType = new VectorDataViewType(NumberDataViewType.Byte, 64);
        var flat = _mlContext.Data.LoadFromEnumerable(ToyData.Images(), definition);
        var options = ToyPipelines.Options(ToyPipelines.SmallResNet) with { FeatureColumnName = "Pixels", ImageShape = InputShape.Image(1, 8, 8), Epochs = 10 };
        var model = _mlContext.Pipeline(options).Fit(flat);
        AssertLearnt(model.Transform(flat));
        var shaped = _mlContext.View(ToyData.Images());
        Assert.That(ModelScores.ReadLines(model.Transform(shaped)), Is.EqualTo(ModelScores.ReadLines(model.Transform(flat))), "rows whose column has dimensions");
    }

    [Test]
    public void Only_the_feature_column_is_needed_for_the_score()
    {
        var student = ToyModels.Points.LastTransformer;
        Assert.That(student.IsRowToRowMapper, Is.True);
        var mapper = student.GetRowToRowMapper(_mlContext.View(ToyData.Points()).Schema);
        var needed = mapper.GetDependencies([mapper.OutputSchema["Score"], mapper.OutputSchema["PredictedLabel"]]);
        Assert.That(needed.Select(c => c.Name), Is.EqualTo(new[] { "Features" }));
    }

    [Test]
    public void Rows_of_another_length_are_refused()
    {
        var student = ToyModels.Points.LastTransformer;
        Assert.That(() => student.Transform(_mlContext.View(ToyData.SparseRows())).GetColumn<float[]>("Score").ToArray(), Throws.Exception);
    }

    private static void AssertLearnt(IDataView scored)
    {
        var right = ModelScores.ReadNames(scored, "PredictedLabel").Zip(ModelScores.ReadNames(scored, "Label")).Count(p => p.First == p.Second);
        Assert.That(right, Is.GreaterThan(110));
    }

    private static void OnThreads(Action<int> work)
    {
        var threads = Enumerable.Range(0, Threads).Select(i => new Thread(() => work(i))).ToList();
        threads.ForEach(t => t.Start());
        threads.ForEach(t => t.Join());
    }

    private sealed class Prediction
    {
        public float[] Score { get; set; } = [];
    }
}
