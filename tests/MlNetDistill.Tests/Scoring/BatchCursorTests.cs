using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Tests.Support;

namespace MlNetDistill.Tests.Scoring;

/// <summary>The cursors of a batch scorer keep ML.NET's contract, although they read ahead.</summary>
public sealed class BatchCursorTests
{
    private const int BatchSize = 16;
    private static readonly string[] Columns = ["Label", "Features", "Score", "PredictedLabel"];
    private readonly MLContext _mlContext = new(seed: 1);
    private BatchScorer _scorer = null!;

    [SetUp]
    public void Create() => _scorer = Scorer();

    [TearDown]
    public void Dispose() => _scorer.Dispose();

    [TestCase("Score")]
    [TestCase("PredictedLabel")]
    [TestCase("Label")]
    [TestCase("Features")]
    [TestCase("Score", "Label")]
    [TestCase("PredictedLabel", "Features", "Class")]
    [TestCase]
    public void Any_columns_can_be_asked_for(params string[] columns)
    {
        var rows = Rows(100);
        Assert.That(ViewLines.Read(_scorer.Transform(rows), columns), Is.EqualTo(ViewLines.Read(ToyModels.Points.Transform(rows), columns)));
    }

    [Test]
    public void Only_what_was_asked_for_is_active_and_can_be_read()
    {
        var view = _scorer.Transform(Rows(3));
        using var cursor = view.GetRowCursor([view.Schema["Score"], view.Schema["Label"]]);
        Assert.Multiple(() =>
        {
            Assert.That(view.Schema.Where(cursor.IsColumnActive).Select(column => column.Name), Is.EquivalentTo(new[] { "Score", "Label" }));
            Assert.That(() => cursor.GetGetter<VBuffer<float>>(view.Schema["Features"]), Throws.ArgumentException.With.Message.StartsWith("Column 'Features' cannot be read"));
            Assert.That(() => cursor.GetGetter<float>(view.Schema["Score"]), Throws.InvalidOperationException);
        });
    }

    [Test]
    public void A_getter_reads_the_same_row_as_often_as_it_is_called_and_may_be_made_late()
    {
        var view = _scorer.Transform(Rows(40));
        var expected = ModelScores.ReadScores(view);
        using var cursor = view.GetRowCursor(view.Schema);
        for (var i = 0; i < 20; i++)
            Assert.That(cursor.MoveNext());
        var get = cursor.GetGetter<VBuffer<float>>(view.Schema["Score"]);
        VBuffer<float> value = default;
        for (var i = 0; i < 3; i++)
        {
            get(ref value);
            Assert.That(value.DenseValues(), Is.EqualTo(expected[19]));
        }
    }

    [Test]
    public void Values_that_were_read_stay_as_they_are_when_the_cursor_moves_on()
    {
        var view = _scorer.Transform(Rows(5 * BatchSize));
        using var cursor = view.GetRowCursor(view.Schema);
        var get = cursor.GetGetter<VBuffer<float>>(view.Schema["Features"]);
        Assert.That(cursor.MoveNext());
        VBuffer<float> first = default, other = default;
        get(ref first);
        float[] before = [.. first.DenseValues()];
        while (cursor.MoveNext())
            get(ref other);
        Assert.That(first.DenseValues(), Is.EqualTo(before));
    }

    [Test]
    public void There_is_no_row_before_the_first_and_after_the_last()
    {
        var view = _scorer.Transform(Rows(BatchSize + 1));
        using var cursor = view.GetRowCursor(view.Schema);
        var (get, id) = (cursor.GetGetter<VBuffer<float>>(view.Schema["Score"]), cursor.GetIdGetter());
        AssertNoRow();
        while (cursor.MoveNext())
            Assert.That(cursor.Position, Is.InRange(0, BatchSize));
        AssertNoRow();
        Assert.That(cursor.MoveNext(), Is.False);

        void AssertNoRow()
        {
            VBuffer<float> value = default;
            DataViewRowId row = default;
            Assert.That(cursor.Position, Is.EqualTo(-1));
            Assert.That(() => get(ref value), Throws.InvalidOperationException.With.Message.Contains("MoveNext"));
            Assert.That(() => id(ref row), Throws.InvalidOperationException);
        }
    }

    [Test]
    public void Several_cursors_are_at_rows_of_their_own()
    {
        var view = _scorer.Transform(Rows(100));
        var expected = ViewLines.Read(view, Columns);
        using var ahead = view.GetRowCursor(view.Schema);
        using var behind = view.GetRowCursor(view.Schema);
        var lines = ViewLines.Read(ahead, Columns).GetEnumerator();
        for (var i = 0; i < 50; i++)
            lines.MoveNext();
        Assert.That(ViewLines.Read(behind, Columns), Is.EqualTo(expected));
        Assert.That(lines.MoveNext());
        Assert.That(lines.Current, Is.EqualTo(expected[50]));
    }

    [Test]
    public void Sixteen_threads_read_the_same_at_the_same_time()
    {
        var view = _scorer.Transform(Rows(500));
        var expected = ViewLines.Read(ToyModels.Points.Transform(Rows(500)), Columns);
        var found = new string[16][];
        Parallel.For(0, found.Length, new ParallelOptions { MaxDegreeOfParallelism = found.Length }, i => found[i] = ViewLines.Read(view, Columns));
        Assert.That(found, Has.All.EqualTo(expected));
    }

