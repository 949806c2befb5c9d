using Microsoft.ML;
using MlNetDistill.Methods;
using MlNetDistill.Networks;

namespace Quickstart.Data;

/// <summary>The three kinds of data that this program can use, each with suitable networks and settings.</summary>
internal static class Workloads
{
    public static Workload From(Settings settings, MLContext mlContext) => settings switch
    {
        { Data: null, Label: null } => Digits(mlContext, settings),
        { Data: null } => throw new UsageException("--label names a column of the CSV file given by --data, and there is no --data."),
        { Data: { } folder, Label: null } when Directory.Exists(folder) => FashionMnist(mlContext, settings, folder),
        { Data: { } folder } when Directory.Exists(folder) => throw new UsageException($"'{folder}' is a folder of images, which takes no --label."),
        { Data: { } file } when !File.Exists(file) => throw new UsageException($"--data must be followed by a folder or a file; there is no '{file}'."),
        { Data: { } file, Label: { } label } => Csv(mlContext, settings, file, label),
        _ => throw new UsageException("A CSV file needs --label: the name of its column, or its index from 0 where the file has no header."),
    };

    private static Workload Digits(MLContext mlContext, Settings settings)
    {
        // Two painters, so that the test images are drawn with another seed.
        var train = new DigitPainter(2 * settings.Seed).Draw(settings.Quick ? 2000 : 6000);
        var test = new DigitPainter((2 * settings.Seed) + 1).Draw(settings.Quick ? 500 : 4000);
        return Images(mlContext, settings, [.. train], [.. test], DigitPainter.Side, DigitPainter.Side) with
        {
            Title = "Distorted digits, drawn by this program",
            Teacher = NetworkSpec.ResNet(8, 16, 16, 32, 64),
            Student = NetworkSpec.ResNet(8, 4, 4, 8, 16),
            Epochs = settings.Epochs ?? (settings.Quick ? 4 : 15),
        };
    }

    private static Workload FashionMnist(MLContext mlContext, Settings settings, string folder)
    {
        var (train, height, width) = IdxImages.Read(folder, "train", settings.Quick ? 2000 : int.MaxValue);
        var (test, _, _) = IdxImages.Read(folder, "t10k", settings.Quick ? 500 : int.MaxValue);
        return Images(mlContext, settings, train, test, height, width) with
        {
            Title = "Images from IDX files",
            Teacher = NetworkSpec.ResNet(8, 32, 32, 64, 128),
            Student = NetworkSpec.ResNet(8, 8, 8, 16, 32),
            Epochs = settings.Epochs ?? 2,
        };
    }

    private static Workload Csv(MLContext mlContext, Settings settings, string file, string label)
    {
        var rows = CsvTable.Read(mlContext, file, label);
        var (train, test) = CsvTable.Split(rows);
        // Unlike bytes, measurements have different units and ranges; a network learns faster from columns with the same range.
        var preparation = ClassKeys(mlContext).Append(mlContext.Transforms.NormalizeMeanVariance("Scaled", "Features", fixZero: false));
        return Create(mlContext, settings, train, test, preparation, rows[0].Features.Length) with
        {
            Title = "Rows of a CSV file",
            FeatureColumnName = "Scaled",
            Teacher = NetworkSpec.Mlp(512, 512),
            Student = NetworkSpec.Mlp(128),
            Optimizer = Optimizer.Sgd(0.1, weightDecay: 1e-4),
            Epochs = settings.Epochs ?? (settings.Quick ? 4 : 40),
        };
    }

    private static Workload Images(MLContext mlContext, Settings settings, Row<byte>[] train, Row<byte>[] test, int height, int width) =>
        Create(mlContext, settings, train, test, ClassKeys(mlContext), 1, height, width);

    private static Workload Create<T>(MLContext mlContext, Settings settings, Row<T>[] train, Row<T>[] test, IEstimator<ITransformer> preparation, params int[] dimensions) => new()
    {
        Title = "",
        Train = Row<T>.View(mlContext, train, dimensions),
        Test = Row<T>.View(mlContext, test, dimensions),
        Preparation = preparation,
        FeatureColumnName = "Features",
        Teacher = NetworkSpec.Mlp(),
        Student = NetworkSpec.Mlp(),
        Optimizer = Optimizer.Sgd(0.1, weightDecay: 5e-4),
        Epochs = 1,
        // A quick run has few rows; with small batches they are still enough steps.
        BatchSize = settings.Quick ? 32 : 128,
        CostOf = zip => mlContext.Model.MeasureCost(zip, test.Take(1000), inputSchemaDefinition: Row<T>.Schema(dimensions)),
    };

    private static IEstimator<ITransformer> ClassKeys(MLContext mlContext) => mlContext.Transforms.Conversion.MapValueToKey("Class", "Label");
}
