using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Data;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Tests.Support;
using static Microsoft.ML.Transforms.ValueToKeyMappingEstimator.KeyOrdinality;

namespace MlNetDistill.Tests.Data;

/// <summary>Features of which most are 0 and that are too many to write all of them into memory.</summary>
public sealed class SparseFeatureTests
{
    // As 32-bit floats 80 MB, more than is written into one tensor.
    private const int Count = 4_000;
    private const int Width = 5_000;
    private readonly MLContext _context = new(1);

    [Test]
    public void A_student_of_sparse_features_is_that_of_the_same_features_written_out()
    {
        Words[] sparse = [.. Draw(Count, Width, stored: 12)];
        var dense = sparse.Select(row => new Words { Label = row.Label, Features = new VBuffer<float>(Width, [.. row.Features.DenseValues()]) });
        var quiz = Load(sparse.Take(50), Width);
        var options = Settings() with { Augmentations = [Augmentation.MarginalSwap(0.1)], ValidationFraction = 0.1 };
        Assert.That(_context.Fit(options, Load(sparse, Width)).Scores(quiz), Is.EqualTo(_context.Fit(options, Load(dense, Width)).Scores(quiz)));
    }

    [Test]
    public void Features_that_begin_sparse_and_become_dense_give_the_same_student()
    {
        var random = new Random(3);
        Words[] rows = [.. Draw(Count, Width, stored: 12)];
        foreach (var row in rows.Skip(Count / 2))
            row.Features = new VBuffer<float>(Width, [.. Enumerable.Range(0, Width).Select(_ => random.NextSingle())]);
        var dense = rows.Select(row => new Words { Label = row.Label, Features = new VBuffer<float>(Width, [.. row.Features.DenseValues()]) });
        var quiz = Load(rows.Take(50), Width);
        Assert.That(_context.Fit(Settings(), Load(rows, Width)).Scores(quiz), Is.EqualTo(_context.Fit(Settings(), Load(dense, Width)).Scores(quiz)));
    }

    [Test]
    [Platform("Linux")]
    public void Memory_grows_with_what_is_stored_and_not_with_all_features()
    {
        // Written out, 2 GB.
        const int Many = 100_000;
        var rows = Load(Draw(5_000, Many, stored: 50), Many);
        // The elements are 2 MB and a batch is 26 MB; the rest is what ML.NET and ONNX Runtime need to score rows of this length.
        Assert.That(PeakMemory.Growth(() => _context.Fit(Settings(), rows)), Is.LessThan(250L << 20));
    }

    [Test]
    [Platform("Linux")]
    public void A_fit_with_scores_of_many_classes_needs_memory_for_a_few_rows_of_them()
    {
        // As 32-bit floats the scores are 200 MB.
        const int classes = 1_000, count = 50_000;
        var rows = Enumerable.Range(0, count).Select(row => new ManyScores { Label = (uint)(row % classes), Features = [row % classes, row % 7], Score = Sure(row % classes) });
        var schema = SchemaDefinition.Create(typeof(ManyScores));
        schema[nameof(ManyScores.Label)].ColumnType = new KeyDataViewType(typeof(uint), classes);
        var view = _context.Data.LoadFromEnumerable(rows, schema);
        var options = Settings() with
        {
            Teacher = Teacher.FromColumn(nameof(ManyScores.Score)),
            Method = DistillationMethod.Kd(),
            LabelColumnName = "Label",
            BatchSize = 500,
            ValidationFraction = 0.5,
            TeacherCache = new() { MemoryLimit = 0 },
            MinimumTeacherAccuracy = 0,
        };
        _context.Fit(options, _context.Data.TakeRows(view, 2_000));
        GC.Collect();
        Assert.That(PeakMemory.Growth(() => _context.Fit(options, view)), Is.LessThan(150L << 20));

        static float[] Sure(int label)
        {
            var scores = new float[classes];
            Array.Fill(scores, 0.1f / (classes - 1));
            scores[label] = 0.9f;
            return scores;
        }
    }

    private static DistillationOptions Settings() => Rows.Quick() with { Epochs = 1, BatchSize = 64, Student = NetworkSpec.Mlp(4) };

    /// <summary>Texts of two classes, told apart by their first word.</summary>
    private static IEnumerable<Words> Draw(int rows, int width, int stored) => Enumerable.Range(0, rows).Select(row =>
    {
        var random = new Random(row);
        var places = new SortedSet<int> { row % 2 };
        while (places.Count < stored)
            places.Add(random.Next(2, width));
        return new Words { Label = $"{row % 2}", Features = new VBuffer<float>(width, stored, [.. places.Select(_ => 1f)], [.. places]) };
    });

    private IDataView Load(IEnumerable<Words> rows, int width)
    {
        var schema = SchemaDefinition.Create(typeof(Words));
        schema[nameof(Words.Features)].ColumnType = new VectorDataViewType(NumberDataViewType.Single, width);
        var view = _context.Data.LoadFromEnumerable(rows, schema);
        return _context.Transforms.Conversion.MapValueToKey("Class", "Label", keyOrdinality: ByValue).Fit(view).Transform(view);
    }

    private sealed class ManyScores
    {
        public uint Label { get; set; }

        [VectorType(2)]
        public float[] Features { get; set; } = [];

        [VectorType(1_000)]
        public float[] Score { get; set; } = [];
    }

    private sealed class Words
    {
        public string Label { get; set; } = "";

        public VBuffer<float> Features { get; set; }
    }
}
