using System.Globalization;

namespace DoesItPay.Data;

/// <summary>Dry bean (UCI): a header, then 16 numbers and the class; the rows are sorted by class, so the test rows are drawn.</summary>
internal static class DryBean
{
    public static DataSet Load(string folder)
    {
        var rows = Files.Lines(folder, "dry-bean", "dry-bean.csv").Skip(1).Select(line => line.Split(',')).Select(cells => new Record
        {
            Label = cells[^1],
            Numbers = [.. cells[..^1].Select(cell => float.Parse(cell, CultureInfo.InvariantCulture))],
        });
        var (test, train) = Sample.Split([.. rows], Files.TestShare, Files.TestSeed);
        return new DataSet("dry-bean", "dry-bean", train, test);
    }
}
