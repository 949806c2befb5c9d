using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Tests.Support;

namespace MlNetDistill.Tests.Data;

public sealed class FeatureKindTests
{
    private readonly MLContext _context = Rows.Context();

    [Test]
    public void Sparse_features_give_the_same_student_as_dense_ones_bit_for_bit()
    {
        var rows = Rows.Points();
        foreach (var row in rows)
            row.Features = [.. row.Features.Select((x, i) => i % 2 == 0 || x > 0.5f ? x : 0)];
        var dense = _context.Keyed(rows);
        var sparse = _context.Keyed(rows.Select(r => new SparsePoint { Label = r.Label, Features = Sparse(r.Features) }));
        Assert.That(_context.Fit(Rows.Quick(), sparse).Scores(sparse), Is.EqualTo(_context.Fit(Rows.Quick(), dense).Scores(dense)));
    }

    [Test]
    public void A_byte_vector_needs_no_normalising_upstream()
    {
        var view = _context.Keyed(Picture.Some());
        var model = _context.Fit(Rows.Quick(), view);
        Assert.That(_context.MulticlassClassification.Evaluate(model.Transform(view), "Class").MicroAccuracy, Is.GreaterThan(0.95));
    }

    [Test]
    public void Other_column_names_are_read_as_the_options_say()
    {
        var view = _context.Transforms.CopyColumns("Inputs", "Features").Append(_context.Transforms.CopyColumns("Answer", "Class"))
            .Append(_context.Transforms.DropColumns("Features", "Class")).Fit(_context.Keyed(Rows.Points())).Transform(_context.Keyed(Rows.Points()));
        var model = _context.Fit(Rows.Quick() with { FeatureColumnName = "Inputs", LabelColumnName = "Answer" }, view);
        Assert.That(model.AccuracyOn(Rows.Points(), view), Is.GreaterThan(0.85));
    }

    private static VBuffer<float> Sparse(float[] values)
    {
        var indices = Enumerable.Range(0, values.Length).Where(i => values[i] != 0).ToArray();
        return new VBuffer<float>(values.Length, indices.Length, [.. indices.Select(i => values[i])], indices);
    }

    private sealed class SparsePoint
    {
        public string Label { get; set; } = "";

        [VectorType(4)]
        public VBuffer<float> Features { get; set; }
    }
}
