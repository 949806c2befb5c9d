using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Networks;
using MlNetDistill.Tests.Support;

namespace MlNetDistill.Tests.Scoring;

/// <summary>A batch scorer gives what the model gives, row by row and bit by bit, for every kind of student.</summary>
public sealed class BatchEqualityTests
{
    private readonly MLContext _mlContext = new(seed: 1);

    [Test]
    public void A_student_of_several_classes() => AssertSame(ToyModels.Points, _mlContext.View(ToyData.Points(3000, seed: 4)));

    [Test]
    public void A_student_of_two_classes() => AssertSame(Fit(NetworkSpec.Mlp(8), classes: 2), _mlContext.View(ToyData.Points(1500, classes: 2)));

    [TestCase(16)]
    [TestCase(128)]
    [TestCase(256)]
    [TestCase(20)]
    public void A_student_with_an_embedding_of_any_length(int length) => AssertSame(Fit(NetworkSpec.Mlp(length), classes: 5), _mlContext.View(ToyData.Points(3000, classes: 5)));

    [Test]
    public void A_linear_student() => AssertSame(Fit(NetworkSpec.Mlp()), _mlContext.View(ToyData.Points(1500)));

    [Test]
    public void A_linear_student_of_bytes()
    {
        var images = _mlContext.View(ToyData.Images());
        AssertSame(_mlContext.Pipeline(ToyPipelines.Options(NetworkSpec.Mlp()) with { FeatureColumnName = "Pixels" }).Fit(images), images);
    }

    [Test]
    public void A_student_of_images() => AssertSame(ToyModels.Images, _mlContext.View(ToyData.Images(300, seed: 4)));

    [Test]
    public void A_student_of_sparse_features()
    {
        var rows = _mlContext.View(ToyData.SparseRows());
        AssertSame(_mlContext.Pipeline(ToyPipelines.Options()).Fit(rows), rows);
    }

    /// <summary>ML.NET adds the squares of an embedding in another order.</summary>
    [Test]
    public void A_student_of_embeddings_but_for_the_last_bit()
    {
        var rows = _mlContext.View(ToyEmbeddings.Draw(1500, 8));
        var model = _mlContext.Transforms.NormalizeMeanVariance("Scaled", "Features")
            .Append(_mlContext.Transforms.DistillEmbedding(ToyEmbeddings.Options() with { FeatureColumnName = "Scaled", Epochs = 1 })).Fit(rows);
        AssertNear(model, rows, "Embedding");
    }

    /// <summary>ML.NET leaves out the zeros, and so adds the products in another order.</summary>
    [Test]
    public void A_linear_student_of_sparse_features_but_for_the_last_bits()
    {
        var rows = _mlContext.View(ToyData.SparseRows());
        AssertNear(_mlContext.Pipeline(ToyPipelines.Options(NetworkSpec.Mlp())).Fit(rows), rows, "Score");
    }

    [Test]
    public void A_student_in_the_middle_of_a_pipeline_whose_score_is_renamed_and_whose_label_becomes_text()
    {
        var rows = _mlContext.View(ToyData.Points(2500));
        var fitted = _mlContext.Transforms.NormalizeMeanVariance("Scaled", "Features", fixZero: false)
            .Append(_mlContext.Pipeline(ToyPipelines.Options() with { FeatureColumnName = "Scaled", ScoreColumnName = "Chances" })).Fit(rows);
        AssertSame(fitted.Append(_mlContext.Transforms.Conversion.MapKeyToValue("PredictedLabel").Fit(fitted.Transform(rows))), rows);
    }

    [Test]
    public void Two_students_in_one_pipeline()
    {
        var rows = _mlContext.View(ToyData.Points(1100));
        var first = _mlContext.Pipeline(ToyPipelines.Options() with { ScoreColumnName = "First", PredictedLabelColumnName = "FirstLabel" });
        AssertSame(first.Append(_mlContext.MulticlassClassification.Trainers.Distill(ToyPipelines.Options(NetworkSpec.Mlp(16)))).Fit(rows), rows);
    }

    [Test]
    public void Features_that_are_missing_infinite_or_huge()
    {
        var points = ToyData.Points(1030);
        (points[0].Features[2], points[3].Features[0], points[1026].Features[1], points[1027].Features[1]) = (float.NaN, float.PositiveInfinity, float.NegativeInfinity, 1e30f);
        points[5].Features = [40, -40, 1e4f, 0];
        AssertSame(ToyModels.Points, _mlContext.View(points));
        AssertSame(Fit(NetworkSpec.Mlp()), _mlContext.View(points));
    }

