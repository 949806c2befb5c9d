using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Tests.Support;

namespace MlNetDistill.Tests.Transfer;

/// <summary>A row with columns of several kinds, of which the class depends on the first two.</summary>
internal sealed class MixedRow
{
    public string Label { get; set; } = "";

    public float Size { get; set; }

    public string Colour { get; set; } = "";

    public int Count { get; set; }

    public byte Level { get; set; }

    public bool Flag { get; set; }

    [VectorType(2)]
    public double[] Pair { get; set; } = [];

    public DateTime Day { get; set; }
}

internal static class TransferData
{
    private static readonly string[] Colours = ["red", "green", "blue"];

    public static MixedRow[] Mixed(int rows = 60, int seed = 3)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, rows).Select(i => new MixedRow
        {
            Label = Rows.Classes[i % 3],
            Size = (i % 3) + (0.5f * random.NextSingle()),
            Colour = Colours[(i + (random.Next(5) == 0 ? 1 : 0)) % 3],
            Count = random.Next(20),
            Level = (byte)random.Next(256),
            Flag = random.Next(2) == 1,
            Pair = [random.NextDouble(), 10 * random.NextDouble()],
            Day = new DateTime(2000, 1, 1).AddDays(i),
        })];
    }

    /// <summary>The steps before the student: a key column Class and the vector Features of all columns but the day.</summary>
    public static IEstimator<ITransformer> Steps(this MLContext context) => context.Transforms.Conversion.MapValueToKey("Class", "Label")
        .Append(context.Transforms.Categorical.OneHotEncoding("ColourBits", "Colour"))
        .Append(context.Transforms.Conversion.ConvertType([
            new InputOutputColumnPair("CountNumber", "Count"), new InputOutputColumnPair("LevelNumber", "Level"), new InputOutputColumnPair("FlagNumber", "Flag"),
            new InputOutputColumnPair("PairNumbers", "Pair")]))
        .Append(context.Transforms.Concatenate("Raw", "Size", "ColourBits", "CountNumber", "LevelNumber", "FlagNumber", "PairNumbers"))
        .Append(context.Transforms.NormalizeMinMax("Features", "Raw"));

    public static IDataView View(this MLContext context, MixedRow[] rows) => context.Data.LoadFromEnumerable(rows);

    /// <summary>Made-up rows, by their loaded columns.</summary>
    public static IDataView MakeUp(this MLContext context, TransferRows transfer, IDataView view, Func<DistillationOptions, DistillationOptions>? change = null) =>
        context.MulticlassClassification.Trainers.Distill((change ?? (o => o))(Rows.Quick(Teacher.Train(NetworkSpecs)) with { TransferRows = transfer })).MakeTransferRows(view);

    private static Networks.NetworkSpec NetworkSpecs => Networks.NetworkSpec.Mlp(4);
}
