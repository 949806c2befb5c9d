using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Trainers;
using MlNetDistill.Networks;
using MlNetDistill.Tests.Support;

namespace MlNetDistill.Tests.Students;

/// <summary>Students in other precisions that have many classes, and calibration rows that are not what they should be.</summary>
public sealed class PrecisionLimitTests
{
    private const int Classes = 1000;
    private readonly MLContext _mlContext = new(seed: 1);

    [Test]
    public void The_last_layer_of_many_classes_is_not_stored_a_second_time_as_a_square()
    {
        var rows = _mlContext.View([.. Enumerable.Range(0, 2 * Classes).Select(i => new ToyPoint<string> { Label = $"{i % Classes}", Features = [i % Classes, i % 7, 1, 0] })]);
        var model = _mlContext.Pipeline(ToyPipelines.Options() with { Student = NetworkSpec.Mlp(8), Epochs = 1 }).Fit(rows);

        var stored = model.WithPrecision(StudentPrecision.Float16, new PrecisionOptions { Test = rows });

        var loaded = _mlContext.Reloaded(stored, rows.Schema);
        VBuffer<float>[] weights = [];
        Parts(loaded).OfType<ISingleFeaturePredictionTransformer<object>>().Select(part => part.Model).OfType<MaximumEntropyModelParameters>().Single().GetWeights(ref weights, out _);
        Assert.That(weights, Has.Length.EqualTo(Classes));
        // Zeros that are stored would be multiplied for each row.
        Assert.That(weights.Sum(row => row.GetValues().Length), Is.EqualTo(Classes));
        using var scorer = _mlContext.Model.CreateBatchScorer(loaded, rows.Schema);
        Assert.That(scorer.Transform(rows).GetColumn<float[]>("Score"), Is.EqualTo(loaded.Transform(rows).GetColumn<float[]>("Score")));
    }

    [Test]
    public void Calibration_rows_without_the_feature_column_are_refused_by_its_name()
    {
        var rows = _mlContext.View(ToyData.Points());
        var student = _mlContext.Pipeline(ToyPipelines.Options() with { Epochs = 1 }).Fit(rows).LastTransformer;
        var others = _mlContext.Transforms.DropColumns("Features").Fit(rows).Transform(rows);
        var wrong = _mlContext.Transforms.Conversion.ConvertType("Features", outputKind: DataKind.Double).Fit(rows).Transform(rows);

        Assert.That(() => Store(student, others), Throws.ArgumentException.With.Message.Contains("The calibration rows must have the student's feature column 'Features', Vector<Single, 4>"));
        Assert.That(() => Store(student, wrong), Throws.ArgumentException.With.Message.Contains("Column 'Features' of the calibration rows must be Vector<Single, 4>; found Vector<Double, 4>"));
    }

    [Test]
    public void Calibration_rows_without_a_finite_value_are_refused()
    {
        var student = _mlContext.Pipeline(ToyPipelines.Options() with { Epochs = 1 }).Fit(_mlContext.View(ToyData.Points())).LastTransformer;
        var nothing = _mlContext.View([.. ToyData.Points().Take(20).Select(row => new ToyPoint<string> { Label = row.Label, Features = [float.NaN, float.NaN, float.NaN, float.NaN] })]);

        Assert.That(() => Store(student, nothing), Throws.InvalidOperationException.With.Message.Contains("For none of the 20 calibration rows"));
    }

    private ITransformer Store(ITransformer student, IDataView calibration) =>
        student.WithPrecision(StudentPrecision.Int8, new PrecisionOptions { Test = _mlContext.View(ToyData.Points(seed: 2)), Calibration = calibration });

    private static IEnumerable<ITransformer> Parts(ITransformer model) => model is IEnumerable<ITransformer> chain ? chain.SelectMany(Parts) : [model];
}
