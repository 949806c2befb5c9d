using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Core;
using MlNetDistill.Data;
using MlNetDistill.Networks;
using MlNetDistill.Teachers;
using MlNetDistill.Tests.Support;
using MlNetDistill.Tests.Teachers.Onnx;

namespace MlNetDistill.Tests.Data;

/// <summary>
/// Pictures of 8×9 in three colours whose class is the brightest one, as a column of planes (C×H×W) or of interleaved pixels (H×W×C), which only its type tells.
/// </summary>
public sealed class PixelOrderTests
{
    private const int Height = 8, Width = 9;
    private static readonly int[] Planes = [3, Height, Width];
    private static readonly int[] Interleaved = [Height, Width, 3];
    private static readonly string[] Colours = ["red", "green", "blue"];
    private readonly MLContext _context = Rows.Context();

    private static IEnumerable<NetworkSpec> Students() => [NetworkSpec.ResNet(8, 2, 2, 4), NetworkSpec.Mlp(6), NetworkSpec.Mlp()];

    [Test]
    public void Interleaved_pixels_make_the_student_that_planes_make([ValueSource(nameof(Students))] NetworkSpec student, [Values] bool asFloats)
    {
        var options = Rows.Quick() with { Student = student, ImageShape = InputShape.Image(3, Height, Width), Epochs = 2 };
        var (planes, interleaved) = (View(Planes, asFloats), View(Interleaved, asFloats));
        Assert.That(_context.Fit(options, interleaved).Scores(interleaved), Is.EqualTo(_context.Fit(options, planes).Scores(planes)));
    }

    /// <summary>The values lie in the order H, W, C whatever axes are joined or added.</summary>
    [TestCase(new[] { 1, Height, Width, 3 }, true)]
    [TestCase(new[] { Height * Width, 3 }, true)]
    [TestCase(new[] { Height, Width * 3 }, true)]
    [TestCase(new[] { Height, 1, Width, 3 }, true)]
    [TestCase(new[] { 1, 3, Height, Width }, false)]
    [TestCase(new[] { 3, Height * Width }, false)]
    [TestCase(new[] { 3 * Height, Width }, false)]
    [TestCase(new[] { 3 * Height * Width }, false)]
    public void Joined_and_added_axes_tell_the_order_as_well(int[] dimensions, bool interleaved)
    {
        var options = Rows.Quick() with { Student = NetworkSpec.ResNet(8, 2, 2, 4), ImageShape = InputShape.Image(3, Height, Width), Epochs = 2 };
        var (planes, view) = (View(Planes), View(dimensions, areInterleaved: interleaved));
        Assert.That(_context.Fit(options, view).Scores(view), Is.EqualTo(_context.Fit(options, planes).Scores(planes)));
    }

    [TestCase(1, Height, Width, 3)]
    [TestCase(1, 3, Height, Width)]
    public void A_batch_of_one_in_front_of_the_dimensions_is_no_part_of_the_shape(params int[] dimensions) => Assert.That(
        _context.Fit(Rows.Quick() with { Student = NetworkSpec.ResNet(8, 2, 2, 4), Epochs = 1 }, View(dimensions)).Model.Input.Shape,
        Is.EqualTo(InputShape.Image(3, Height, Width)));

    /// <summary>The student's shape is none of the dimensions' readings, or that of a teacher that unrolls a vector.</summary>
    [TestCase(Width, 3 * Height)]
    [TestCase(Width, Height, 3)]
    [TestCase(2, 3, Height / 2, Width)]
    public void Dimensions_of_another_order_are_refused(params int[] dimensions) => Assert.That(
        () => _context.Fit(Rows.Quick() with { ImageShape = InputShape.Image(3, Height, Width) }, View(dimensions)),
        Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.Contains("which is another. Leave the shape out to take the column's own, or correct it."));

