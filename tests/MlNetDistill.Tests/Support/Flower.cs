using Microsoft.ML;
using Microsoft.ML.Transforms.Image;
using static Microsoft.ML.Transforms.Image.ImagePixelExtractingEstimator;

namespace MlNetDistill.Tests.Support;

/// <summary>How ExtractPixels is to write the pixels of a column.</summary>
internal sealed record PixelSettings(bool AsFloats = false, bool Interleaved = false, bool Grey = false, ColorsOrder Order = ColorsOrder.ARGB);

/// <summary>Photographs of flowers as files, and ML.NET's own steps from a path to pixels.</summary>
internal sealed class Flower
{
    public string Label { get; set; } = "";

    public string Path { get; set; } = "";

    /// <summary>Twelve pictures of different sizes, four of each of three classes; <c>Path</c> is a whole path, so that any process finds them.</summary>
    public static Flower[] All { get; } =
    [
        .. Directory.EnumerateFiles(System.IO.Path.Combine(AppContext.BaseDirectory, "Flowers"), "*.jpg", SearchOption.AllDirectories)
            .Order(StringComparer.Ordinal)
            .Select(file => new Flower { Path = file, Label = System.IO.Path.GetFileName(System.IO.Path.GetDirectoryName(file)!) }),
    ];

    /// <summary>The steps from <c>Path</c> to a column of square pictures.</summary>
    public static IEstimator<ITransformer> Pixels(MLContext context, string column, int side, PixelSettings settings)
    {
        var image = $"{column}Image";
        var resized = context.Transforms.LoadImages(image, null, nameof(Path)).Append(context.Transforms.ResizeImages(image, side, side));
        return settings.Grey
            ? resized.Append(context.Transforms.ConvertToGrayscale(image)).Append(Extract(ColorBits.Red))
            : resized.Append(Extract(ColorBits.Rgb));

        ImagePixelExtractingEstimator Extract(ColorBits colors) => context.Transforms.ExtractPixels(
            column, image, colors, settings.Order, settings.Interleaved, outputAsFloatArray: settings.AsFloats);
    }
}
