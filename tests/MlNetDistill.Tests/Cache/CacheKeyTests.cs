using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Cache;
using MlNetDistill.Tests.Support;

namespace MlNetDistill.Tests.Cache;

/// <summary>What the key of a cache in a folder depends on, beside the values of the training rows.</summary>
public sealed class CacheKeyTests
{
    private readonly MLContext _context = Rows.Context();
    private ToyFolder _folder = null!;

    private int Caches => _folder.Entries.Count(e => e.EndsWith(".teacher", StringComparison.Ordinal));

    [SetUp]
    public void MakeFolder() => _folder = new ToyFolder();

    [TearDown]
    public void DeleteFolder() => _folder.Dispose();

    [TestCase("birch", 2)]
    [TestCase("ash", 1)]
    public void Rows_dropped_from_training_count_for_a_pipeline_that_is_fitted_on_them(string label, int caches)
    {
        FitWithout("ash");
        FitWithout(label);
        Assert.That(Caches, Is.EqualTo(caches));

        void FitWithout(string labelOfLeftOut)
        {
            var points = Rows.Points();
            foreach (var point in points.Take(120))
            {
                point.Features[0] = float.NaN;
                point.Label = labelOfLeftOut;
            }

            var pipeline = _context.Transforms.ReplaceMissingValues("Whole", "Features")
                .Append(_context.Transforms.Conversion.MapValueToKey("TeacherClass", "Label"))
                .Append(_context.MulticlassClassification.Trainers.LbfgsMaximumEntropy("TeacherClass", "Whole"));
            Fit(Teacher.FromEstimator(pipeline, cacheKey: "regression"), _context.Keyed(points));
        }
    }

    [Test]
    public void The_values_of_keys_count_for_a_teacher_that_reads_the_keys()
    {
        var (first, second) = (Coloured("red", "green"), Coloured("green", "red"));
        var teacher = Teacher.FromTransformer(
            _context.Transforms.Conversion.MapKeyToValue("Word", "Colour")
                .Append(_context.Transforms.CustomMapping<Seen, Answer>((row, answer) => answer.Score = row.Word == "red" ? [1, 0, 0] : [0, 1, 0], null)).Fit(first),
            classNames: Rows.Classes,
            cacheKey: "words");
        Fit(teacher, first);
        Fit(teacher, second);
        Assert.That(Caches, Is.EqualTo(2));
    }

    [Test]
    public void A_column_that_is_not_read_may_be_added_or_removed()
    {
        var view = _context.Keyed(Rows.Points());
        var teacher = Teacher.FromTransformer(_context.Regression().Fit(view));
        Fit(teacher, view);
        Fit(teacher, _context.Transforms.CopyColumns("Other", "Weight").Fit(view).Transform(view));
        Assert.That(Caches, Is.EqualTo(1));
    }

    [Test]
    public void An_overwritten_label_is_explained_where_there_is_a_folder_too()
    {
        var raw = _context.Data.LoadFromEnumerable(Rows.Points());
        var view = _context.Transforms.Conversion.MapValueToKey("Label").Fit(raw).Transform(raw);
        var options = Options(Teacher.FromTransformer(_context.Regression().Fit(raw))) with { LabelColumnName = "Label" };
        Assert.That(() => _context.Fit(options, view), Throws.InvalidOperationException.With.Message.Contains("an earlier step overwrote 'Label'"));
    }

    private DistillationOptions Options(Teacher teacher) => Rows.Quick(teacher) with
    {
        TeacherCache = new TeacherCacheOptions { Folder = _folder.Path },
        MinimumTeacherAccuracy = 0,
        MissingFeatures = MissingFeatures.Drop,
        Epochs = 1,
    };

    private void Fit(Teacher teacher, IDataView view) => _context.Fit(Options(teacher), view);

    private IDataView Coloured(string first, string second)
    {
        var view = _context.Keyed(Rows.Points().Select((p, i) => new ColouredPoint { Label = p.Label, Features = p.Features, Text = i % 3 == 0 ? first : second }));
        return _context.Transforms.Conversion.MapValueToKey("Colour", "Text").Fit(view).Transform(view);
    }

    private sealed class Seen
    {
        public string Word { get; set; } = "";
    }

    private sealed class Answer
    {
        [VectorType(3)]
        public float[] Score { get; set; } = [];
    }

    private sealed class ColouredPoint
    {
        public string Label { get; set; } = "";

        [VectorType(4)]
        public float[] Features { get; set; } = [];

        public string Text { get; set; } = "";
    }
}
