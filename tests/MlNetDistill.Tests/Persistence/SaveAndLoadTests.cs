using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Tests.Support;

namespace MlNetDistill.Tests.Persistence;

public sealed class SaveAndLoadTests
{
    private readonly MLContext _mlContext = new(seed: 1);
    private readonly IDataView _points;
    private readonly IDataView _images;

    public SaveAndLoadTests() => (_points, _images) = (_mlContext.View(ToyData.Points()), _mlContext.View(ToyData.Images()));

    [Test]
    public void An_mlp_scores_the_same_bits_after_loading() => AssertSameAfterLoading(ToyModels.Points, _points);

    [Test]
    public void A_resnet_scores_the_same_bits_after_loading() => AssertSameAfterLoading(ToyModels.Images, _images);

    [Test]
    public void A_model_can_be_saved_twice()
    {
        var model = ToyModels.Points;
        var first = Score(_mlContext.Saved(model, _points.Schema));
        Assert.That(Score(_mlContext.Saved(model, _points.Schema)), Is.EqualTo(first));
    }

    [Test]
    public void A_loaded_model_can_be_saved_again()
    {
        var model = ToyModels.Images;
        var again = _mlContext.Reloaded(_mlContext.Reloaded(model, _images.Schema), _images.Schema);
        Assert.That(ModelScores.ReadLines(again.Transform(_images)), Is.EqualTo(ModelScores.ReadLines(model.Transform(_images))));
    }

    [Test]
    public void The_student_alone_can_be_saved_without_its_pipeline()
    {
        var model = ToyModels.Points;
        var keyed = model.Transform(_points);
        var loaded = _mlContext.Reloaded(model.LastTransformer, keyed.Schema);
        Assert.That(ModelScores.ReadLines(loaded.Transform(keyed)), Is.EqualTo(ModelScores.ReadLines(keyed)));
    }

    [Test]
    public void The_saved_input_schema_is_read_back()
    {
        _mlContext.Loaded(_mlContext.Saved(ToyModels.Images, _images.Schema), out var schema);
        Assert.That(schema["Pixels"].Type, Is.EqualTo(new VectorDataViewType(NumberDataViewType.Byte, 1, 8, 8)));
    }

    [Test]
    public void The_fit_scores_what_the_trained_network_scores()
    {
        var model = ToyModels.Images;
        var difference = ModelScores.LargestDifference(ModelScores.ReadScores(model.Transform(_images)), ModelScores.ComputeWithNetwork(model.LastTransformer, _images));
        Assert.That(difference, Is.LessThanOrEqualTo(1e-4));
    }

    [TestCase(0.1)]
    [TestCase(0.5)]
    [TestCase(0.9)]
    [TestCase(0.99)]
    public void A_truncated_zip_does_not_load(double share)
    {
        var zip = _mlContext.Saved(ToyModels.Points, _points.Schema);
        using var cut = new MemoryStream(zip, 0, (int)(zip.Length * share));
        Assert.That(() => _mlContext.Model.Load(cut, out _), Throws.Exception);
    }

    [Test]
    public void A_zip_that_lacks_its_last_byte_does_not_load()
    {
        var zip = _mlContext.Saved(ToyModels.Points, _points.Schema);
        using var cut = new MemoryStream(zip, 0, zip.Length - 1);
        Assert.That(() => _mlContext.Model.Load(cut, out _), Throws.Exception);
    }

    private void AssertSameAfterLoading(ITransformer model, IDataView rows) =>
        Assert.That(ModelScores.ReadLines(_mlContext.Reloaded(model, rows.Schema).Transform(rows)), Is.EqualTo(ModelScores.ReadLines(model.Transform(rows))));

    private string[] Score(byte[] zip) => ModelScores.ReadLines(_mlContext.Loaded(zip).Transform(_points));
}
