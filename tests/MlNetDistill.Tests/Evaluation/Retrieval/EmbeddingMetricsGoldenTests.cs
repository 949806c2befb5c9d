using System.Text.Json;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MlNetDistill.Tests.Evaluation.Retrieval;

/// <summary>The records of embedding.json about search and verification. Those about losses are compared in the tests of the losses.</summary>
public sealed class EmbeddingMetricsGoldenTests
{
    private const string File = "embedding.json";

    // The columns are 32-bit floats, the reference is computed in double precision.
    private const double ThresholdTolerance = 1e-6;
    private readonly MLContext _context = new(1);

    public static IEnumerable<JsonElement> Records() => Golden.Records(File).Where(record => record.GetProperty("name").GetString() == "retrieval");

    [Test]
    public void All_records_of_metrics_are_compared() => Assert.That(Records().Count(), Is.EqualTo(2));

    [TestCase(0, null, "leave_one_out")]
    [TestCase(0, "Camera", "same_camera_excluded")]
    [TestCase(1, null, "leave_one_out")]
    [TestCase(1, "Camera", "same_camera_excluded")]
    public void A_search_gives_the_ranks_and_the_precision_of_the_reference(int record, string? camera, string name)
    {
        var expected = Expected(record, name);
        var metrics = _context.Ranking.EvaluateRetrieval(View(record), options: new() { CameraColumnName = camera, MaximumRank = 10 });
        Assert.Multiple(() =>
        {
            Assert.That(metrics.Queries, Is.EqualTo(expected.GetProperty("queries").GetInt32()));
            Assert.That(metrics.Student.RankOne, Is.EqualTo(expected.GetProperty("rank1").GetDouble()).Within(1e-12));
            Assert.That(metrics.Student.RankAt(5), Is.EqualTo(expected.GetProperty("rank5").GetDouble()).Within(1e-12));
            Assert.That(metrics.Student.MatchCurve, Is.EqualTo(Golden.Numbers(expected.GetProperty("cmc_first10"))).Within(1e-12));
            Assert.That(metrics.Student.MeanAveragePrecision, Is.EqualTo(expected.GetProperty("mAP").GetDouble()).Within(1e-12));
        });
    }

    [TestCase(0)]
    [TestCase(1)]
    public void All_pairs_give_the_area_and_the_rates_of_the_reference(int record)
    {
        var expected = Expected(record, "all_pairs");
        var rates = expected.GetProperty("tar_at_far").EnumerateObject().ToList();
        var metrics = _context.BinaryClassification.EvaluateVerification(
            View(record), options: new() { FalseAcceptRates = [.. rates.Select(rate => double.Parse(rate.Name, System.Globalization.CultureInfo.InvariantCulture))] });
        Assert.Multiple(() =>
        {
            Assert.That((metrics.Positives, metrics.Negatives), Is.EqualTo((expected.GetProperty("positives").GetInt64(), expected.GetProperty("negatives").GetInt64())));
            Assert.That(metrics.AreaUnderCurve, Is.EqualTo(expected.GetProperty("auc").GetDouble()).Within(1e-12));
            Assert.That(metrics.AcceptRates.Select(rate => rate.TrueAcceptRate), Is.EqualTo(rates.Select(rate => rate.Value.GetProperty("tar").GetDouble())).Within(1e-12));
            Assert.That(metrics.AcceptRates.Select(rate => rate.Threshold!.Value), Is.EqualTo(rates.Select(rate => rate.Value.GetProperty("threshold").GetDouble())).Within(ThresholdTolerance));
        });
    }

    [TestCase(0)]
    [TestCase(1)]
    public void Given_pairs_give_the_accuracies_of_the_LFW_protocol(int record)
    {
        var expected = Expected(record, "lfw_protocol");
        var rows = RowsOf(record);
        var pairs = Records().ElementAt(record).GetProperty("inputs").GetProperty("pairs").EnumerateArray()
            .Select(pair => Golden.Integers(pair)).Select(pair => (First: rows[pair[0]], Second: rows[pair[1]]))
            .Select(pair => new PairRow { First = pair.First.Embedding, Second = pair.Second.Embedding, Same = pair.First.Label == pair.Second.Label });
        var metrics = _context.BinaryClassification.EvaluateVerification(Vectors(pairs, rows[0].Embedding.Length, "First", "Second"), "First", "Second", "Same");
        Assert.Multiple(() =>
        {
            Assert.That(metrics.FoldAccuracies, Is.EqualTo(Golden.Numbers(expected.GetProperty("accuracy_per_fold"))).Within(1e-12));
            Assert.That(metrics.Accuracy, Is.EqualTo(expected.GetProperty("accuracy_mean").GetDouble()).Within(1e-12));
            Assert.That(metrics.AccuracyDeviation, Is.EqualTo(expected.GetProperty("accuracy_std").GetDouble()).Within(1e-12));
        });
    }

    private static JsonElement Expected(int record, string name) => Records().ElementAt(record).GetProperty("expected").GetProperty(name);

    private static EmbeddingRow[] RowsOf(int record)
    {
        var inputs = Records().ElementAt(record).GetProperty("inputs");
        var (ids, cameras, embedding) = (Golden.Integers(inputs.GetProperty("ids")), Golden.Integers(inputs.GetProperty("cameras")), inputs.GetProperty("embedding"));
        var length = (int)Golden.Integers(embedding.GetProperty("shape"))[1];
        return [.. Golden.Numbers(embedding.GetProperty("data")).Chunk(length).Select((values, i) => new EmbeddingRow
        {
            Embedding = [.. values.Select(value => (float)value)], Label = ids[i], Camera = $"camera {cameras[i]}",
        })];
    }

    private IDataView View(int record)
    {
        var rows = RowsOf(record);
        return Vectors(rows, rows[0].Embedding.Length, "Embedding");
    }

    private IDataView Vectors<T>(IEnumerable<T> rows, int length, params string[] columns)
        where T : class
    {
        var definition = SchemaDefinition.Create(typeof(T));
        foreach (var column in columns)
            definition[column].ColumnType = new VectorDataViewType(NumberDataViewType.Single, length);
        return _context.Data.LoadFromEnumerable(rows, definition);
    }

    private sealed class PairRow
    {
        public float[] First { get; set; } = [];

        public float[] Second { get; set; } = [];

        public bool Same { get; set; }
    }
}

/// <summary>A row with an embedding.</summary>
internal sealed class EmbeddingRow
{
    public float[] Embedding { get; set; } = [];

    public float[] Teacher { get; set; } = [];

    public long Label { get; set; }

    public string Camera { get; set; } = "";
}