    [Test]
    public void A_set_of_cursors_read_in_parallel_gives_every_row_once()
    {
        // A cached view divides its rows among the cursors.
        var cached = _mlContext.Data.Cache(Rows(5000));
        var expected = ModelScores.ReadLines(ToyModels.Points.Transform(cached));
        var view = _scorer.Transform(cached);
        var cursors = view.GetRowCursorSet(view.Schema, 4);
        var lines = new string[cursors.Length][];
        Parallel.For(0, cursors.Length, new ParallelOptions { MaxDegreeOfParallelism = cursors.Length }, i =>
        {
            using var cursor = cursors[i];
            lines[i] = [.. ViewLines.Read(cursor, ["Label", "Score"], withPosition: false)];
        });
        Assert.That(cursors, Has.Length.GreaterThan(1));
        Assert.That(lines.SelectMany(line => line), Is.EquivalentTo(ViewLines.Read(view, ["Label", "Score"]).Select(line => line[line.IndexOf('\t')..])));
        Assert.That(ModelScores.ReadLines(view), Is.EqualTo(expected));
    }

    [Test]
    public void A_shuffled_view_is_shuffled_in_the_same_way()
    {
        var cached = _mlContext.Data.Cache(Rows(300));
        var (expected, found) = (ToyModels.Points.Transform(cached), _scorer.Transform(cached));
        Assert.That(found.CanShuffle, Is.EqualTo(expected.CanShuffle));
        Assert.That(ViewLines.Read(found, Columns, new Random(3)), Is.EqualTo(ViewLines.Read(expected, Columns, new Random(3))));
    }

    [Test]
    public void It_knows_the_number_of_rows_that_its_source_knows()
    {
        Assert.That(_scorer.Transform(Rows(7)).GetRowCount(), Is.EqualTo(Rows(7).GetRowCount()));
        Assert.That(_scorer.Transform(_mlContext.Data.FilterRowsByMissingValues(Rows(7), "Features")).GetRowCount(), Is.Null);
    }

    [Test]
    public void Rows_are_read_only_as_far_ahead_as_a_batch()
    {
        var read = 0;
        // Without the step that makes keys of labels, for which ML.NET itself reads ahead.
        using var scorer = _mlContext.Model.CreateBatchScorer(ToyModels.Points.LastTransformer, Rows(1).Schema, new BatchScoringOptions { BatchSize = BatchSize });
        var view = scorer.Transform(_mlContext.Data.LoadFromEnumerable(Counted()));
        using (var cursor = view.GetRowCursor(view.Schema))
        {
            for (var i = 0; i < BatchSize; i++)
                Assert.That(cursor.MoveNext());
            Assert.That(read, Is.EqualTo(BatchSize));
            Assert.That(cursor.MoveNext());
        }

        Assert.That(read, Is.EqualTo(2 * BatchSize));

        IEnumerable<ToyPoint<string>> Counted()
        {
            foreach (var point in ToyData.Points(1000))
            {
                read++;
                yield return point;
            }
        }
    }

    [TestCase(0)]
    [TestCase(3)]
    [TestCase(20)]
    public void The_rows_before_one_that_cannot_be_read_are_given_first(int bad)
    {
        var points = ToyData.Points(100);
        points[bad].Features = [1, 2, 3];
        var view = _scorer.Transform(_mlContext.View(points));
        using var cursor = view.GetRowCursor([view.Schema["Score"]]);
        for (var i = 0; i < bad; i++)
            Assert.That(cursor.MoveNext());
        Assert.That(() => cursor.MoveNext(), Throws.InvalidOperationException.With.Message.EqualTo(
            FormattableString.Invariant($"Column 'Features' must hold 4 values in each row; row {bad} (counted from 0) holds 3. Correct or leave out the row.")));
    }

    [Test]
    public void Reading_can_end_early_and_a_disposed_cursor_has_no_rows()
    {
        var view = _scorer.Transform(Rows(100));
        var cursor = view.GetRowCursor(view.Schema);
        Assert.That(cursor.MoveNext());
        cursor.Dispose();
        cursor.Dispose();
        Assert.That(cursor.MoveNext(), Is.False);
        Assert.That(ViewLines.Read(_mlContext.Data.TakeRows(view, 5), Columns), Is.EqualTo(ViewLines.Read(view, Columns)[..5]));
    }

    [Test]
    public void An_open_cursor_of_a_disposed_scorer_is_read_to_its_end_but_no_other_is_opened()
    {
        var scorer = Scorer();
        var view = scorer.Transform(Rows(100));
        var expected = ViewLines.Read(view, Columns);
        using var cursor = view.GetRowCursor(view.Schema);
        Assert.That(cursor.MoveNext());
        scorer.Dispose();
        scorer.Dispose();
        Assert.That(ViewLines.Read(cursor, Columns), Is.EqualTo(expected[1..]));
        Assert.That(() => view.GetRowCursor(view.Schema), Throws.TypeOf<ObjectDisposedException>());
        Assert.That(() => scorer.Transform(Rows(1)), Throws.TypeOf<ObjectDisposedException>());
        Assert.That(() => scorer.Score(new float[4], new float[3]), Throws.TypeOf<ObjectDisposedException>());
    }

    private BatchScorer Scorer() => _mlContext.Model.CreateBatchScorer(ToyModels.Points, Rows(1).Schema, new BatchScoringOptions { BatchSize = BatchSize });

    private IDataView Rows(int count) => _mlContext.View(ToyData.Points(count, seed: 3));
}
