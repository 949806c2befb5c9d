using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Tests.Support;

namespace MlNetDistill.Tests.MlNetFit;

/// <summary>Labels of every kind come back as what they were, here and after loading.</summary>
public sealed class LabelKindsTests
{
    private const int Rows = 150;
    private readonly MLContext _mlContext = new(seed: 1);

    [Test]
    public void Text_labels() => Check(3, c => new[] { "größe", "B b", "c-3" }[c]);

    [Test]
    public void Integer_labels() => Check(3, c => (10 * c) - 10);

    [Test]
    public void Unsigned_byte_labels() => Check(3, c => (byte)(200 + c));

    [Test]
    public void Floating_labels() => Check(3, c => 0.5f * c);

    [Test]
    public void Boolean_labels() => Check(2, c => c == 1);

    [Test]
    public void Key_labels_without_values()
    {
        var view = Keys(annotate: false);
        var model = FitKeys(view);
        AssertPredictsKeys(model, view);
        AssertPredictsKeys(_mlContext.Reloaded(model, view.Schema), view);
    }

    [Test]
    public void Key_labels_with_values()
    {
        var view = Keys(annotate: true);
        var model = FitKeys(view);
        AssertPredictsKeys(model, view);
        var scored = _mlContext.Reloaded(model, view.Schema).Transform(view);
        Assert.That(ModelScores.ReadNames(scored, "PredictedLabel"), Is.EqualTo(ModelScores.ReadNames(scored, "Label")));
    }

    [Test]
    public void A_class_that_no_row_has_keeps_its_place_in_the_scores()
    {
        var view = Keys(annotate: false);
        var scored = FitKeys(view).Transform(view);
        Assert.That(ModelScores.ReadScores(scored).Select(row => row.Length), Has.All.EqualTo(4));
    }

    [Test]
    public void A_key_of_far_too_many_values_is_refused_with_the_way_to_state_the_count()
    {
        var view = _mlContext.Data.LoadFromEnumerable(Enumerable.Range(1, 4).Select(i => new OpenKey { Label = (uint)i }));
        Assert.That(
            () => _mlContext.MulticlassClassification.Trainers.Distill(NetworkSpec.Mlp(2), DistillationMethod.LabelsOnly()).Fit(view),
            Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.Contain("The label column 'Label' has 2147483648 classes")
                .And.Message.Contain("State the count with [KeyType(n)], or make the key with MapValueToKey."));
    }

    private sealed class OpenKey
    {
        [KeyType(1UL << 31)]
        public uint Label { get; set; }

        [VectorType(2)]
        public float[] Features { get; set; } = [1, 2];
    }

    private void Check<T>(int classes, Func<int, T> label)
    {
        var view = _mlContext.View(ToyData.Points(Rows, classes, label));
        var fitted = _mlContext.Pipeline(ToyPipelines.Options()).Append(_mlContext.Transforms.Conversion.MapKeyToValue("PredictedLabel")).Fit(view);
        foreach (var model in new[] { fitted, _mlContext.Reloaded(fitted, view.Schema) })
        {
            var scored = model.Transform(view);
            var right = scored.GetColumn<T>("PredictedLabel").Zip(scored.GetColumn<T>("Label")).Count(p => Equals(p.First, p.Second));
            Assert.That(right, Is.GreaterThan(0.95 * Rows));
        }
    }

    /// <summary>Keys of four values, of which the last is never seen.</summary>
    private IDataView Keys(bool annotate)
    {
        var definition = SchemaDefinition.Create(typeof(ToyPoint<uint>));
        var label = definition[nameof(ToyPoint<uint>.Label)];
        label.ColumnType = new KeyDataViewType(typeof(uint), 4);
        if (annotate)
        {
            var names = new[] { "one", "two", "three", "four" }.Select(n => n.AsMemory()).ToArray();
            label.AddAnnotation("KeyValues", new VBuffer<ReadOnlyMemory<char>>(4, names), new VectorDataViewType(TextDataViewType.Instance, 4));
        }

        return _mlContext.Data.LoadFromEnumerable(ToyData.Points(Rows, 3, c => (uint)c + 1), definition);
    }

    private ITransformer FitKeys(IDataView view)
    {
        var trainer = _mlContext.MulticlassClassification.Trainers.Distill(ToyPipelines.Options() with { LabelColumnName = "Label", Epochs = 20 });
        return trainer.Fit(view);
    }

    private static void AssertPredictsKeys(ITransformer model, IDataView view)
    {
        var scored = model.Transform(view);
        var right = scored.GetColumn<uint>("PredictedLabel").Zip(scored.GetColumn<uint>("Label")).Count(p => p.First == p.Second);
        Assert.That(right, Is.GreaterThan(0.95 * Rows));
    }
}
