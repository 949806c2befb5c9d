using MlNetDistill.Core;
using MlNetDistill.Teachers;
using TorchSharp;
using static TorchSharp.torch;

namespace MlNetDistill.Tests.Teachers;

/// <summary>From the rows of a training set to what a model reads.</summary>
public sealed class InputAdapterTests
{
    private static readonly InputShape Picture = InputShape.Image(3, 4, 5);

    private DisposeScope _scope = null!;

    [SetUp]
    public void Begin() => _scope = NewDisposeScope();

    [TearDown]
    public void End() => _scope.Dispose();

    [Test]
    public void Floats_of_the_declared_shape_are_fed_as_they_are()
    {
        var rows = Counting(2, 3, 4, 5);
        Assert.That(Same(Fed(rows, Picture, new(), null, 3, 4, 5), rows), Is.True);
    }

    [Test]
    public void Channels_move_behind_where_the_model_has_them_there()
    {
        var rows = Counting(2, 3, 4, 5);
        var fed = Fed(rows, Picture, new(), null, 4, 5, 3);
        Assert.That(fed.shape, Is.EqualTo((long[])[2, 4, 5, 3]));
        Assert.That(fed[1, 2, 3, 0].item<float>(), Is.EqualTo(rows[1, 0, 2, 3].item<float>()));
        Assert.That(fed[1, 2, 3, 2].item<float>(), Is.EqualTo(rows[1, 2, 2, 3].item<float>()));
    }

    [Test]
    public void An_image_that_fits_both_ways_needs_the_layout()
    {
        var cube = InputShape.Image(3, 3, 3);
        Refused(cube, new(), "float32 N×3×3×3, but the rows are 3×3×3: both N×C×H×W and N×H×W×C fit. Set TeacherInput.Layout.", null, 3, 3, 3);
        var rows = Counting(1, 3, 3, 3);
        Assert.That(Same(Fed(rows, cube, new() { Layout = ImageLayout.ChannelsFirst }, null, 3, 3, 3), rows), Is.True);
        Assert.That(Same(Fed(rows, cube, new() { Layout = ImageLayout.ChannelsLast }, null, 3, 3, 3), rows.permute(0, 2, 3, 1)), Is.True);
    }

    [Test]
    public void Free_dimensions_fit_anything()
    {
        var rows = Counting(1, 3, 4, 5);
        Assert.That(Same(Fed(rows, Picture, new(), null, 3, null, null), rows), Is.True);
        Assert.That(Same(Fed(rows, Picture, new(), null, null, null, 3), rows.permute(0, 2, 3, 1)), Is.True);
        Refused(Picture, new(), "float32 N×?×?×?, but the rows are 3×4×5: both N×C×H×W and N×H×W×C fit.", null, null, null, null);
    }

    [Test]
    public void An_image_is_flattened_channels_first_unless_told_otherwise()
    {
        var rows = Counting(2, 3, 4, 5);
        Assert.That(Same(Fed(rows, Picture, new(), null, 60), rows.reshape(2, 60)), Is.True);
        var last = Fed(rows, Picture, new() { Layout = ImageLayout.ChannelsLast }, null, 60);
        Assert.That(last[0, ..3].data<float>(), Is.EqualTo((float[])[0, 20, 40]), "the three channels of the first pixel");
    }

    [Test]
    public void A_vector_becomes_the_image_that_the_model_declares_where_that_is_clear()
    {
        var rows = Counting(2, 48);
        Assert.That(Same(Fed(rows, InputShape.Vector(48), new(), null, 3, 4, 4), rows.reshape(2, 3, 4, 4)), Is.True, "channels before a square");
        Assert.That(Same(Fed(rows, InputShape.Vector(48), new(), null, 6, 8, 1), rows.reshape(2, 6, 8, 1)), Is.True, "one channel");
        Assert.That(Same(Fed(rows, InputShape.Vector(48), new(), null, 6, 8), rows.reshape(2, 6, 8)), Is.True, "no axis for the channel");
        Assert.That(Fed(rows, InputShape.Vector(48), new() { Image = InputShape.Image(3, 4, 4) }, null, 4, 4, 3)[0, 0, 0].data<float>(),
            Is.EqualTo((float[])[0, 16, 32]), "told by TeacherInput.Image");
    }

