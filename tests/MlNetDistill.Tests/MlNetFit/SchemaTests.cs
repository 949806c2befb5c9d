using System.Runtime.CompilerServices;
using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Tests.Support;

namespace MlNetDistill.Tests.MlNetFit;

/// <summary>What the trainer says of its output before fitting is what the fitted model gives.</summary>
public sealed class SchemaTests
{
    private readonly MLContext _mlContext = new(seed: 1);
    private readonly IDataView _points;

    public SchemaTests() => _points = Keyed(_mlContext.View(ToyData.Points()));

    [Test]
    public void With_default_names() => AssertAgrees(ToyPipelines.Options(), _points);

    [Test]
    public void With_names_of_ones_own() =>
        AssertAgrees(ToyPipelines.Options() with { ScoreColumnName = "P", PredictedLabelColumnName = "C" }, _points);

    // Once the copy of the scores to their new name wrote over the predicted label before that had been copied to its own.
    [Test]
    public void With_a_score_called_PredictedLabel() =>
        AssertAgrees(ToyPipelines.Options() with { ScoreColumnName = "PredictedLabel", PredictedLabelColumnName = "C" }, _points);

    // Once the shape told of a key where the teacher's text was kept.
    [Test]
    public void With_a_teachers_predicted_label_as_text_in_the_input()
    {
        var taught = Taught();
        var text = _mlContext.Transforms.Conversion.MapKeyToValue("PredictedLabel").Fit(taught).Transform(taught);
        AssertAgrees(ToyPipelines.Options() with { ScoreColumnName = "P", PredictedLabelColumnName = "C" }, text);
    }

    [Test]
    public void With_a_teachers_scalar_score_in_the_input()
    {
        AssertAgrees(ToyPipelines.Options() with { ScoreColumnName = "P" }, _mlContext.WithScalarScore(_points));
    }

    [Test]
    public void With_a_teachers_columns_in_the_input() =>
        AssertAgrees(ToyPipelines.Options() with { ScoreColumnName = "P", PredictedLabelColumnName = "C" }, Taught());

    [Test]
    public void With_a_teachers_columns_that_are_written_over() => AssertAgrees(ToyPipelines.Options(), Taught());

    [Test]
    public void With_byte_features() =>
        AssertAgrees(ToyPipelines.Options(ToyPipelines.SmallResNet) with { FeatureColumnName = "Pixels" }, Keyed(_mlContext.View(ToyData.Images())));

    [Test]
    public void With_byte_features_and_names_of_ones_own()
    {
        var options = ToyPipelines.Options() with { FeatureColumnName = "Pixels", ScoreColumnName = "P", PredictedLabelColumnName = "C" };
        AssertAgrees(options, Keyed(_mlContext.View(ToyData.Images())));
    }

    [Test]
    public void A_pipeline_that_maps_the_prediction_back_knows_that_it_can()
    {
        var pipeline = _mlContext.Pipeline(ToyPipelines.Options()).Append(_mlContext.Transforms.Conversion.MapKeyToValue("PredictedLabel"));
        var shape = pipeline.GetOutputSchema(ShapeOf(null, _mlContext.View(ToyData.Points()).Schema));
        Assert.That(shape.Single(c => c.Name == "PredictedLabel").ItemType, Is.EqualTo(TextDataViewType.Instance));
    }

    [Test]
    public void The_fitted_models_output_schema_is_that_of_the_view_it_gives()
    {
        var student = ToyModels.Points.LastTransformer;
        var told = student.GetOutputSchema(_points.Schema);
        Assert.That(told.Select(c => $"{c.Name}: {c.Type}"), Is.EqualTo(student.Transform(_points).Schema.Select(c => $"{c.Name}: {c.Type}")));
    }

    private void AssertAgrees(DistillationOptions options, IDataView input)
    {
        var trainer = _mlContext.MulticlassClassification.Trainers.Distill(options);
        var fitted = ShapeOf(null, trainer.Fit(input).GetOutputSchema(input.Schema));
        Assert.That(Described(trainer.GetOutputSchema(ShapeOf(null, input.Schema))), Is.EquivalentTo(Described(fitted)));
    }

    private static IEnumerable<string> Described(SchemaShape shape) => shape.Select(c => $"{c.Name}: {c.Kind} of {c.ItemType}, key {c.IsKey}");

    private IDataView Keyed(IDataView view) => _mlContext.Transforms.Conversion.MapValueToKey("Class", "Label").Fit(view).Transform(view);

    private IDataView Taught() => _mlContext.TeacherPipeline().Fit(_points).Transform(_points);

    // The shape of a schema is what estimator chains pass along; the method that makes it is internal to ML.NET.
    [UnsafeAccessor(UnsafeAccessorKind.StaticMethod, Name = "Create")]
    private static extern SchemaShape ShapeOf(SchemaShape? type, DataViewSchema schema);
}
