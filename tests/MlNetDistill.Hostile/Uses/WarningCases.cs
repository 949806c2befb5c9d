using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Core;
using MlNetDistill.Data;
using MlNetDistill.Methods;
using MlNetDistill.Networks;

namespace MlNetDistill.Hostile.Uses;

/// <summary>Trainings that come to nothing: each is told with its value and its remedy. And pictures that are broken or in another order.</summary>
internal static class WarningCases
{
    private const int Side = 8;

    public static IEnumerable<Case> All => [.. Trainings(), .. Pictures(), .. Leftovers()];

    private static IEnumerable<Case> Trainings()
    {
        foreach (var rate in new[] { 10.0, 1e4, 1e8 })
        {
            yield return Case.WorksOrTold(FormattableString.Invariant($"SGD at {rate}"), () => Sample.Learns(Sample.Learning() with
            {
                Optimizer = Optimizer.Sgd(rate),
                Schedule = LearningRateSchedule.Constant(),
            }), "LearningRate");
            yield return Case.WorksOrTold(FormattableString.Invariant($"AdamW at {rate}"), () => Sample.Learns(Sample.Learning() with
            {
                Optimizer = Optimizer.AdamW(rate),
                Schedule = LearningRateSchedule.Constant(),
            }), "LearningRate");
        }

        yield return Case.Told("a learning rate of 1e-12", () => Sample.Fit(Sample.Learning() with { Optimizer = Optimizer.AdamW(1e-12) }), "LearningRate");
        yield return Case.Told("one step in all", () => Sample.Fit(Sample.Short() with { BatchSize = 120 }), "Epochs");
        yield return Case.Told("features that are all the same", () => Sample.Fit(Sample.Learning(), Featured(_ => [1, 2, 3, 4])), "Features");
        yield return Case.Told("features that are zeros", () => Sample.Fit(Sample.Learning(), Featured(_ => [0, 0, 0, 0])), "Features");
        yield return Case.WorksOrTold("features of very different scales", () =>
        {
            var view = Featured(row => [row.Features[0] * 1e6f, row.Features[1] * 1e-6f, row.Features[2], 1e7f]);
            Check.AtLeast(Sample.Fit(Sample.Learning(), view).AccuracyOn(Rows.Points(120), view), 0.9, "accuracy");
        }, "Features");
        yield return Case.Told("labels that have nothing to do with the features", () =>
        {
            var noise = new Random(1);
            Sample.Fit(Sample.Learning() with { Epochs = 3, ValidationFraction = 0.3 }, Featured(row => [.. row.Features.Select(_ => noise.NextSingle())]));
        }, "student", "held-out rows");
        yield return Case.Told("a share held out that leaves nothing", () => Sample.Fit(Sample.Short() with { ValidationFraction = 0.99 }, Sample.Points(120)), "ValidationFraction");
        yield return Case.Told("a share held out that is less than a row", () => Sample.Fit(Sample.Short() with { ValidationFraction = 0.001 }, Sample.Points(120)), "ValidationFraction");
        yield return Case.Told("a gradient clipped to 1e-12", () => Sample.Fit(Sample.Learning() with { GradientClipping = 1e-12, Optimizer = Optimizer.Sgd() }), "GradientClipping");
        yield return Case.WorksOrTold("a temperature of 1e6", () => Sample.Learns(Sample.Learning(Sample.Teaching()) with { Method = DistillationMethod.Kd(temperature: 1e6, alpha: 1) }), "temperature");
        yield return Case.WorksOrTold("a temperature of 1e-6", () => Sample.Learns(Sample.Learning(Sample.Teaching()) with { Method = DistillationMethod.Kd(temperature: 1e-6, alpha: 1) }), "temperature");
        yield return Case.Works("little data with defaults", () =>
        {
            var view = Log.Context().Data.LoadFromEnumerable(Rows.Points(150));
            var context = Log.Context();
            var model = context.Transforms.Conversion.MapValueToKey("Class", "Label").Append(context.MulticlassClassification.Trainers.Distill(
                NetworkSpec.Mlp(16), DistillationMethod.LabelsOnly(), "Class")).Fit(view);
            var scored = model.Transform(view);
            var right = scored.GetColumn<uint>("Class").Zip(scored.GetColumn<uint>("PredictedLabel"), (a, b) => a == b ? 1.0 : 0).Average();
            Check.That(right > 0.9 || Log.Warnings.Any(line => line.Contains("step", StringComparison.OrdinalIgnoreCase)), $"accuracy {right} without a word");
        });
        yield return Case.Told("DIST with two classes", () => Sample.Fit(Sample.Short(Sample.Saying(_ => [0.5f, 0.4f, 0.1f])) with { Method = DistillationMethod.Dist() },
            Log.Context().Keyed(Rows.Points(120).Where(row => row.Label != "cedar"))), "2");
        yield return Case.Told("a preflight of what cannot be learnt", () => Sample.Trainer(Sample.Short()).Preflight(Featured(_ => [1, 1, 1, 1])), "Features");
    }

