using System.Runtime.InteropServices;
using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Evaluation;
using MlNetDistill.Tests.Support;

namespace MlNetDistill.Tests.Evaluation;

public sealed class CostTests
{
    private static readonly CostOptions Quick = new() { WarmupPredictions = 3, Predictions = 20, WarmupPasses = 1, Passes = 4 };
    private readonly MLContext _mlContext = Rows.Context();
    private readonly Point[] _rows = Rows.Points();

    [Test]
    public void The_zip_is_as_large_as_the_saved_model_is()
    {
        var model = Student();
        var cost = _mlContext.Model.MeasureCost(model, _rows, options: Quick);
        Assert.That(cost.ZipBytes, Is.EqualTo(_mlContext.Saved(model, _mlContext.View(_rows).Schema).Length));
    }

    [Test]
    public void As_many_predictions_and_passes_are_measured_as_asked_for()
    {
        var cost = _mlContext.Model.MeasureCost(Student(), _rows, options: Quick);
        Assert.Multiple(() =>
        {
            Assert.That(cost.SingleRow.Measurements, Is.EqualTo(20));
            Assert.That(cost.Batch.Measurements, Is.EqualTo(4));
            Assert.That(cost.SingleRow.Median, Is.Positive.And.LessThanOrEqualTo(cost.SingleRow.P95));
            Assert.That(cost.Batch.Median, Is.Positive.And.LessThanOrEqualTo(cost.Batch.P95));
        });
    }

    /// <summary>Were the scores not read, ML.NET would not compute them, and the model that sleeps would be as fast as the other.</summary>
    [Test]
    public void The_time_is_that_of_computing_scores()
    {
        var cost = _mlContext.Model.MeasureCost(Sleeping(), _rows.Take(10), options: Quick);
        Assert.Multiple(() =>
        {
            Assert.That(cost.SingleRow.Median, Is.GreaterThan(2000));
            Assert.That(cost.Batch.Median, Is.GreaterThan(2000));
        });
    }

    [Test]
    public void A_slow_model_is_measured_less_often()
    {
        var options = Quick with { Predictions = 100_000, Passes = 100_000, MaximumTime = TimeSpan.FromMilliseconds(200) };
        var cost = _mlContext.Model.MeasureCost(Sleeping(), _rows.Take(10), options: options);
        Assert.Multiple(() =>
        {
            Assert.That(cost.SingleRow.Measurements, Is.InRange(1, 100));
            Assert.That(cost.Batch.Measurements, Is.InRange(1, 10));
        });
    }

    [Test]
    public void Time_alone_may_say_when_to_stop()
    {
        var options = Quick with { Predictions = int.MaxValue, MaximumTime = TimeSpan.FromMilliseconds(50) };
        Assert.That(_mlContext.Model.MeasureCost(Student(), _rows, options: options).SingleRow.Measurements, Is.GreaterThanOrEqualTo(1));
    }

    [Test]
    public void Memory_counts_that_was_given_back_before_the_end()
    {
        const int bytes = 200 << 20;
        using var peak = new WorkingSetPeak();
        var memory = Marshal.AllocHGlobal(bytes);
        for (var page = 0; page < bytes; page += 4096)
            Marshal.WriteByte(memory, page, 1);
        // Longer than the watching thread may have to wait for its turn.
        Thread.Sleep(200);
        Marshal.FreeHGlobal(memory);
        Assert.That(peak.Stop(), Is.GreaterThan(0.9 * bytes));
    }

    [Test]
    public void Of_an_even_number_of_times_the_median_is_between_the_two_in_the_middle() =>
        Assert.That(Latency.FromTimes([40, 10, 30, 20]), Is.EqualTo(new Latency(25, 40, 4)));

    [Test]
    public void Of_a_hundred_times_95_stay_within_the_95th() =>
        Assert.That(Latency.FromTimes([.. Enumerable.Range(1, 100).Select(i => 101.0 - i)]), Is.EqualTo(new Latency(50.5, 95, 100)));

    [Test]
    public void The_model_scores_and_saves_afterwards()
    {
        var view = _mlContext.View(_rows);
        var model = _mlContext.Reloaded(Student(), view.Schema);
        var before = model.Scores(view);
        _mlContext.Model.MeasureCost(model, _rows, options: Quick);
        Assert.Multiple(() =>
        {
            Assert.That(model.Scores(view), Is.EqualTo(before));
            Assert.That(_mlContext.Saved(model, view.Schema), Is.Not.Empty);
        });
    }

    [Test]
    public void Nothing_is_left_in_the_temporary_folder()
    {
        using var folder = new ToyFolder();
        var model = Student();
        new MLContext { TempFilePath = folder.Path }.Model.MeasureCost(model, _rows, options: Quick);
        Assert.That(folder.Entries, Is.Empty);
    }

    [Test]
    public void Rows_without_the_size_of_their_vector_are_measured_with_a_definition_that_has_it()
    {
        var definition = SchemaDefinition.Create(typeof(Unsized));
        definition[nameof(Unsized.Features)].ColumnType = new VectorDataViewType(NumberDataViewType.Single, 4);
        var rows = _rows.Select(row => new Unsized { Label = row.Label, Features = row.Features });
        Assert.That(_mlContext.Model.MeasureCost(Student(), rows, inputSchemaDefinition: definition, options: Quick).Batch.Median, Is.Positive);
    }

