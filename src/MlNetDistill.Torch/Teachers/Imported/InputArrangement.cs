using MlNetDistill.Core;
using static TorchSharp.torch;

namespace MlNetDistill.Teachers;

/// <summary>How rows, always channels first, are rearranged to the dimensions that a model reads.</summary>
/// <param name="RowDimensions">Dimensions of a row of the training set, an image C×H×W or a vector.</param>
/// <param name="ChannelsLast">Whether the channels are moved behind height and width.</param>
/// <param name="ModelDimensions">Dimensions of a row as the model reads it.</param>
internal sealed record InputArrangement(long[] RowDimensions, bool ChannelsLast, long[] ModelDimensions)
{
    /// <summary>The one arrangement that fits both the rows and the model.</summary>
    /// <exception cref="InvalidOperationException">No arrangement fits, or two do; the message says what to set.</exception>
    public static InputArrangement Resolve(InputShape shape, TeacherInput input, ModelInput model)
    {
        var rows = input.Image ?? shape;
        if (rows.Length != shape.Length)
            throw model.CreateError(shape, $"TeacherInput.Image is {rows}, which is {rows.Length} values instead of {shape.Length}.");
        if (model.Dimensions is null)
            return rows.IsImage ? Image(rows, [null, null, null], input, model) : ForVector(rows, null, input, model);
        int?[] dimensions = [.. model.Dimensions.Skip(1)];
        return dimensions.Length switch
        {
            1 => ForVector(rows, dimensions[0], input, model),
            2 => ForPlane(rows, dimensions, model),
            3 when rows.IsImage => Image(rows, dimensions, input, model),
            3 => Image(InferImage(rows, dimensions, input, model), dimensions, input, model),
            _ => throw model.CreateError(rows, "only N×D for vectors and N×C×H×W, N×H×W×C or N×H×W for images can be fed. Export it with such an input, " +
                "the batch first."),
        };
    }

    public Tensor Apply(Tensor rows)
    {
        using var scope = NewDisposeScope();
        var read = rows.reshape([rows.shape[0], .. RowDimensions]);
        if (ChannelsLast)
            read = read.permute(0, 2, 3, 1);
        return read.reshape([rows.shape[0], .. ModelDimensions]).MoveToOuterDisposeScope();
    }

    private static InputArrangement ForVector(InputShape rows, int? length, TeacherInput input, ModelInput model)
    {
        if (!Matches(length, rows.Length))
            throw model.CreateError(rows, $"a row has {rows.Length} values and not {length}. Name the column it was trained on in TeacherInput.ColumnName.");
        var last = input.Layout == ImageLayout.ChannelsLast || (input.Layout == ImageLayout.Auto && input.IsInterleaved);
        return new(rows.Dimensions, rows.IsImage && rows.Channels > 1 && last, [rows.Length]);
    }

    /// <summary>N×H×W: grey images without an axis for the channel.</summary>
    private static InputArrangement ForPlane(InputShape rows, int?[] dimensions, ModelInput model)
    {
        var fits = rows.IsImage
            ? rows.Channels == 1 && Matches(dimensions[0], rows.Height) && Matches(dimensions[1], rows.Width)
            : dimensions is [{ } high, { } wide] && high * wide == rows.Length;
        if (!fits)
            throw model.CreateError(rows, "N×H×W takes images of one channel with that height and width. Set TeacherInput.Image to the shape of the image in the " +
                "column, or name another column in TeacherInput.ColumnName.");
        return new(rows.Dimensions, false, rows.IsImage ? [rows.Height, rows.Width] : [dimensions[0]!.Value, dimensions[1]!.Value]);
    }

    private static InputArrangement Image(InputShape rows, int?[] dimensions, TeacherInput input, ModelInput model)
    {
        var first = Matches(dimensions[0], rows.Channels) && Matches(dimensions[1], rows.Height) && Matches(dimensions[2], rows.Width);
        var last = Matches(dimensions[0], rows.Height) && Matches(dimensions[1], rows.Width) && Matches(dimensions[2], rows.Channels);
        var layout = input.Layout switch
        {
            ImageLayout.ChannelsFirst when first => ImageLayout.ChannelsFirst,
            ImageLayout.ChannelsLast when last => ImageLayout.ChannelsLast,
            not ImageLayout.Auto => throw model.CreateError(rows, $"TeacherInput.Layout is {input.Layout}, which does not fit. Leave it on Auto, or set " +
                "TeacherInput.Image to the shape of the image in the column."),
            _ when first && last => model.DefaultLayout != ImageLayout.Auto ? model.DefaultLayout
                : rows.Channels == 1 ? ImageLayout.ChannelsFirst
                : throw model.CreateError(rows, "both N×C×H×W and N×H×W×C fit. Set TeacherInput.Layout."),
            _ when first => ImageLayout.ChannelsFirst,
            _ when last => ImageLayout.ChannelsLast,
            _ => throw model.CreateError(rows, "neither N×C×H×W nor N×H×W×C fits. Resize the images in the pipeline, set TeacherInput.Image to the shape of the " +
                "image in the column, or name another column in TeacherInput.ColumnName."),
        };
        return layout == ImageLayout.ChannelsLast
            ? new(rows.Dimensions, true, [rows.Height, rows.Width, rows.Channels])
            : new(rows.Dimensions, false, rows.Dimensions);
    }

    /// <summary>Infers from the model the image shape of a vector, if it is unambiguous.</summary>
    private static InputShape InferImage(InputShape rows, int?[] dimensions, TeacherInput input, ModelInput model)
    {
        if (dimensions is not [{ } a, { } b, { } c])
            throw model.CreateError(rows, "the column is a vector. Set TeacherInput.Image to the shape of the image in it.");
        if ((long)a * b * c != rows.Length)
            throw model.CreateError(rows, $"a row has {rows.Length} values instead of {a}·{b}·{c}. Resize the images in the pipeline, or name the column it was trained " +
                "on in TeacherInput.ColumnName.");
        // Several channels before two equal dimensions mean channels first. Channels after them are ambiguous, because the column may be interleaved too.
        var first = input.Layout == ImageLayout.ChannelsFirst || (input.Layout == ImageLayout.Auto && (a == 1 || (b == c && a != b)));
        var image = first ? InputShape.Image(a, b, c)
            : c == 1 || input.Layout == ImageLayout.ChannelsLast ? InputShape.Image(c, a, b)
            : throw model.CreateError(rows, "the column is a vector, and the model does not show which dimension is the channels. Set TeacherInput.Image to the shape of the image in " +
                "the column.");
        return input.ColumnDimensions.Count == 0 || AxisOrder.IsPlanes(input.ColumnDimensions, image)
            ? image
            : throw model.CreateError(rows, $"the dimensions of the column are {string.Join(", ", input.ColumnDimensions)}, but the model reads {image.Channels}, {image.Height}, {image.Width} (channels, " +
                "height, width). Give the options' ImageShape, or with TeacherInput.ColumnName TeacherInput.Image, the shape of the image in it.");
    }

    private static bool Matches(int? declared, int size) => declared is null || declared == size;
}