    [Test]
    public void A_teacher_of_planes_does_not_unroll_joined_axes_of_interleaved_pixels([Values] bool ownColumn)
    {
        var view = View([8, 8 * 4], areInterleaved: true, length: 8 * 8 * 4);
        var seen = _context.Transforms.CopyColumns("Seen", "Features").Fit(view).Transform(view);
        var means = new OnnxBytes().Weights("w", OnnxBytes.Float, [4, 3]).Node("ReduceMean", ["x"], ["means"], ("axes", (int[])[2, 3]), ("keepdims", 0))
            .Node("MatMul", ["means", "w"], ["logits"]).Input("x", OnnxBytes.Float, "N", 4, 8, 8).Output("logits", OnnxBytes.Float, "N", 3).Write();
        var input = new TeacherInput { Scale = 1, ColumnName = ownColumn ? "Seen" : null };
        Assert.That(
            () => _context.Fit(Rows.Quick(Teacher.FromOnnx(means, input: input, classNames: Colours)) with { MinimumTeacherAccuracy = 0 }, seen),
            Throws.InvalidOperationException.With.Message.Contains("the dimensions of the column are 8, 32, but the model reads 4, 8, 8"));
    }

    [Test]
    public void Augmentations_of_vectors_take_interleaved_pixels([Values] bool asFloats)
    {
        var options = Rows.Quick() with
        {
            ImageShape = InputShape.Image(3, Height, Width),
            Student = NetworkSpec.Mlp(6),
            Augmentations = [Augmentation.MarginalSwap(0.1), Augmentation.GaussianNoise(2)],
            Epochs = 2,
        };
        var (planes, interleaved) = (View(Planes, asFloats), View(Interleaved, asFloats));
        Assert.Multiple(() =>
        {
            Assert.That(() => _context.Fit(options with { ImageShape = null }, interleaved), Throws.Nothing);
            Assert.That(_context.Fit(options, interleaved).Scores(interleaved), Is.EqualTo(_context.Fit(options, planes).Scores(planes)));
        });
    }

    [Test]
    public void A_network_for_images_needs_no_shape_beside_the_columns_own([Values] bool interleaved)
    {
        var view = View(interleaved ? Interleaved : Planes);
        var model = _context.Fit(Rows.Quick() with { Student = NetworkSpec.ResNet(8, 2, 2, 4), Epochs = 1 }, view);
        Assert.That((model.Model.Input.Shape, model.Model.Input.IsInterleaved), Is.EqualTo((InputShape.Image(3, Height, Width), interleaved)));
    }

    [Test]
    public void The_ONNX_file_of_a_student_of_interleaved_pixels_reads_them_so()
    {
        var view = View(Interleaved, asFloats: true);
        var model = _context.Fit(Rows.Quick() with { Student = NetworkSpec.ResNet(8, 2, 2, 4), Epochs = 2 }, view);
        using var onnx = new MemoryStream();
        model.SaveOnnx(onnx);
        var file = Path.GetTempFileName();
        File.WriteAllBytes(file, onnx.ToArray());
        var applied = _context.Transforms.ApplyOnnxModel(["Score"], ["Features"], file).Fit(view);
        Assert.That(ModelScores.LargestDifference(applied.Scores(view), model.Scores(view)), Is.LessThan(1e-5f));
        applied.Dispose();
        File.Delete(file);
    }

    /// <summary>A model whose scores are the means of the colours, of one layout or the other, over the student's column or one of its own.</summary>
    [Test]
    public void A_teacher_of_either_layout_sees_the_colours_of_either_column(
        [Values] bool interleaved, [Values] bool channelsLast, [Values] bool ownColumn, [Values] bool imageStudent)
    {
        var view = View(interleaved ? Interleaved : Planes);
        var student = ownColumn ? _context.Transforms.CopyColumns("Seen", "Features").Fit(view).Transform(view) : view;
        var input = new TeacherInput { Scale = 1 / 64f, ColumnName = ownColumn ? "Seen" : null };
        var teacher = Teacher.FromOnnx(ColourMeans(channelsLast), input: input, classNames: Colours, scoreKind: ScoreKind.Logits);
        var options = Rows.Quick(teacher) with { Student = imageStudent ? NetworkSpec.ResNet(8, 2, 2, 4) : NetworkSpec.Mlp(4) };
        var scored = _context.MulticlassClassification.Trainers.Distill(options).ScoreTeacher(student);
        float[][] expected = [.. Painted().Select(p => Softmax(ByClass([.. p.Means.Select(m => m / 64)])))];
        Assert.That(ModelScores.LargestDifference(ModelScores.ReadScores(scored, "TeacherScore"), expected), Is.LessThan(1e-5f));
    }