    [Test]
    public void A_vector_for_an_image_that_is_not_clear_needs_its_shape()
    {
        const string Remedy = "Set TeacherInput.Image to the shape of the image in";
        Refused(InputShape.Vector(48), new(), $"float32 N×4×4×3, but the rows are vector of 48: the column is a vector, and the model does not show which dimension is the channels. {Remedy}",
            null, 4, 4, 3);
        Refused(InputShape.Vector(48), new(), $"float32 N×3×?×?, but the rows are vector of 48: the column is a vector. {Remedy}", null, 3, null, null);
    }

    [TestCase(new[] { 3, 32, 32 }, "neither N×C×H×W nor N×H×W×C fits. Resize the images in the pipeline")]
    [TestCase(new[] { 61 }, "a row has 60 values and not 61. Name the column it was trained on")]
    [TestCase(new[] { 4, 5 }, "N×H×W takes images of one channel with that height and width.")]
    [TestCase(new[] { 1, 3, 4, 5 }, "only N×D for vectors and N×C×H×W, N×H×W×C or N×H×W for images can be fed.")]
    [TestCase(new int[0], "only N×D for vectors and N×C×H×W, N×H×W×C or N×H×W for images can be fed.")]
    public void What_does_not_fit_is_refused_with_what_to_do(int[] dimensions, string message) =>
        Refused(Picture, new(), $"{message}", [null, .. dimensions]);

    [Test]
    public void Values_are_scaled_and_then_standardised_channel_by_channel()
    {
        var input = new TeacherInput { Scale = 0.5f, Standardization = new([1, 2, 3], [1, 2, 4]) };
        var fed = Fed(full(1, 3, 4, 5, 10, dtype: uint8), Picture, input, null, 4, 5, 3);
        Assert.That(fed[0, 3, 4].data<float>(), Is.EqualTo((float[])[4, 1.5f, 0.5f]));
    }

    [Test]
    public void Statistics_may_be_one_or_one_a_value()
    {
        var rows = ones(1, 2);
        Assert.That(Fed(rows, InputShape.Vector(2), new() { Standardization = new([3], [2]) }, null, 2).data<float>(), Is.EqualTo((float[])[-1, -1]));
        Assert.That(Fed(rows, InputShape.Vector(2), new() { Standardization = new([3, 0], [2, 4]) }, null, 2).data<float>(), Is.EqualTo((float[])[-1, 0.25f]));
        Refused(Picture, new() { Standardization = new([0, 0], [1, 1]) },
            "TeacherInput.Standardization has 2 values; for these rows it must have 1, 3 (one per channel) or 60 (one per value).", [null, 3, 4, 5]);
    }

    [Test]
    public void Bytes_into_floats_need_a_scale()
    {
        Refused(Picture, new(), "the column contains bytes, and a model file does not state the range it was trained on. Set TeacherInput.Scale to 1 for 0..255, " +
            "or to 1 / 255f for 0..1.", [null, 3, 4, 5], isByte: true);
        Assert.That(Fed(full(1, 2, 255, dtype: uint8), InputShape.Vector(2), new() { Scale = 1 / 255f }, null, 2).data<float>(), Has.All.EqualTo(1f));
    }

    [Test]
    public void A_model_of_bytes_takes_bytes_as_they_are()
    {
        var rows = full(1, 2, 255, dtype: uint8);
        Assert.That(Fed(rows, InputShape.Vector(2), new(), ScalarType.Byte, 2).dtype, Is.EqualTo(uint8));
        Refused(Picture, new() { Scale = 1 }, "it takes bytes, which are neither scaled nor standardised. Leave out TeacherInput.Scale and TeacherInput.Standardization.",
            [null, 3, 4, 5], isByte: true, type: ScalarType.Byte);
        Refused(Picture, new(), "it takes bytes, but the column contains Single. Set TeacherInput.ColumnName to a column of Byte.", [null, 3, 4, 5],
            type: ScalarType.Byte);
    }