    [Test]
    public void A_score_column_of_another_name_is_read()
    {
        var student = _mlContext.Pipeline(ToyPipelines.Options() with { ScoreColumnName = "Mine", Epochs = 1 }).Fit(_mlContext.View(_rows));
        Assert.That(_mlContext.Model.MeasureCost(student, _rows, "Mine", options: Quick).SingleRow.Median, Is.Positive);
    }

    [Test]
    public void A_saved_model_is_measured_from_its_file()
    {
        using var folder = new ToyFolder();
        var path = folder.File("student.zip");
        _mlContext.Model.Save(Student(), _mlContext.View(_rows).Schema, path);

        var cost = _mlContext.Model.MeasureCost(path, _rows, options: Quick);

        Assert.Multiple(() =>
        {
            Assert.That(cost.ZipBytes, Is.EqualTo(new FileInfo(path).Length));
            Assert.That(cost.SingleRow.Measurements, Is.EqualTo(20));
            Assert.That(cost.Batch.Median, Is.Positive);
            Assert.That(folder.Entries, Is.EqualTo(new[] { "student.zip" }));
        });
    }

    [Test]
    public void A_file_that_is_missing_or_no_model_is_named()
    {
        using var folder = new ToyFolder();
        File.WriteAllText(folder.File("text.zip"), "no zip");

        Assert.That(() => _mlContext.Model.MeasureCost(folder.File("none.zip"), _rows), Throws.InstanceOf<FileNotFoundException>().With.Message.Contains("none.zip"));
        Assert.That(() => _mlContext.Model.MeasureCost(folder.File("text.zip"), _rows), Throws.InvalidOperationException.With.Message.Contains("cannot be loaded from " + folder.File("text.zip")));
    }

    [Test]
    public void No_rows_are_refused() => Assert.That(
        () => _mlContext.Model.MeasureCost(Student(), Array.Empty<Point>()),
        Throws.ArgumentException.With.Message.StartsWith("There are no rows to score. Give rows like those that the model will score."));

    [Test]
    public void A_row_that_is_null_is_named() => Assert.That(
        () => _mlContext.Model.MeasureCost(Student(), [_rows[0], null!]),
        Throws.ArgumentException.With.Message.StartsWith("Row 1 of 2 is null. Leave it out."));

    [Test]
    public void A_missing_score_column_is_named_beside_those_that_are_there() => Assert.That(
        () => _mlContext.Model.MeasureCost(Student(), _rows, "Scores"),
        Throws.InstanceOf<ArgumentOutOfRangeException>()
            .With.Message.StartsWith("The model has no column 'Scores'. Its columns are 'Label', 'Features',").And.Message.Contains("'Score'"));

    [Test]
    public void A_score_column_that_is_no_vector_is_refused() => Assert.That(
        () => _mlContext.Model.MeasureCost(Student(), _rows, "Weight"),
        Throws.InstanceOf<ArgumentOutOfRangeException>()
            .With.Message.StartsWith("Column 'Weight' must be a vector of Single, the scores of the classes; found Single."));

    [Test]
    public void A_model_that_cannot_be_saved_is_refused() => Assert.That(
        () => _mlContext.Model.MeasureCost(_mlContext.Says(_mlContext.View(_rows), RowsTeachers.Rule), _rows, options: Quick),
        Throws.InvalidOperationException.With.Message.StartsWith("The model cannot be saved, so its size and memory cannot be measured: "));

    [Test]
    public void Every_fault_of_the_options_is_named_at_once()
    {
        var options = new CostOptions { WarmupPredictions = -1, Predictions = 0, WarmupPasses = -2, Passes = 0, MaximumTime = TimeSpan.Zero };
        Assert.That(() => _mlContext.Model.MeasureCost(Student(), _rows, options: options), Throws.InstanceOf<ArgumentOutOfRangeException>()
            .With.Message.StartsWith(string.Join(
                Environment.NewLine,
                "WarmupPredictions must be at least 0; was -1.",
                "Predictions must be at least 1; was 0.",
                "WarmupPasses must be at least 0; was -2.",
                "Passes must be at least 1; was 0.",
                "MaximumTime must be above 0; was 00:00:00.")));
    }

    private ITransformer Student() => _mlContext.Pipeline(ToyPipelines.Options() with { Epochs = 1 }).Fit(_mlContext.View(_rows));

    /// <summary>A model that takes two milliseconds for a row, and saves as one that does not.</summary>
    private SavedAs Sleeping()
    {
        var view = _mlContext.View(_rows);
        var sleeping = _mlContext.Says(view, features =>
        {
            Thread.Sleep(2);
            return RowsTeachers.Rule(features);
        });
        return new SavedAs(sleeping, Student());
    }

    private sealed class SavedAs(ITransformer scoring, ITransformer saved) : ITransformer
    {
        public bool IsRowToRowMapper => scoring.IsRowToRowMapper;

        public DataViewSchema GetOutputSchema(DataViewSchema inputSchema) => scoring.GetOutputSchema(inputSchema);

        public IRowToRowMapper GetRowToRowMapper(DataViewSchema inputSchema) => scoring.GetRowToRowMapper(inputSchema);

        public IDataView Transform(IDataView input) => scoring.Transform(input);

        public void Save(ModelSaveContext ctx) => ((ICanSaveModel)saved).Save(ctx);
    }

    private sealed class Unsized
    {
        public string Label { get; set; } = "";

        public float[] Features { get; set; } = [];
    }
}
