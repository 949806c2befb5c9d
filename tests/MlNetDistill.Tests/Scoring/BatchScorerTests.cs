using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Networks;
using MlNetDistill.Tests.Support;

namespace MlNetDistill.Tests.Scoring;

/// <summary>Arrays in and out, what else a scorer is as a model, and what it refuses.</summary>
public sealed class BatchScorerTests
{
    private readonly MLContext _mlContext = new(seed: 1);

    [TestCase(1)]
    [TestCase(16)]
    [TestCase(50)]
    public void Arrays_of_features_get_the_scores_of_the_model_bit_for_bit(int rows)
    {
        var points = ToyData.Points(rows);
        using var scorer = Scorer(ToyModels.Points, new() { BatchSize = 16 });
        var scores = new float[rows * scorer.ScoreCount];

        var count = scorer.Score(points.SelectMany(point => point.Features).ToArray(), scores);

        Assert.That((count, scorer.FeatureCount, scorer.ScoreCount, scorer.FeatureColumnName), Is.EqualTo((rows, 4, 3, "Features")));
        Assert.That(scores, Is.EqualTo(ModelScores.ReadScores(ToyModels.Points.Transform(_mlContext.View(points))).SelectMany(row => row)));
    }

    [Test]
    public void Arrays_of_bytes_get_the_scores_of_the_model_bit_for_bit()
    {
        var images = ToyData.Images();
        using var scorer = _mlContext.Model.CreateBatchScorer(ToyModels.Images, _mlContext.View(images).Schema);
        var scores = new float[images.Length * scorer.ScoreCount];

        scorer.Score(images.SelectMany(image => image.Pixels).ToArray(), scores);

        Assert.That(scores, Is.EqualTo(ModelScores.ReadScores(ToyModels.Images.Transform(_mlContext.View(images))).SelectMany(row => row)));
        Assert.That(() => scorer.Score(new float[64], scores), Throws.ArgumentException.With.Message.StartsWith("The student reads bytes; found Single."));
    }

    [Test]
    public void Many_threads_score_arrays_at_the_same_time()
    {
        var points = ToyData.Points(200);
        var expected = ModelScores.ReadScores(ToyModels.Points.Transform(_mlContext.View(points)));
        using var scorer = Scorer(ToyModels.Points);
        Parallel.For(0, 2000, new ParallelOptions { MaxDegreeOfParallelism = 16 }, i =>
        {
            var scores = new float[3];
            scorer.Score(points[i % 200].Features, scores);
            if (!scores.AsSpan().SequenceEqual(expected[i % 200]))
                throw new InvalidOperationException($"row {i % 200}");
        });
    }

    [Test]
    public void Scores_of_no_rows_are_none()
    {
        using var scorer = Scorer(ToyModels.Points);
        Assert.That(scorer.Score(ReadOnlySpan<float>.Empty, []), Is.Zero);
    }

    [Test]
    public void Arrays_that_are_not_whole_rows_or_too_short_are_refused()
    {
        using var scorer = Scorer(ToyModels.Points);
        Assert.Multiple(() =>
        {
            Assert.That(() => scorer.Score(new float[6], new float[6]), Throws.ArgumentException.With.Message.StartsWith("features must hold rows of 4 values; found 6 values, which is no multiple."));
            Assert.That(() => scorer.Score(new float[8], new float[5]), Throws.ArgumentException.With.Message.StartsWith("scores must have place for 2 rows of 3 values; found 5."));
            Assert.That(() => scorer.Score(new byte[4], new float[3]), Throws.ArgumentException.With.Message.StartsWith("The student reads floats; found Byte."));
        });
    }

    [Test]
    public void An_engine_made_from_it_scores_like_one_made_from_the_model()
    {
        var points = ToyData.Points(20);
        points[3].Features[1] = float.NaN;
        var rows = _mlContext.View(points);
        var model = _mlContext.Transforms.NormalizeMeanVariance("Scaled", "Features", fixZero: false)
            .Append(_mlContext.Pipeline(ToyPipelines.Options() with { FeatureColumnName = "Scaled" }))
            .Append(_mlContext.Transforms.Conversion.MapKeyToValue("PredictedLabel")).Fit(_mlContext.View(ToyData.Points()));
        using var scorer = Scorer(model);
        using var engine = _mlContext.Model.CreatePredictionEngine<ToyPoint<string>, Scored>(scorer, new PredictionEngineOptions { OwnsTransformer = false });

        var found = points.Select(point => engine.Predict(point)).Select(scored => (scored.PredictedLabel ?? "", scored.Label, Bits(scored.Score))).ToArray();

        var expected = model.Transform(rows);
        Assert.That(found, Is.EqualTo(expected.GetColumn<string>("PredictedLabel").Zip(points, ModelScores.ReadScores(expected)).Select(row => (row.First ?? "", row.Second.Label, Bits(row.Third)))));
    }