    [TestCase(ImageLayout.Auto, true)]
    [TestCase(ImageLayout.ChannelsLast, true)]
    [TestCase(ImageLayout.ChannelsFirst, false)]
    public void A_teacher_of_vectors_reads_interleaved_pixels_as_they_are_unless_told_otherwise(ImageLayout layout, bool asTheyAre)
    {
        var length = 3 * Height * Width;
        var teacher = Teacher.FromOnnx(OnnxBytes.Linear(length).Write(), input: new() { Scale = 1e-5f, Layout = layout }, classNames: Colours, scoreKind: ScoreKind.Logits);
        var options = Rows.Quick(teacher) with { MinimumTeacherAccuracy = 0 };
        var scored = _context.MulticlassClassification.Trainers.Distill(options).ScoreTeacher(View(Interleaved));
        var weights = OnnxBytes.Numbers([length, 3]);
        var expected = Painted().Select(p => asTheyAre ? InterleavedOf(p.Pixels) : p.Pixels)
            .Select(row => Softmax(ByClass([.. Enumerable.Range(0, 3).Select(k => row.Select((v, i) => v * 1e-5f * weights[(i * 3) + k]).Sum())])));
        Assert.That(ModelScores.LargestDifference(ModelScores.ReadScores(scored, "TeacherScore"), [.. expected]), Is.LessThan(1e-4f));
    }

    [Test]
    public void A_shape_that_contradicts_the_columns_dimensions_is_refused() => Assert.That(
        () => _context.Fit(Rows.Quick() with { ImageShape = InputShape.Image(3, Width, Height) }, View(Interleaved)),
        Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.EqualTo(
            "The image shape given is an image of 3×9×8 (channels, height, width), and column 'Features' is a Vector<Byte, 8, 9, 3>, which is another. " +
            "Leave the shape out to take the column's own, or correct it. (Parameter 'schema')"));

    [TestCase(true)]
    [TestCase(false)]
    public void A_teachers_shape_that_contradicts_the_columns_dimensions_is_refused(bool ownColumn)
    {
        var view = View(Interleaved);
        var seen = _context.Transforms.CopyColumns("Seen", "Features").Fit(view).Transform(view);
        var input = new TeacherInput { Scale = 1, Image = InputShape.Image(3, Width, Height), ColumnName = ownColumn ? "Seen" : null };
        Assert.That(
            () => _context.Fit(Rows.Quick(Teacher.FromOnnx(ColourMeans(true), input: input, classNames: Colours)), seen),
            Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.StartWith("TeacherInput.Image is ").And.Message.Contains("3×9×8 (channels, height, width)"));
    }

    /// <summary>Four channels are no picture to a student of vectors; a teacher that reads them as one must not get them in another order.</summary>
    [TestCase(false, false, false)]
    [TestCase(false, true, false)]
    [TestCase(false, false, true)]
    [TestCase(false, true, true)]
    [TestCase(true, false, false)]
    [TestCase(true, true, false)]
    public void A_teacher_of_four_interleaved_channels_sees_each_channel_or_is_refused(bool ownColumn, bool teacherIsTold, bool studentIsTold)
    {
        var image = InputShape.Image(4, Height, Height);
        var input = new TeacherInput { ColumnName = ownColumn ? "Seen" : null, Image = teacherIsTold ? image : null };
        var means = new OnnxBytes().Weights("w", OnnxBytes.Float, [4, 3]).Node("ReduceMean", ["x"], ["means"], ("axes", (int[])[2, 3]), ("keepdims", 0))
            .Node("MatMul", ["means", "w"], ["logits"]).Input("x", OnnxBytes.Float, "N", 4, Height, Height).Output("logits", OnnxBytes.Float, "N", 3).Write();
        var teacher = Teacher.FromOnnx(means, input: input, classNames: Colours, scoreKind: ScoreKind.Logits);
        var (view, channels) = FourChannels();
        var options = Rows.Quick(teacher) with { Student = NetworkSpec.Mlp(4), ImageShape = studentIsTold ? image : null };
        IDataView Score() => _context.MulticlassClassification.Trainers.Distill(options).ScoreTeacher(view);

        if (!studentIsTold && !(ownColumn && teacherIsTold))
        {
            Assert.That(Score, Throws.Exception.With.Message.Contains("ImageShape"));
            return;
        }

        var weights = OnnxBytes.Numbers([4, 3]);
        var expected = channels.Select(values => Softmax(ByClass([.. Enumerable.Range(0, 3).Select(k => values.Select((v, c) => v * weights[(c * 3) + k]).Sum())])));
        Assert.That(ModelScores.LargestDifference(ModelScores.ReadScores(Score(), "TeacherScore"), [.. expected]), Is.LessThan(1e-5f));
    }