    private static IDataView Featured(Func<Point, float[]> features) =>
        Log.Context().Keyed([.. Rows.Points(120).Select(row => new Point { Label = row.Label, Features = features(row) })]);

    private static IEnumerable<Case> Pictures()
    {
        yield return Case.WorksOrRefused("interleaved pixels with a shape of planes", () =>
        {
            var view = Painted([Side, Side, 3]);
            var student = Sample.Fit(Images() with { ImageShape = InputShape.Image(3, Side, Side) }, view);
            var planes = Painted([3, Side, Side]);
            Check.That(student.Scores(view).Zip(Sample.Fit(Images() with { ImageShape = InputShape.Image(3, Side, Side) }, planes).Scores(planes)).All(p => p.First.SequenceEqual(p.Second)), "pixels were permuted");
        }, "Pixels");
        yield return Case.Refused("an image shape of another length", () => Sample.Fit(Images() with { ImageShape = InputShape.Image(3, 9, 9) }, Painted([3, Side, Side])), "3×9×9", "192");
        yield return Case.Refused("an image shape turned by a quarter", () => Sample.Fit(Images() with { ImageShape = InputShape.Image(3, 4, 16), Student = NetworkSpec.Mlp(4) }, Painted([3, Side, Side])), "3×4×16", "3, 8, 8");
        yield return Case.WorksOrRefused("batches of one picture with batch normalisation", () => Sample.Fit(Images() with { BatchSize = 1 }, Painted([3, Side, Side])), "BatchSize");
        yield return Case.Refused("crops by 2 billion", () => Sample.Fit(Images() with { Augmentations = [Augmentation.RandomCrop(int.MaxValue)] }, Painted([3, Side, Side])), "padding", "3×8×8");
        yield return Case.Refused("images without a shape", () => Sample.Fit(Images(), Painted([3 * Side * Side])), "ImageShape");
        foreach (var (what, bytes) in new (string, byte[])[] { ("empty", []), ("a text", "no picture"u8.ToArray()), ("cut short", [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0, 0]) })
        {
            yield return Case.Refused($"a picture file that is {what}", () => InFolder(folder => Sample.Fit(Images(), Loaded(folder, bytes))), "7.png");
            yield return Case.Works($"a picture file that is {what}, dropped", () => InFolder(folder => Sample.Fit(Images() with { MissingFeatures = MissingFeatures.Drop }, Loaded(folder, bytes))));
        }

        yield return Case.Refused("a picture file that is missing", () => InFolder(folder => Sample.Fit(Images(), Loaded(folder, null))), "7.png");
    }

    private static DistillationOptions Images() => Sample.Short() with { Student = NetworkSpec.ResNet(8, 2, 2, 4), FeatureColumnName = "Pixels" };

    private static IDataView Painted(int[] dimensions)
    {
        var context = Log.Context();
        var definition = SchemaDefinition.Create(typeof(Picture));
        definition["Pixels"].ColumnType = new VectorDataViewType(NumberDataViewType.Byte, dimensions);
        var random = new Random(1);
        var view = context.Data.LoadFromEnumerable(
            Enumerable.Range(0, 60).Select(i =>
            {
                var planes = Enumerable.Range(0, 3 * Side * Side).Select(p => (byte)(random.Next(60) + (p / (Side * Side) == i % 3 ? 150 : 0))).ToArray();
                var interleaved = dimensions is [_, _, 3];
                return new Picture { Label = Rows.Classes[i % 3], Pixels = interleaved ? [.. Enumerable.Range(0, planes.Length).Select(p => planes[(p % 3 * Side * Side) + (p / 3)])] : planes };
            }).ToArray(), definition);
        return context.Transforms.Conversion.MapValueToKey("Class", "Label").Fit(view).Transform(view);
    }

