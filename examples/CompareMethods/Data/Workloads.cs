using Microsoft.ML;
using MlNetDistill.Networks;
using Quickstart.Data;

namespace CompareMethods.Data;

/// <summary>The four kinds of data that this program can use, each with suitable networks and epochs.</summary>
internal static class Workloads
{
    // Rows and epochs of a quick run: enough for each method to run all of its stages.
    private const int QuickTrainRows = 400;
    private const int QuickTestRows = 400;
    private const int QuickEpochs = 12;

    public static Workload From(Settings settings, MLContext mlContext) => settings.Data switch
    {
        null => Digits(mlContext, settings),
        var folder when Directory.Exists(folder) && CifarRecords.AreIn(folder) => Cifar(mlContext, settings, folder),
        var folder when Directory.Exists(folder) => FashionMnist(mlContext, settings, folder),
        var file when File.Exists(file) => Letters(mlContext, settings, file),
        var path => throw new UsageException($"--data must be followed by a folder or a file; there is no '{path}'."),
    };

    private static Workload Digits(MLContext mlContext, Settings settings)
    {
        // Two painters, so that the test images are drawn with another seed.
        var train = new DigitPainter(2).Draw(settings.Rows ?? (settings.Quick ? QuickTrainRows : 6000));
        var test = new DigitPainter(3).Draw(TestRows(settings, 4000));
        return Create(mlContext, settings, [.. train.Select(AsFloats)], [.. test.Select(AsFloats)], DigitPainter.Side * DigitPainter.Side) with
        {
            Title = "Distorted digits, drawn by this program",
            Teacher = NetworkSpec.Mlp(256, 128),
            TeacherEmbedding = 128,
            Student = NetworkSpec.Mlp(24, 16),
            StudentStages = 2,
            TeacherEpochs = Epochs(settings, 36),
            Epochs = settings.Epochs ?? Epochs(settings, 36),
        };
    }

    private static Workload Letters(MLContext mlContext, Settings settings, string file)
    {
        const int TrainingRows = 16_000; // the split of the data set's own paper
        var rows = CsvTable.Read(mlContext, file, "0");
        if (rows.Length <= TrainingRows)
            throw new UsageException($"--data must name letter-recognition.data, which has test rows after the first {TrainingRows:N0} rows; '{file}' has {rows.Length:N0} rows.");
        var scaling = mlContext.Transforms.NormalizeMeanVariance("Scaled", "Features", fixZero: false);
        var train = rows[..Math.Min(TrainingRows, TrainRows(settings))];
        var test = rows[TrainingRows..];
        return Create(mlContext, settings, train, test[..Math.Min(test.Length, TestRows(settings, test.Length))], [rows[0].Features.Length], scaling) with
        {
            Title = "letter-recognition",
            FeatureColumnName = "Scaled",
            Teacher = NetworkSpec.Mlp(512, 512),
            TeacherEmbedding = 512,
            Student = NetworkSpec.Mlp(128),
            StudentStages = 1,
            TeacherEpochs = Epochs(settings, 36),
            Epochs = settings.Epochs ?? Epochs(settings, 60),
        };
    }

    private static Workload FashionMnist(MLContext mlContext, Settings settings, string folder)
    {
        var (train, height, width) = IdxImages.Read(folder, "train", TrainRows(settings));
        var (test, _, _) = IdxImages.Read(folder, "t10k", TestRows(settings, int.MaxValue));
        return Create(mlContext, settings, train, test, 1, height, width) with
        {
            Title = "Images from IDX files",
            Teacher = NetworkSpec.ResNet(8, 32, 32, 64, 128),
            TeacherEmbedding = 128,
            Student = NetworkSpec.ResNet(8, 8, 8, 16, 32),
            Epochs = settings.Epochs ?? Epochs(settings, 12),
        };
    }

    private static Workload Cifar(MLContext mlContext, Settings settings, string folder)
    {
        var train = CifarRecords.Read(folder, "train", TrainRows(settings));
        var test = CifarRecords.Read(folder, "test", TestRows(settings, int.MaxValue));
        return Create(mlContext, settings, train, test, CifarRecords.Channels, CifarRecords.Side, CifarRecords.Side) with
        {
            Title = "CIFAR-100, fine labels",
            Teacher = NetworkSpec.ResNet(20, 16, 16, 32, 64),
            TeacherEmbedding = 64,
            Student = NetworkSpec.ResNet(8, 8, 8, 16, 32),
            TeacherEpochs = Epochs(settings, 36),
            Epochs = settings.Epochs ?? Epochs(settings, 24),
        };
    }

    private static Workload Create<T>(MLContext mlContext, Settings settings, Row<T>[] train, Row<T>[] test, params int[] dimensions) =>
        Create(mlContext, settings, train, test, dimensions, null);

    private static Workload Create<T>(
        MLContext mlContext, Settings settings, Row<T>[] train, Row<T>[] test, int[] dimensions, IEstimator<ITransformer>? scaling)
    {
        IEstimator<ITransformer> keys = mlContext.Transforms.Conversion.MapValueToKey("Class", "Label");
        var rows = Row<T>.View(mlContext, train, dimensions);
        // Fitted once: all students, and the teacher, read the same columns.
        var preparation = (scaling is null ? keys : keys.Append(scaling)).Fit(rows);
        return new Workload
        {
            Title = "",
            Train = preparation.Transform(rows),
            Test = preparation.Transform(Row<T>.View(mlContext, test, dimensions)),
            TrainRows = train.Length,
            TestRows = test.Length,
            FeatureColumnName = "Features",
            Teacher = NetworkSpec.Mlp(),
            TeacherEmbedding = 0,
            Methods = settings.Methods,
            Student = NetworkSpec.Mlp(),
            StudentStages = 3,
            TeacherEpochs = Epochs(settings, 12),
            Epochs = 1,
            // A quick run has few rows; with small batches they are still enough steps.
            Tries = settings.Quick ? 1 : 3,
            BatchSize = settings.Quick ? 32 : 128,
            // A perceptron's steps are so small that several threads wait for each other longer than they compute, on a busy machine many times longer.
            Threads = dimensions.Length == 1 || settings.Quick ? 1 : null,
        };
    }

    private static int Epochs(Settings settings, int usual) => settings.Quick ? QuickEpochs : usual;

    private static int TrainRows(Settings settings) => settings.Rows ?? (settings.Quick ? QuickTrainRows : int.MaxValue);

    private static int TestRows(Settings settings, int usual) => settings.Quick ? QuickTestRows : usual;

    private static Row<float> AsFloats(Row<byte> image) => new() { Label = image.Label, Features = [.. image.Features.Select(pixel => pixel / 255f)] };
}