    /// <summary>Rows of 8×8×4, in which each channel has one value.</summary>
    private (IDataView Rows, float[][] Channels) FourChannels()
    {
        var random = new Random(5);
        float[][] channels = [.. Enumerable.Range(0, 12).Select(_ => Enumerable.Range(0, 4).Select(_ => random.NextSingle()).ToArray())];
        var definition = SchemaDefinition.Create(typeof(FourValues));
        definition["Features"].ColumnType = new VectorDataViewType(NumberDataViewType.Single, Height, Height, 4);
        var rows = channels.Select((values, i) => new FourValues { Label = Colours[2 - (i % 3)], Features = [.. Enumerable.Repeat(values, Height * Height).SelectMany(v => v)] });
        var view = _context.Data.LoadFromEnumerable(rows.ToArray(), definition);
        return (_context.Transforms.Conversion.MapValueToKey("Class", "Label").Append(_context.Transforms.CopyColumns("Seen", "Features")).Fit(view).Transform(view), channels);
    }

    private sealed class FourValues
    {
        public string Label { get; set; } = "";

        public float[] Features { get; set; } = [];
    }

    /// <summary>x → the mean of each colour.</summary>
    private static byte[] ColourMeans(bool channelsLast)
    {
        object[] input = channelsLast ? ["N", Height, Width, 3] : ["N", 3, Height, Width];
        return new OnnxBytes().Node("ReduceMean", ["x"], ["logits"], ("axes", channelsLast ? [1, 2] : (int[])[2, 3]), ("keepdims", 0))
            .Input("x", OnnxBytes.Float, input).Output("logits", OnnxBytes.Float, "N", 3).Write();
    }

    private IDataView View(int[] dimensions, bool asFloats = false, bool? areInterleaved = null, int length = 3 * Height * Width)
    {
        var rows = Painted().Select(p => new Colour
        {
            Label = p.Label,
            Features = length != 3 * Height * Width ? [.. p.Pixels, .. p.Pixels[..(length - p.Pixels.Length)]]
                : areInterleaved ?? dimensions == Interleaved ? InterleavedOf(p.Pixels) : p.Pixels,
        });
        var definition = SchemaDefinition.Create(typeof(Colour));
        definition["Features"].ColumnType = new VectorDataViewType(NumberDataViewType.Byte, dimensions);
        var view = _context.Data.LoadFromEnumerable(rows.ToArray(), definition);
        var bytes = _context.Transforms.Conversion.MapValueToKey("Class", "Label").Fit(view).Transform(view);
        return asFloats ? _context.Transforms.Conversion.ConvertType("Features", outputKind: DataKind.Single).Fit(bytes).Transform(bytes) : bytes;
    }

    /// <summary>
    /// Pictures plane after plane, the mean of each plane, and the colour of the brightest; blue comes first, so the student's classes are in another order.
    /// </summary>
    private static IEnumerable<(string Label, byte[] Pixels, float[] Means)> Painted()
    {
        var random = new Random(4);
        foreach (var i in Enumerable.Range(0, 48))
        {
            var bright = 2 - (i % 3);
            byte[] pixels = [.. Enumerable.Range(0, 3 * Height * Width).Select(p => (byte)(random.Next(120) + (p / (Height * Width) == bright ? 100 : 0)))];
            yield return (Colours[bright], pixels, [.. pixels.Chunk(Height * Width).Select(plane => plane.Average(v => (float)v))]);
        }
    }

    private static byte[] InterleavedOf(byte[] planes) =>
        [.. from y in Enumerable.Range(0, Height) from x in Enumerable.Range(0, Width) from c in Enumerable.Range(0, 3) select planes[(((c * Height) + y) * Width) + x]];

    /// <summary>In the order in which the student met the classes: blue, green, red.</summary>
    private static float[] ByClass(float[] colours) => [colours[2], colours[1], colours[0]];

    private static float[] Softmax(float[] logits)
    {
        var exponentials = logits.Select(l => MathF.Exp(l - logits.Max())).ToArray();
        return [.. exponentials.Select(e => e / exponentials.Sum())];
    }

    private sealed class Colour
    {
        public string Label { get; set; } = "";

        public byte[] Features { get; set; } = [];
    }
}
