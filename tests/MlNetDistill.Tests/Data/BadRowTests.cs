using Microsoft.ML;
using MlNetDistill.Tests.Support;

namespace MlNetDistill.Tests.Data;

public sealed class BadRowTests
{
    private readonly MLContext _context = Rows.Context();

    [Test]
    public void Empty_data_are_refused() => Refuses(
        Rows.Quick(),
        _context.Data.FilterRowsByColumn(_context.Keyed(Rows.Points(12)), "Weight", lowerBound: 5),
        "The training data have no rows. Check the file or the filter that they come from.");

    [Test]
    public void Rows_of_one_class_only_are_refused_and_the_class_is_named() => Refuses(
        Rows.Quick() with { MissingLabels = MissingLabels.Drop },
        KeyedAfter(Rows.Points(30), p => p.Label = p.Label == "birch" ? "birch" : "?"),
        "Every labelled row is of class 'birch' (column 'Class'); a classifier needs rows of at least 2 classes. " +
        "Check the filter or the sampling that the rows come from.");

    [Test]
    public void NaN_and_infinite_features_are_counted_and_the_first_rows_are_named()
    {
        var rows = Rows.Points(30);
        foreach (var i in new[] { 3, 8, 9, 12, 20, 21, 29 })
            rows[i].Features[i % 4] = i % 2 == 0 ? float.NaN : float.PositiveInfinity;
        Refuses(Rows.Quick(), _context.Keyed(rows),
            "Column 'Features' has NaN or infinite values in 7 (rows 3, 8, 9, 12, 20, …, counted from 0) of 30 rows. Replace them with " +
            "mlContext.Transforms.ReplaceMissingValues, or set MissingFeatures to Drop to leave such rows out.");
    }

    [Test]
    public void A_row_that_the_source_fails_to_give_is_named()
    {
        static IEnumerable<Point> Torn() => Rows.Points(30).Select((row, i) => i < 5 ? row : throw new IOException("The disk is gone."));
        var keys = _context.Transforms.Conversion.MapValueToKey("Class", "Label").Fit(_context.Data.LoadFromEnumerable(Rows.Points(30)));
        Refuses(Rows.Quick(), keys.Transform(_context.Data.LoadFromEnumerable(Torn())),
            "Row 5 (counted from 0) of the training data cannot be read: \"The disk is gone.\". Correct or leave out what the row is made from.");
    }

    [Test]
    public void Data_without_one_usable_row_are_refused_even_where_dropping_is_asked_for()
    {
        var rows = Rows.Points(6);
        foreach (var row in rows)
            row.Features[0] = float.NaN;
        Refuses(Rows.Quick() with { MissingFeatures = MissingFeatures.Drop }, _context.Keyed(rows),
            "None of the 6 rows of the training data is usable: 0 have no label in column 'Class', 6 have NaN or infinite values in column 'Features'. " +
            "Check the steps that make these columns.");
    }

    [TestCase(-1f, "-1")]
    [TestCase(float.NaN, "NaN")]
    [TestCase(float.PositiveInfinity, "Infinity")]
    public void A_weight_that_is_no_weight_is_refused_with_its_row(float weight, string found)
    {
        var rows = Rows.Points(12);
        rows[7].Weight = weight;
        Refuses(Rows.Quick() with { ExampleWeightColumnName = "Weight" }, _context.Keyed(rows),
            $"Column 'Weight' must hold finite weights of at least 0; row 7 (counted from 0) has {found}. " +
            "Correct the weight; to leave the row out, give it weight 0.");
    }

    [Test]
    public void Weights_that_are_all_zero_are_refused()
    {
        var rows = Rows.Points(12);
        foreach (var row in rows)
            row.Weight = 0;
        Refuses(Rows.Quick() with { ExampleWeightColumnName = "Weight" }, _context.Keyed(rows),
            "Column 'Weight' gives every labelled row of the training data weight 0, so no row counts. " +
            "Give some labelled rows a weight above 0, or leave out ExampleWeightColumnName.");
    }

    [Test]
    public void Missing_labels_are_counted_and_the_first_rows_are_named()
    {
        var rows = Rows.Points(30);
        var view = KeyedAfter(rows, p => p.Label = p == rows[4] || p == rows[17] ? "?" : p.Label);
        Refuses(Rows.Quick(), view,
            "Column 'Class' has no label in 2 (rows 4, 17, counted from 0) of 30 rows. Set MissingLabels to Drop to leave such rows out, " +
            "or to TeacherOnly to let them learn from the teacher alone.");
    }

    [Test]
    public void Data_without_one_label_are_refused_where_they_are_to_be_dropped()
    {
        var view = KeyedAfter(Rows.Points(30), p => p.Label = "?");
        Refuses(Rows.Quick(_context.Saying(view, RowsTeachers.Rule)) with { MissingLabels = MissingLabels.Drop }, view,
            "None of the 30 rows of the training data is usable: 30 have no label in column 'Class', 0 have NaN or infinite " +
            "values in column 'Features'. Check the steps that make these columns. Rows without a label learn from the teacher with MissingLabels.TeacherOnly.");
    }

    private IDataView KeyedAfter(Point[] rows, Action<Point> change)
    {
        var toKey = _context.Transforms.Conversion.MapValueToKey("Class", "Label").Fit(_context.Data.LoadFromEnumerable(Rows.Points(3)));
        foreach (var row in rows)
            change(row);
        return toKey.Transform(_context.Data.LoadFromEnumerable(rows));
    }

    private void Refuses(DistillationOptions options, IDataView view, string message) =>
        Assert.That(() => _context.Fit(options, view), Throws.InvalidOperationException.With.Message.EqualTo(message));
}
