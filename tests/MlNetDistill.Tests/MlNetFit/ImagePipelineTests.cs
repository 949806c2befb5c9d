using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Tests.Support;

namespace MlNetDistill.Tests.MlNetFit;

/// <summary>Picture files through ML.NET's own image steps into a residual student, which takes the image shape from the pixel column.</summary>
public sealed class ImagePipelineTests
{
    private const int Side = 16;
    private string _folder = "";

    [SetUp]
    public void MakeFolder() => _folder = Directory.CreateTempSubdirectory("pictures-").FullName;

    [TearDown]
    public void RemoveFolder() => Directory.Delete(_folder, recursive: true);

    [TestCase(true)]
    [TestCase(false)]
    public void A_student_learns_from_picture_files_and_scores_them_alike_after_loading(bool pixelsAsFloats)
    {
        var context = new MLContext(seed: 1);
        var pictures = context.Data.LoadFromEnumerable(Pictures(60));
        var student = NetworkSpec.ResNet(8, 4, 4, 8, 16) with { InputScaling = InputScaling.Standardize };
        var pipeline = context.Transforms.Conversion.MapValueToKey("Class", "Colour")
            .Append(context.Transforms.LoadImages("Image", _folder, "File"))
            .Append(context.Transforms.ResizeImages("Image", Side / 2, Side / 2))
            .Append(context.Transforms.ExtractPixels("Pixels", "Image", outputAsFloatArray: pixelsAsFloats))
            .Append(context.MulticlassClassification.Trainers.Distill(
                student, DistillationMethod.LabelsOnly(), "Class", "Pixels", epochs: 10, batchSize: 20))
            .Append(context.Transforms.Conversion.MapKeyToValue("PredictedLabel"));

        var model = pipeline.Fit(pictures);
        var loaded = new MLContext().Reloaded(model, pictures.Schema);

        var colours = pictures.GetColumn<string>("Colour").ToArray();
        Assert.Multiple(() =>
        {
            Assert.That(model.Transform(pictures).GetColumn<string>("PredictedLabel"), Is.EqualTo(colours));
            Assert.That(loaded.Transform(pictures).GetColumn<float[]>("Score"), Is.EqualTo(model.Transform(pictures).GetColumn<float[]>("Score")));
        });
    }

    private Picture[] Pictures(int count)
    {
        var random = new Random(1);
        return [.. Enumerable.Range(0, count).Select(i =>
        {
            var red = i % 2 == 0;
            var pixels = new byte[Side * Side * 4]; // blue, green, red, alpha
            for (var p = 0; p < pixels.Length; p += 4)
            {
                pixels[p] = (byte)(random.Next(100) + (red ? 0 : 150));
                pixels[p + 1] = (byte)random.Next(100);
                pixels[p + 2] = (byte)(random.Next(100) + (red ? 150 : 0));
                pixels[p + 3] = 255;
            }

            var file = $"{i}.png";
            using var image = MLImage.CreateFromPixels(Side, Side, MLPixelFormat.Bgra32, pixels);
            image.Save(Path.Combine(_folder, file));
            return new Picture { File = file, Colour = red ? "red" : "blue" };
        })];
    }

    private sealed class Picture
    {
        public string File { get; set; } = "";

        public string Colour { get; set; } = "";
    }
}
