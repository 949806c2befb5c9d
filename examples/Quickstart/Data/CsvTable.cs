using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace Quickstart.Data;

/// <summary>Reads a table of numbers with a label column.</summary>
internal static class CsvTable
{
    /// <summary>The rows of a file, read by ML.NET's text loader.</summary>
    /// <param name="mlContext">Where the loader comes from.</param>
    /// <param name="file">Fields separated by commas, semicolons or tabs.</param>
    /// <param name="label">The label's name in the header, or its index from 0.</param>
    public static Row<float>[] Read(MLContext mlContext, string file, string label)
    {
        string[] lines = [.. File.ReadLines(file).Where(line => line.Length > 0).Take(2)];
        if (lines.Length < 2)
            throw new UsageException($"'{file}' has {lines.Length} lines; more are needed to train.");
        var separator = ",;\t".FirstOrDefault(lines[0].Contains, ',');
        var first = Fields(lines[0], separator);
        var labelIndex = IndexOf(label, first, file);
        // A first line with text in a column of numbers is a header.
        var hasHeader = Numbers(first, labelIndex) < first.Length - 1;
        if (first.Length < 2 || Numbers(Fields(lines[1], separator), labelIndex) < first.Length - 1)
            throw new UsageException($"All columns of '{file}' except the label must be numbers, and there must be at least one; its second line is: {lines[1]}");
        var loader = mlContext.Data.CreateTextLoader(new TextLoader.Options
        {
            Columns = [new("Label", DataKind.String, labelIndex), new("Features", DataKind.Single, AllBut(labelIndex, first.Length))],
            HasHeader = hasHeader,
            Separators = [separator],
            AllowQuoting = true,
        });
        return [.. mlContext.Data.CreateEnumerable<Row<float>>(loader.Load(file), reuseRowObject: false)];
    }

    /// <summary>The first 80 % of the rows to train and the rest to test, as is usual for shuffled tables.</summary>
    public static (Row<float>[] Train, Row<float>[] Test) Split(Row<float>[] rows)
    {
        var (train, test) = (rows[..(rows.Length * 4 / 5)], rows[(rows.Length * 4 / 5)..]);
        // If the table is sorted by its label, the test rows have other classes than the training rows, and the model seems bad.
        var labels = rows.Select(row => row.Label).Distinct();
        var difference = labels.Sum(label => Math.Abs(Share(train, label) - Share(test, label))) / 2;
        return difference < 0.3
            ? (train, test)
            : throw new UsageException(
                "The first 80 % of the rows train and the rest test, but these parts have different labels: the file seems to be sorted. Shuffle its lines first.");
    }

    private static double Share(Row<float>[] rows, string label) => rows.Count(row => row.Label == label) / (double)rows.Length;

    private static int IndexOf(string label, string[] fields, string file)
    {
        var index = int.TryParse(label, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : Array.IndexOf(fields, label);
        return index >= 0 && index < fields.Length
            ? index
            : throw new UsageException($"--label must be the name or the index of a column; found '{label}', and the first line of '{file}' is: {string.Join(", ", fields)}");
    }

    private static string[] Fields(string line, char separator) => [.. line.Split(separator).Select(field => field.Trim().Trim('"'))];

    private static int Numbers(string[] fields, int labelIndex) =>
        fields.Where((field, i) => i != labelIndex && float.TryParse(field, NumberStyles.Float, CultureInfo.InvariantCulture, out _)).Count();

    private static TextLoader.Range[] AllBut(int index, int count) => (index, count - 1) switch
    {
        (0, var last) => [new(1, last)],
        var (i, last) when i == last => [new(0, last - 1)],
        var (i, last) => [new(0, i - 1), new(i + 1, last)],
    };
}
