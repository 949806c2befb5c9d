using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Core;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Teachers;
using MlNetDistill.Tests.Support;
using MlNetDistill.Tests.Teachers.Onnx;
using static Microsoft.ML.Transforms.Image.ImagePixelExtractingEstimator;
using static Microsoft.ML.Transforms.ValueToKeyMappingEstimator;

namespace MlNetDistill.Tests.MlNetFit;

/// <summary>JPEG files through ML.NET's image steps into a student, and from its zip in a second process that is given paths.</summary>
public sealed class FlowerPipelineTests
{
    private const int Side = 16;
    private static readonly string[] Classes = ["daisy", "sunflowers", "tulips"];
    private readonly MLContext _context = Rows.Context();
    private readonly IDataView _flowers;

    public FlowerPipelineTests() => _flowers = _context.Data.LoadFromEnumerable(Flower.All);

    [Test]
    public void A_student_of_a_teacher_trained_on_the_spot_scores_paths_in_a_second_process_as_here(
        [Values] bool asFloats, [Values] bool interleaved, [Values] bool grey)
    {
        var model = Fit(new PixelSettings(asFloats, interleaved, grey), TrainedTeacher());
        Assert.Multiple(() =>
        {
            Assert.That(Right(model), Is.GreaterThanOrEqualTo(11), "of 12 pictures that it was trained on");
            Assert.That(model.LastTransformer.Model.Input.Shape, Is.EqualTo(InputShape.Image(grey ? 1 : 3, Side, Side)));
            Assert.That(model.LastTransformer.Model.Input.IsByte, Is.Not.EqualTo(asFloats));
            CheckSecondProcess(model);
        });
    }

    [Test]
    public void The_colours_in_the_other_order_score_in_a_second_process_as_here() =>
        CheckSecondProcess(Fit(new PixelSettings(Interleaved: true, Order: ColorsOrder.ABGR), TrainedTeacher()));

    [TestCase(true)]
    [TestCase(false)]
    public void Interleaved_pixels_make_the_student_that_planes_make(bool asFloats)
    {
        var planes = Fit(new PixelSettings(asFloats), TrainedTeacher());
        var interleaved = Fit(new PixelSettings(asFloats, Interleaved: true), TrainedTeacher());
        Assert.Multiple(() =>
        {
            Assert.That(Pixels(interleaved).Dimensions, Is.EqualTo(new[] { Side, Side, 3 }), "or there is nothing to compare");
            Assert.That(ModelScores.ReadLines(interleaved.Transform(_flowers)), Is.EqualTo(ModelScores.ReadLines(planes.Transform(_flowers))));
        });
    }

    [TestCase(false)]
    [TestCase(true)]
    public void An_ONNX_teacher_reads_pictures_of_a_size_of_its_own(bool interleaved)
    {
        const int TeacherSide = 24;
        var (bytes, floats) = (new PixelSettings(), new PixelSettings(AsFloats: true, Interleaved: interleaved));
        var labels = _context.Transforms.Conversion.MapValueToKey("Class", "Label");
        var network = labels.Append(Flower.Pixels(_context, "TeacherPixels", TeacherSide, floats))
            .Append(_context.MulticlassClassification.Trainers.Distill(Options(null, NetworkSpec.ResNet(8, 8, 8, 16)) with { FeatureColumnName = "TeacherPixels" }))
            .Fit(_flowers);
        using var onnx = new MemoryStream();
        network.LastTransformer.SaveOnnx(onnx);
        var teacher = Teacher.FromOnnx(onnx.ToArray(), new OnnxOutputs("Score"), new TeacherInput { ColumnName = "TeacherPixels" }, Classes);

        var steps = labels.Append(Flower.Pixels(_context, "TeacherPixels", TeacherSide, floats))
            .Append(Flower.Pixels(_context, "Pixels", Side, bytes)).Fit(_flowers);
        var rows = steps.Transform(_flowers);
        var trainer = _context.MulticlassClassification.Trainers.Distill(Options(teacher));
        var model = steps.Append(trainer.Fit(rows));

        Assert.Multiple(() =>
        {
            Assert.That(ModelScores.LargestDifference(ModelScores.ReadScores(trainer.ScoreTeacher(rows), "TeacherScore"), network.Scores(_flowers)), Is.LessThan(1e-5f));
            Assert.That(Right(model), Is.GreaterThanOrEqualTo(11), "of 12 pictures that it was trained on");
            CheckSecondProcess(model);
        });
    }

