using MlNetDistill.Core;
using MlNetDistill.Networks;

namespace MlNetDistill.Teachers;

/// <summary>What a model from elsewhere is fed: which column, in which scale and layout.</summary>
public sealed record TeacherInput
{
    /// <summary>
    /// The column it reads, a vector of known size, of Single or Byte; null for the student's feature column. A teacher over a column of its own cannot
    /// answer for augmented rows.
    /// </summary>
    public string? ColumnName { get; init; }

    /// <summary>Shape of an image in that column; null to take it from the column's dimensions, from the model or from the student.</summary>
    public InputShape? Image { get; init; }

    /// <summary>
    /// What each value is multiplied by first. Null: 1 for floats. Bytes into a model of floats must have it given, 1 for a model trained on 0..255 and
    /// 1/255 for one trained on 0..1, as nothing in a model says which.
    /// </summary>
    public float? Scale { get; init; }

    /// <summary>Subtracted and divided by after <see cref="Scale"/>: one value for all, or one for each channel or vector element. Null for none.</summary>
    public InputStatistics? Standardization { get; init; }

    /// <summary>
    /// How the model lays out images; it is fed so whatever the order in the column, which the column's dimensions say (C×H×W or H×W×C; a vector is C×H×W). The
    /// order of the colours is the column's: a model trained on BGR reads a column that <c>ExtractPixels</c> made with <c>ColorsOrder.ABGR</c>.
    /// </summary>
    public ImageLayout Layout { get; init; } = ImageLayout.Auto;

    /// <summary>The input of an ONNX model that reads the rows; null for the only one.</summary>
    public string? InputName { get; init; }

    /// <summary>Whether the column has the channels of a pixel side by side. The rows come channels first; what reads them as vectors gets the column's order.</summary>
    internal bool IsInterleaved { get; init; }

    /// <summary>The dimensions of the column, which tell planes from interleaved pixels where there are several; filled in once the column is known.</summary>
    internal IReadOnlyList<int> ColumnDimensions { get; init; } = [];

    /// <summary>Its settings, in a line where they fit in one.</summary>
    public override string ToString() => SettingText.Describe(this);

    internal IEnumerable<string> Validate() =>
    [
        .. Faults.NameOrNull("TeacherInput.ColumnName", "a column name, or null for the student's features", ColumnName),
        .. Faults.Unless(Scale is null || (float.IsFinite(Scale.Value) && Scale != 0), $"TeacherInput.Scale must be a finite number other than 0; was {Scale}."),
        .. Faults.Defined("TeacherInput.Layout", Layout),
        .. Faults.Unless(
            Standardization is not { } statistics || IsSound(statistics),
            $"TeacherInput.Standardization has {Standardization?.Mean.Count} means and {Standardization?.Deviation.Count} deviations; it must have as many of both, finite, and the deviations above 0."),
    ];

    private static bool IsSound(InputStatistics statistics) => statistics.Deviation.Count == statistics.Mean.Count
        && statistics.Mean.All(float.IsFinite) && statistics.Deviation.All(d => float.IsFinite(d) && d > 0);
}

/// <summary>The order of an image's values.</summary>
public enum ImageLayout
{
    /// <summary>
    /// What the dimensions of the model's input say; an error where they fit both, or say nothing and there are several channels. TorchScript files and modules,
    /// which declare no dimensions, are taken to be channels first. A model of vectors is fed the column's own order.
    /// </summary>
    Auto,

    /// <summary>Channels, height, width, as PyTorch has it.</summary>
    ChannelsFirst,

    /// <summary>Height, width, channels, as TensorFlow has it.</summary>
    ChannelsLast,
}