    [Test]
    public void An_engine_that_owns_it_disposes_it_and_one_that_does_not_outlives_it()
    {
        var points = ToyData.Points(2);
        var scorer = Scorer(ToyModels.Points);
        using var other = _mlContext.Model.CreatePredictionEngine<ToyPoint<string>, ScoreAlone>(scorer, new PredictionEngineOptions { OwnsTransformer = false });
        var before = other.Predict(points[0]).Score;

        _mlContext.Model.CreatePredictionEngine<ToyPoint<string>, ScoreAlone>(scorer).Dispose();

        Assert.That(() => scorer.Score(points[0].Features, new float[3]), Throws.TypeOf<ObjectDisposedException>());
        other.Predict(points[1]);
        Assert.That(other.Predict(points[0]).Score, Is.EqualTo(before));
    }

    [Test]
    public void Saved_it_is_the_model()
    {
        var rows = _mlContext.View(ToyData.Points(20));
        using var scorer = Scorer(ToyModels.Points);
        Assert.That(scorer.GetOutputSchema(rows.Schema).Select(column => column.Name), Is.EqualTo(ToyModels.Points.GetOutputSchema(rows.Schema).Select(column => column.Name)));
        var loaded = _mlContext.Reloaded(scorer, rows.Schema);
        Assert.That(ViewLines.Read(loaded.Transform(rows)), Is.EqualTo(ViewLines.Read(ToyModels.Points.Transform(rows))));
    }

    [Test]
    public void A_model_without_a_student_is_refused_with_what_it_consists_of()
    {
        var rows = _mlContext.View(ToyData.Points());
        var model = _mlContext.Transforms.Conversion.MapValueToKey("Label").Append(_mlContext.Transforms.NormalizeMinMax("Features")).Fit(rows);
        Assert.That(() => _mlContext.Model.CreateBatchScorer(model, rows.Schema), Throws.InvalidOperationException.With.Message.StartsWith(
            "The model contains no student of MlNetDistill: ").And.Message.Contains("It consists of ValueToKeyMappingTransformer, NormalizingTransformer. Give the model that Fit returned"));
        Assert.That(() => _mlContext.Model.CreateBatchScorer(new TransformerChain<ITransformer>(), rows.Schema), Throws.InvalidOperationException.With.Message.Contains("It consists of no steps."));
    }

    [Test]
    public void Arrays_need_a_single_student()
    {
        var rows = _mlContext.View(ToyData.Points());
        var model = _mlContext.Pipeline(ToyPipelines.Options() with { ScoreColumnName = "First", PredictedLabelColumnName = "FirstLabel" })
            .Append(_mlContext.MulticlassClassification.Trainers.Distill(ToyPipelines.Options(NetworkSpec.Mlp(16)))).Fit(rows);
        using var scorer = _mlContext.Model.CreateBatchScorer(model, rows.Schema);
        Assert.That(() => scorer.Score(new float[4], new float[3]), Throws.InvalidOperationException.With.Message.StartsWith("The model has 2 students"));
    }

    [Test]
    public void All_wrong_settings_are_named() => Assert.That(
        () => Scorer(ToyModels.Points, new() { BatchSize = 0, Threads = -1 }),
        Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.Contains("BatchSize must be at least 1; was 0.").And.Message.Contains("Threads must be at least 0; was -1."));

    [Test]
    public void A_batch_that_no_array_can_hold_is_refused() => Assert.That(
        () => Scorer(ToyModels.Points, new() { BatchSize = int.MaxValue }),
        Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.Contains("BatchSize must be at most").And.Message.Contains("was 2147483647."));

    [Test]
    public void Data_without_the_features_or_with_others_is_refused()
    {
        using var scorer = Scorer(ToyModels.Points.LastTransformer);
        var (images, sparse) = (_mlContext.View(ToyData.Images()), _mlContext.View(ToyData.SparseRows()));
        Assert.That(() => scorer.Transform(images), Throws.ArgumentException.With.Message.StartsWith("The student reads column 'Features', Vector<Single, 4>; the data has 'Label', 'Pixels'."));
        Assert.That(() => scorer.Transform(sparse), Throws.ArgumentException.With.Message.StartsWith("Column 'Features' must be Vector<Single, 4>, as in training; found Vector<Single, 12>."));
    }

    [Test]
    public void The_model_can_be_used_after_the_scorer_is_disposed()
    {
        var rows = _mlContext.View(ToyData.Points(20));
        var loaded = _mlContext.Reloaded(ToyModels.Points, rows.Schema);
        using var _ = loaded as IDisposable;
        var expected = ViewLines.Read(loaded.Transform(rows));
        Scorer(loaded).Dispose();
        Assert.That(ViewLines.Read(loaded.Transform(rows)), Is.EqualTo(expected));
    }

    private BatchScorer Scorer(ITransformer model, BatchScoringOptions? options = null) => _mlContext.Model.CreateBatchScorer(model, _mlContext.View(ToyData.Points(1)).Schema, options);

    private static string Bits(float[] values) => string.Join(' ', values.Select(value => $"{BitConverter.SingleToUInt32Bits(value):x8}"));

    private sealed class Scored
    {
        public string? PredictedLabel { get; set; }

        public string Label { get; set; } = "";

        public float[] Score { get; set; } = [];
    }

    private sealed class ScoreAlone
    {
        public float[] Score { get; set; } = [];
    }
}