    [Test]
    public void An_ML_NET_model_over_paths_teaches()
    {
        var labels = _context.Transforms.Conversion.MapValueToKey("TeacherClass", "Label");
        var teacher = labels.Append(Flower.Pixels(_context, "TeacherPixels", 24, new PixelSettings(AsFloats: true, Interleaved: true)))
            .Append(_context.MulticlassClassification.Trainers.LbfgsMaximumEntropy("TeacherClass", "TeacherPixels"));
        var model = Fit(new PixelSettings(), Teacher.FromEstimator(teacher));
        Assert.That(Right(model), Is.GreaterThanOrEqualTo(11), "of 12 pictures that it was trained on");
    }

    [Test]
    public void A_broken_picture_is_named_with_its_row_and_its_path()
    {
        using var folder = new ToyFolder();
        var broken = folder.File("broken.jpg");
        File.WriteAllText(broken, "no JPEG");
        Flower[] rows = [.. Flower.All, new Flower { Path = broken, Label = "daisy" }, .. Flower.All];
        Assert.That(
            () => Pipeline(new PixelSettings(), TrainedTeacher()).Fit(_context.Data.LoadFromEnumerable(rows)),
            Throws.InvalidOperationException.With.Message.EqualTo(
                "Row 12 (counted from 0) of the training data cannot be read: column 'Pixels' gives " +
                $"\"Invalid input stream contents (Parameter 'imageStream')\" where Label is 'daisy', Path is '{broken}'. Correct what the row is made from, or set MissingFeatures to Drop to leave such rows out.").And.InnerException.Not.Null);
    }

    [Test]
    public void Broken_and_missing_pictures_are_left_out_where_Drop_says_so([Values] bool teacherReadsPicturesToo)
    {
        using var folder = new ToyFolder();
        var broken = folder.File("broken.jpg");
        File.WriteAllText(broken, "no JPEG");
        Flower[] rows = [new Flower { Path = folder.File("missing.jpg"), Label = "tulips" }, .. Flower.All, new Flower { Path = broken, Label = "daisy" }];
        var log = new RowsLog(_context);
        var teacher = teacherReadsPicturesToo
            ? Teacher.FromEstimator(_context.Transforms.Conversion.MapValueToKey("TeacherClass", "Label").Append(Flower.Pixels(_context, "TeacherPixels", 24, new PixelSettings(AsFloats: true)))
                .Append(_context.MulticlassClassification.Trainers.LbfgsMaximumEntropy("TeacherClass", "TeacherPixels")))
            : TrainedTeacher();
        float[][] Fit(Flower[] flowers)
        {
            var steps = _context.Transforms.Conversion.MapValueToKey("Class", "Label", keyOrdinality: KeyOrdinality.ByValue).Append(Flower.Pixels(_context, "Pixels", Side, new PixelSettings()));
            var view = _context.Data.LoadFromEnumerable(flowers);
            var fitted = steps.Fit(_flowers);
            return _context.Fit(Options(teacher) with { MissingFeatures = MissingFeatures.Drop, Epochs = 4 }, fitted.Transform(view)).Scores(fitted.Transform(_flowers));
        }

        var found = Fit(rows);
        Assert.Multiple(() =>
        {
            Assert.That(log.Warnings[0], Does.StartWith(
                "Left out of the training data: 0 rows with NaN or infinite features, 0 without a label, 2 (rows 0, 13, counted from 0) cannot be read, the first for \"Could not find")
                .And.EndsWith($"where Label is 'tulips', Path is '{folder.File("missing.jpg")}'."));
            Assert.That(ModelScores.LargestDifference(found, Fit(Flower.All)), Is.LessThan(1e-4f));
        });
    }

