using System.Globalization;

namespace DoesItPay.Data;

/// <summary>Adult (UCI), with two classes: a header, then six numbers and eight texts in turn, and the class. Missing texts are a category of their own.</summary>
internal static class Adult
{
    private static readonly int[] Numbers = [0, 2, 4, 10, 11, 12];
    private static readonly int[] Texts = [1, 3, 5, 6, 7, 8, 9, 13];

    public static DataSet Load(string folder)
    {
        var rows = Files.Lines(folder, "adult", "adult.txt").Skip(1).Select(line => line.Split(',', StringSplitOptions.TrimEntries)).Select(cells => new Record
        {
            Label = cells[14],
            Numbers = [.. Numbers.Select(i => float.Parse(cells[i], CultureInfo.InvariantCulture))],
            Texts = [.. Texts.Select(i => cells[i])],
        });
        var (test, train) = Sample.Split([.. rows], Files.TestShare, Files.TestSeed);
        return new DataSet("adult", "adult", train, test);
    }
}