    [TestCase(0)]
    [TestCase(1)]
    [TestCase(1023)]
    [TestCase(1024)]
    [TestCase(1025)]
    [TestCase(2048)]
    public void Any_number_of_rows(int rows) => AssertSame(ToyModels.Points, _mlContext.View(ToyData.Points(rows)));

    [TestCase(1)]
    [TestCase(7)]
    [TestCase(100_000)]
    public void Any_size_of_batches(int size) => AssertSame(ToyModels.Points, _mlContext.View(ToyData.Points(200)), new() { BatchSize = size, Threads = 1 });

    /// <summary>Sure and unsure answers, with logits far apart: each takes another way through the softmax.</summary>
    [TestCase(0.01f)]
    [TestCase(1f)]
    [TestCase(30f)]
    [TestCase(1000f)]
    public void Answers_of_any_sureness(float spread)
    {
        var points = ToyData.Points(3000, classes: 5);
        foreach (var point in points)
            point.Features = [.. point.Features.Select(value => value * spread)];
        AssertSame(Fit(NetworkSpec.Mlp(64), classes: 5), _mlContext.View(points));
    }

    [Test]
    public void Metrics_are_those_of_the_model()
    {
        var rows = _mlContext.View(ToyData.Points(2000, seed: 9));
        using var scorer = _mlContext.Model.CreateBatchScorer(ToyModels.Points, rows.Schema);
        var (expected, found) = (Evaluate(ToyModels.Points), Evaluate(scorer));
        Assert.That((found.MicroAccuracy, found.LogLoss), Is.EqualTo((expected.MicroAccuracy, expected.LogLoss)));

        MulticlassClassificationMetrics Evaluate(ITransformer model) => _mlContext.MulticlassClassification.Evaluate(model.Transform(rows), "Class");
    }

    private TransformerChain<DistillationTransformer> Fit(NetworkSpec student, int classes = 3) =>
        _mlContext.Pipeline(ToyPipelines.Options(student)).Fit(_mlContext.View(ToyData.Points(classes: classes)));

    /// <summary>Compares the model that was fitted, and the same after saving and loading, with their batch scorers.</summary>
    private void AssertSame(ITransformer fitted, IDataView rows, BatchScoringOptions? options = null)
    {
        var loaded = _mlContext.Reloaded(fitted, rows.Schema);
        using var _ = loaded as IDisposable;
        foreach (var model in new[] { fitted, loaded })
        {
            var expected = model.Transform(rows);
            using var scorer = _mlContext.Model.CreateBatchScorer(model, rows.Schema, options);
            var found = scorer.Transform(rows);

            Assert.That(found.Schema.Select(Describe), Is.EqualTo(expected.Schema.Select(Describe)));
            Assert.That(ViewLines.Read(found), Is.EqualTo(ViewLines.Read(expected)));
        }
    }

    private void AssertNear(ITransformer model, IDataView rows, string column)
    {
        using var scorer = _mlContext.Model.CreateBatchScorer(model, rows.Schema);
        var (expected, found) = (model.Transform(rows), scorer.Transform(rows));
        Assert.That(found.Schema.Select(Describe), Is.EqualTo(expected.Schema.Select(Describe)));
        Assert.That(
            ModelScores.ReadScores(found, column).SelectMany(row => row), Is.EqualTo(ModelScores.ReadScores(expected, column).SelectMany(row => row)).Within(5e-7f));
    }

    private static string Describe(DataViewSchema.Column column) =>
        $"{column.Name} {column.Type} {column.IsHidden}: {string.Join(", ", column.Annotations.Schema.Select(a => $"{a.Name} {a.Type} {TextOf(column.Annotations, a)}"))}";

    private static string TextOf(DataViewSchema.Annotations annotations, DataViewSchema.Column annotation)
    {
        if (annotation.Type is not VectorDataViewType { ItemType: TextDataViewType })
            return "";
        VBuffer<ReadOnlyMemory<char>> values = default;
        annotations.GetValue(annotation.Name, ref values);
        return string.Join(' ', values.DenseValues());
    }
}