    [Test]
    public void A_picture_that_the_teacher_alone_reads_is_named_where_it_is_missing()
    {
        var rows = _context.Transforms.Conversion.MapValueToKey("Class", "Label").Append(Flower.Pixels(_context, "Pixels", Side, new PixelSettings()))
            .Append(_context.Transforms.CustomMapping<Flower, Other>((flower, other) => other.Path = flower.Path.Replace("tulips", "nowhere"), null))
            .Append(Flower.Pixels(_context, "TeacherPixels", Side, new PixelSettings(AsFloats: true))).Fit(_flowers).Transform(_flowers);
        var teacher = Teacher.FromOnnx(OnnxBytes.Linear(3 * Side * Side).Write(), input: new TeacherInput { ColumnName = "TeacherPixels" }, classNames: Classes);
        Assert.That(
            () => _context.Fit(Options(teacher), rows),
            Throws.InvalidOperationException.With.Message
                .StartsWith("Row 8 (counted from 0) of the data cannot be read: column 'TeacherPixels' gives \"Could not find").And.Message.Contains(Flower.All[8].Path.Replace("tulips", "nowhere")));
    }

    [Test]
    public void Pixels_with_alpha_are_refused_with_what_to_extract()
    {
        var steps = _context.Transforms.Conversion.MapValueToKey("Class", "Label")
            .Append(_context.Transforms.LoadImages("Image", null, "Path"))
            .Append(_context.Transforms.ResizeImages("Image", Side, Side))
            .Append(_context.Transforms.ExtractPixels("Pixels", "Image", ColorBits.All, outputAsFloatArray: false));
        Assert.That(
            () => steps.Append(_context.MulticlassClassification.Trainers.Distill(Options(TrainedTeacher()))).Fit(_flowers),
            Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.Contains(
                "column 'Pixels' is a Vector<Byte, 4, 16, 16>: neither channels, height, width nor height, width, channels with 1 or 3 channels. ExtractPixels gives 3 with ColorBits.Rgb"));
    }

    private sealed class Other
    {
        public string Path { get; set; } = "";
    }

    private static Teacher TrainedTeacher() => Teacher.Train(NetworkSpec.ResNet(8, 8, 8, 16) with { InputScaling = InputScaling.Standardize }, epochs: 12);

    private static DistillationOptions Options(Teacher? teacher, NetworkSpec? student = null) => new()
    {
        Teacher = teacher,
        Student = (student ?? NetworkSpec.ResNet(8, 4, 4, 8)) with { InputScaling = InputScaling.Standardize },
        Method = teacher is null ? DistillationMethod.LabelsOnly() : DistillationMethod.Kd(temperature: 2),
        LabelColumnName = "Class",
        FeatureColumnName = "Pixels",
        Epochs = 20,
        BatchSize = 6,
        Optimizer = Optimizer.AdamW(0.01),
        Seed = 1,
    };

    private EstimatorChain<DistillationTransformer> Pipeline(PixelSettings settings, Teacher teacher) => _context.Transforms.Conversion
        .MapValueToKey("Class", "Label")
        .Append(Flower.Pixels(_context, "Pixels", Side, settings))
        .Append(_context.MulticlassClassification.Trainers.Distill(Options(teacher)));

    private TransformerChain<DistillationTransformer> Fit(PixelSettings settings, Teacher teacher) => Pipeline(settings, teacher).Fit(_flowers);

    private VectorDataViewType Pixels(ITransformer model) => (VectorDataViewType)model.Transform(_flowers).Schema["Pixels"].Type;

    private int Right(ITransformer model)
    {
        var scored = model.Transform(_flowers);
        return ModelScores.ReadNames(scored, "PredictedLabel").Zip(Flower.All, (name, flower) => name == flower.Label ? 1 : 0).Sum();
    }

    /// <summary>The process is given paths and labels alone.</summary>
    private void CheckSecondProcess(ITransformer model)
    {
        var fitted = _context.Transforms.Conversion.MapKeyToValue("PredictedLabel").Fit(model.Transform(_flowers));
        var named = new TransformerChain<ITransformer>(model, fitted);
        var here = ModelScores.ReadLines(named.Transform(_flowers));
        Assert.That(here.Distinct().Count(), Is.EqualTo(Flower.All.Length), "the pictures should score differently");
        Assert.That(ToyLoader.Score(_context, named, _flowers), Is.EqualTo(here));
    }
}