    private static IDataView Loaded(string folder, byte[]? broken)
    {
        var context = Log.Context();
        var random = new Random(1);
        var rows = Enumerable.Range(0, 30).Select(i =>
        {
            var pixels = new byte[Side * Side * 4];
            random.NextBytes(pixels);
            using var image = MLImage.CreateFromPixels(Side, Side, MLPixelFormat.Bgra32, pixels);
            image.Save(Path.Combine(folder, $"{i}.png"));
            return new PictureFile { Label = Rows.Classes[i % 3], File = $"{i}.png" };
        }).ToArray();
        if (broken is null)
            File.Delete(Path.Combine(folder, "7.png"));
        else
            File.WriteAllBytes(Path.Combine(folder, "7.png"), broken);
        var view = context.Data.LoadFromEnumerable(rows);
        return context.Transforms.Conversion.MapValueToKey("Class", "Label").Append(context.Transforms.LoadImages("Image", folder, "File"))
            .Append(context.Transforms.ResizeImages("Image", Side, Side)).Append(context.Transforms.ExtractPixels("Pixels", "Image", outputAsFloatArray: false)).Fit(view).Transform(view);
    }

    private static IEnumerable<Case> Leftovers()
    {
        yield return Case.Refused("a student saved where no folder is", () => Sample.Fit(Sample.Short()).SaveAtomically("/nowhere/at/all.zip"), "'/nowhere/at/all.zip'", "the folder '/nowhere/at' does not exist");
        yield return Case.Refused("a student saved over a folder", () => InFolder(folder => Sample.Fit(Sample.Short()).SaveAtomically(folder)), "MlNetDistill");
        yield return Case.Refused("a student saved under no name", () => Sample.Fit(Sample.Short()).SaveAtomically(""), "path");
        yield return Case.Refused("nothing saved", () => Log.Context().Model.SaveAtomically(null!, Sample.Points().Schema, "a.zip"), "model");
        yield return Case.Refused("a student saved as ONNX into nothing", () => Sample.Fit(Sample.Short()).SaveOnnx(null!), "stream");
        yield return Case.Refused("a student saved as ONNX into what cannot be written", () => Sample.Fit(Sample.Short()).SaveOnnx(new MemoryStream([1, 2, 3], writable: false)), "stream");
        yield return Case.Works("no temporary file stays", () =>
        {
            var before = Directory.GetFileSystemEntries(Path.GetTempPath()).Length;
            Sample.Fit(Sample.Short(Sample.Teaching()));
            Check.Equal(Directory.GetFileSystemEntries(Path.GetTempPath()).Length, before, "entries of the temporary folder");
        });
        yield return Case.Works("what a killed save left is gone after the next", () => InFolder(folder =>
        {
            var student = Sample.Fit(Sample.Short());
            student.SaveAtomically(Path.Combine(folder, "a.zip"));
            Check.Equal(Directory.GetFiles(folder).Length, 1, "files");
        }));
        yield return Case.Refused("the student of a model that has none", () => Sample.Regression().Fit(Log.Context().Data.LoadFromEnumerable(Rows.Points(30))).FindStudent(), "student");
        yield return Case.Refused("the student of nothing", () => ((ITransformer)null!).FindStudent(), "model");
        yield return Case.Refused("the student of a score column that there is not", () => Sample.Fit(Sample.Short()).FindStudent("Other"), "Other");
    }

    private static void InFolder(Action<string> use)
    {
        using var folder = new ToyFolder();
        use(folder.Path);
    }

    private sealed class Picture
    {
        public string Label { get; set; } = "";

        public byte[] Pixels { get; set; } = [];
    }

    private sealed class PictureFile
    {
        public string Label { get; set; } = "";

        public string File { get; set; } = "";
    }
}
