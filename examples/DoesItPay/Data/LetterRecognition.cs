using System.Globalization;

namespace DoesItPay.Data;

/// <summary>Letter recognition (UCI): the label, then 16 whole numbers.</summary>
internal static class LetterRecognition
{
    private const int TrainingRows = 16_000; // the split of the data set's own paper

    public static DataSet Load(string folder)
    {
        Record[] rows = [.. Files.Lines(folder, "letter-recognition", "letter-recognition.data").Select(line => line.Split(',')).Select(cells => new Record
        {
            Label = cells[0],
            Numbers = [.. cells.Skip(1).Select(cell => float.Parse(cell, CultureInfo.InvariantCulture))],
        })];
        return new DataSet("letter", "letter-recognition", rows[..TrainingRows], rows[TrainingRows..]);
    }
}
