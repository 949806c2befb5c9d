using System.Text.Json.Serialization;
using MlNetDistill.Core;
using MlNetDistill.Networks;

namespace MlNetDistill.Teachers;

/// <summary>The input of an imported model: which column, in which scale and layout.</summary>
public sealed record TeacherInput
{
    /// <summary>
    /// The column that it reads, a vector of known size, of Single or Byte; null for the student's feature column. A teacher that reads a column of its own cannot
    /// be used with augmented rows.
    /// </summary>
    public string? ColumnName { get; init; }

    /// <summary>Shape of an image in that column; null to take it from the column's dimensions, from the model or from the student.</summary>
    public InputShape? Image { get; init; }

    /// <summary>
    /// The factor by which each value is multiplied first. Null: 1, for floats. It must be given if the column contains bytes and the model reads floats, because
    /// a model file does not state the range it was trained on: 1 for 0..255, 1/255 for 0..1.
    /// </summary>
    public float? Scale { get; init; }

    /// <summary>Mean and deviation for standardization after <see cref="Scale"/>: one value for all, or one per channel or vector element. Null for none.</summary>
    public InputStatistics? Standardization { get; init; }

    /// <summary>
    /// The image layout of the model. Images are converted to it from the order of the column, which is taken from the column's dimensions (C×H×W or H×W×C; a
    /// vector is C×H×W). The order of the colors stays that of the column: for a model trained on BGR use <c>ExtractPixels</c> with <c>ColorsOrder.ABGR</c>.
    /// </summary>
    public ImageLayout Layout { get; init; } = ImageLayout.Auto;

    /// <summary>The input of an ONNX model that reads the rows; null for the only one.</summary>
    public string? InputName { get; init; }

    /// <summary>Whether the column has the channels of a pixel side by side. The rows are channels first; a model that reads vectors gets the column's order.</summary>
    [JsonInclude]
    internal bool IsInterleaved { get; init; }

    /// <summary>The dimensions of the column, which distinguish planes from interleaved pixels; set once the column is known.</summary>
    [JsonInclude]
    internal IReadOnlyList<int> ColumnDimensions { get; init; } = [];

    /// <summary>Its settings, in a line where they fit in one.</summary>
    public override string ToString() => SettingText.Describe(this);

    internal IEnumerable<string> Validate() =>
    [
        .. Faults.NameOrNull("TeacherInput.ColumnName", "a column name, or null for the student's features", ColumnName),
        .. Faults.Unless(Scale is null || (float.IsFinite(Scale.Value) && Scale != 0), $"TeacherInput.Scale must be a finite number other than 0; was {Scale}."),
        .. Faults.Defined("TeacherInput.Layout", Layout),
        .. Faults.Unless(
            Standardization is not { } statistics || IsValid(statistics),
            $"TeacherInput.Standardization has {Standardization?.Mean.Count} means and {Standardization?.Deviation.Count} deviations; it must have as many of both, finite, and the deviations above 0."),
    ];

    private static bool IsValid(InputStatistics statistics) => statistics.Deviation.Count == statistics.Mean.Count
        && statistics.Mean.All(float.IsFinite) && statistics.Deviation.All(d => float.IsFinite(d) && d > 0);
}

/// <summary>The order of an image's values.</summary>
public enum ImageLayout
{
    /// <summary>
    /// Taken from the dimensions of the model's input; an error if they fit both layouts, or are not declared and there are several channels. TorchScript files and
    /// modules, which declare no dimensions, are assumed to be channels first. A model that reads vectors gets the column's own order.
    /// </summary>
    Auto,

    /// <summary>Channels, height, width, as in PyTorch.</summary>
    ChannelsFirst,

    /// <summary>Height, width, channels, as in TensorFlow.</summary>
    ChannelsLast,
}