    [Test]
    public void Mixed_rows_of_bytes_come_as_floats_and_are_fed_the_same()
    {
        using var floats = new InputAdapter(InputShape.Vector(2), true, new() { Scale = 0.5f }, Model([null, 2]), CPU);
        Assert.That(floats.Prepare(tensor([3f, 4.5f]).reshape(1, 2)).data<float>(), Is.EqualTo((float[])[1.5f, 2.25f]));
        using var bytes = new InputAdapter(InputShape.Vector(2), true, new(), Model([null, 2], ScalarType.Byte), CPU);
        Assert.That(bytes.Prepare(tensor([3.2f, 4.9f]).reshape(1, 2)).data<byte>(), Is.EqualTo((byte[])[3, 5]));
    }

    [TestCase(ScalarType.Float64)]
    [TestCase(ScalarType.Float16)]
    public void Rows_have_the_type_of_the_model(ScalarType type) => Assert.That(Fed(ones(1, 2), InputShape.Vector(2), new(), type, 2).dtype, Is.EqualTo(type));

    [Test]
    public void An_image_of_another_size_than_the_row_is_refused() => Refused(
        Picture, new() { Image = InputShape.Image(3, 4, 4) }, "TeacherInput.Image is 3×4×4, which is 48 values instead of 60.", [null, 3, 4, 5]);

    [Test]
    public void Where_nothing_is_declared_images_are_laid_out_as_usual_or_as_told()
    {
        var rows = Counting(1, 3, 4, 5);
        Tensor Fed(ImageLayout usual, ImageLayout told)
        {
            using var adapter = new InputAdapter(Picture, false, new() { Layout = told }, new ModelInput("The model", null, float32, usual), CPU);
            return adapter.Prepare(rows);
        }

        Assert.That(Same(Fed(ImageLayout.ChannelsFirst, ImageLayout.Auto), rows), Is.True);
        Assert.That(Same(Fed(ImageLayout.ChannelsFirst, ImageLayout.ChannelsLast), rows.permute(0, 2, 3, 1)), Is.True);
        Assert.That(() => Fed(ImageLayout.Auto, ImageLayout.Auto), Throws.InvalidOperationException.With.Message.Contains("Set TeacherInput.Layout."));
    }

    [Test]
    public void The_description_tells_preparations_apart()
    {
        string Described(TeacherInput input, bool isByte = false)
        {
            using var adapter = new InputAdapter(InputShape.Image(3, 3, 3), isByte, input, new ModelInput("The model", null, float32, ImageLayout.ChannelsFirst), CPU);
            return adapter.Description;
        }

        string[] all = [Described(new()), Described(new() { Scale = 2 }), Described(new() { Standardization = new([0], [2]) }),
            Described(new() { Layout = ImageLayout.ChannelsLast }), Described(new() { Scale = 1 }, isByte: true)];
        Assert.That(all, Is.Unique);
        Assert.That(Described(new() { ColumnName = "Other", Scale = 1 }), Is.EqualTo(all[0]), "a scale of 1 is none, and where rows come from is not what they are");
    }

    private static ModelInput Model(int?[] dimensions, ScalarType type = ScalarType.Float32) => new("The model", dimensions, type);

    private static Tensor Fed(Tensor rows, InputShape shape, TeacherInput input, ScalarType? type, params int?[] dimensions)
    {
        using var adapter = new InputAdapter(shape, rows.dtype == uint8, input, Model([null, .. dimensions], type ?? float32), CPU);
        var fed = adapter.Prepare(rows);
        Assert.That(fed.is_contiguous(), Is.True);
        return fed;
    }

    private static void Refused(InputShape shape, TeacherInput input, string message, params int?[] dimensions) =>
        Refused(shape, input, message, dimensions, false);

    private static void Refused(
        InputShape shape, TeacherInput input, string message, int?[] dimensions, bool isByte = false, ScalarType type = ScalarType.Float32) => Assert.That(
        () => new InputAdapter(shape, isByte, input, Model(dimensions, type), CPU).Dispose(),
        Throws.InvalidOperationException.With.Message.StartsWith("The model reads ").And.Message.Contains(message));

    private static Tensor Counting(params long[] shape) => arange(shape.Aggregate((a, b) => a * b)).to(float32).reshape(shape);

    private static bool Same(Tensor a, Tensor b) => a.shape.SequenceEqual(b.shape) && a.sub(b).abs().max().item<float>() == 0;
}
