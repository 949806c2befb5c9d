using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Core;
using MlNetDistill.Data;
using MlNetDistill.Losses;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Teachers;
using MlNetDistill.Tests.Support;
using static TorchSharp.torch;

namespace MlNetDistill.Tests.Methods;

/// <summary>SimKD, graph distillation and Lipschitz distillation through the trainer: models that save and load, and refusals with the reason.</summary>
public sealed class FeatureMethodTests
{
    private const double Tolerance = 1e-4;
    private readonly MLContext _context = Rows.Context();
    private readonly Point[] _rows = Rows.Points();
    private readonly IDataView _view;

    public FeatureMethodTests() => _view = _context.Keyed(_rows);

    private static DistillationOptions SimKd => Rows.Quick(Teacher.Train(NetworkSpec.Mlp(16), epochs: 16)) with
    {
        Student = NetworkSpec.Projected(NetworkSpec.Mlp(12), 16),
        Method = DistillationMethod.SimKd(),
        Epochs = 40,
    };

    [Test]
    public void A_student_of_SimKD_is_backbone_projection_and_the_teachers_layer_and_a_second_process_scores_with_it()
    {
        var model = _context.Fit(SimKd, _view);

        Assert.That(model.AccuracyOn(_rows, _view), Is.GreaterThan(0.9));
        using var student = model.Model.ToNetwork();
        using var teacher = ((DistillationTransformer)model.Teacher!).Model.ToNetwork();
        Assert.That(student.Head.Weight.data<float>().ToArray(), Is.EqualTo(teacher.Head.Weight.data<float>().ToArray()));
        Assert.That(student.Head.Bias.data<float>().ToArray(), Is.EqualTo(teacher.Head.Bias.data<float>().ToArray()));
        Assert.That(model.Model.Spec, Is.EqualTo(SimKd.Student));
        CheckInSecondProcess(model, _view);
    }

    [Test]
    public void A_student_of_images_keeps_its_projection_in_the_zip()
    {
        var view = _context.Keyed(Picture.Some());
        var model = _context.Fit(
            SimKd with
            {
                Teacher = Teacher.Train(NetworkSpec.ResNet(8, InputShape.Image(1, 8, 8), 4, 6, 12), epochs: 8),
                Student = NetworkSpec.Projected(NetworkSpec.ResNet(8, InputShape.Image(1, 8, 8), 2, 4, 6), 12),
                Method = DistillationMethod.SimKd(SimKdFeatures.LastMap),
            },
            view);
        var right = model.Predictions(view).Zip(Picture.Some(), (predicted, row) => predicted == (row.Label == "above" ? 0 : 1));
        Assert.That(right.Average(r => r ? 1.0 : 0), Is.GreaterThan(0.9), "chance is a half");
        CheckInSecondProcess(model, view);
    }

    [Test]
    public void SimKD_needs_no_labels_of_its_own_and_every_anchor_of_a_route_gives_its_layer()
    {
        var sparse = _rows.Select((row, i) => new Point { Label = i % 10 == 0 ? row.Label : "", Features = row.Features }).ToArray();
        var loaded = _context.Data.LoadFromEnumerable(sparse);
        var keys = _context.Data.LoadFromEnumerable(Rows.Classes.Select(name => new { Label = name }));
        var view = _context.Transforms.Conversion.MapValueToKey("Class", "Label", keyData: keys).Fit(loaded).Transform(loaded);
        var options = SimKd with
        {
            Teacher = Route.Train(NetworkSpec.Mlp(16), every: 8, epochs: 32),
            Method = DistillationMethod.Rco(DistillationMethod.SimKd()),
            MissingLabels = MissingLabels.TeacherOnly,
            BatchSize = 24,
        };
        Assert.That(_context.Fit(options, view).AccuracyOn(_rows, _view), Is.GreaterThan(0.8));
    }

    [Test]
    public void A_checkpoint_gives_its_last_layer_in_the_order_of_the_students_classes()
    {
        using var folder = new ToyFolder();
        _context.Fit(Rows.Quick(Route.Train(NetworkSpec.Mlp(16), every: 16, epochs: 16, folder: folder.Path)) with { Epochs = 1 }, _view);
        var reversed = _context.Data.LoadFromEnumerable(Rows.Classes.Reverse().Select(name => new { Label = name }));
        var loaded = _context.Data.LoadFromEnumerable(_rows);
        var view = _context.Transforms.Conversion.MapValueToKey("Class", "Label", keyData: reversed).Fit(loaded).Transform(loaded);
        var model = _context.Fit(SimKd with { Teacher = Route.FromCheckpoints(NetworkSpec.Mlp(16), Directory.GetFiles(folder.Path)) }, view);
        var right = model.Predictions(view).Zip(_rows, (predicted, row) => Rows.Classes[^(predicted + 1)] == row.Label);
        Assert.That(right.Average(r => r ? 1.0 : 0), Is.GreaterThan(0.9));
    }

    [Test]
    public void SimKD_uses_example_weights()
    {
        var weighted = _context.Keyed(_rows.Select((row, i) => new Point { Label = row.Label, Features = row.Features, Weight = i % 2 }));
        var options = SimKd with { Epochs = 8 };
        var plain = _context.Fit(options, weighted).Scores(_view);
        Assert.That(_context.Fit(options with { ExampleWeightColumnName = "Weight" }, weighted).Scores(_view), Is.Not.EqualTo(plain));
    }

    [Test]
    public void SimKD_refuses_a_teacher_that_shows_no_last_layer_and_a_student_that_does_not_fit()
    {
        using var first = nn.Linear(4, 16);
        using var module = nn.Sequential(("first", first), ("last", nn.Linear(16, 3)));
        var embedding = Teacher.FromModule(module, new ModuleTaps(first), classNames: Rows.Classes);
        Assert.That(
            () => _context.MulticlassClassification.Trainers.Distill(SimKd with { Teacher = embedding }),
            Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.Contains("The method SimKD keeps the teacher's last linear layer, and this teacher (Sequential) does not show one."));
        Assert.That(
            () => _context.Fit(SimKd with { Student = NetworkSpec.Mlp(12) }, _view),
            Throws.InvalidOperationException.With.Message.Contains("Give the student as NetworkSpec.Projected(student, 16)"));
    }

    [TestCase(true, "the embedding of the student is not the mean of its last tap")]
    [TestCase(false, "the embedding of the teacher is not the mean of its last tap")]
    public void Last_maps_that_the_last_layer_does_not_read_are_refused_before_the_teacher_is_trained(bool ofStudent, string message)
    {
        var shape = InputShape.Image(1, 8, 8);
        // Between the last tap of a wide ResNet and its pooling are a normalization and a rectifier.
        var (plain, wide) = (NetworkSpec.ResNet(8, shape, 4, 6, 64), NetworkSpec.WideResNet(10, 1, shape));
        var progress = new RowsProgress();
        var options = SimKd with
        {
            Teacher = Teacher.Train(ofStudent ? plain : wide, epochs: 1),
            Student = ofStudent ? wide : plain,
            Method = DistillationMethod.SimKd(SimKdFeatures.LastMap),
            Progress = progress,
        };
        var view = _context.Keyed(Picture.Some());
        Assert.That(() => _context.Fit(options, view), Throws.InvalidOperationException.With.Message.Contains(message));
        Assert.That(progress.Reports, Is.Empty, "epochs that the teacher was trained for");
        Assert.That(() => _context.MulticlassClassification.Trainers.Distill(options).Preflight(view), Throws.InvalidOperationException.With.Message.Contains(message));
    }

    [Test]
    public void A_preflight_of_each_finds_no_fault()
    {
        foreach (var options in new[]
        {
            SimKd,
            SimKd with { Method = DistillationMethod.GraphKd(), Student = NetworkSpec.Mlp(8) },
            SimKd with { Method = DistillationMethod.Lipschitz([new StagePair(0, 0), new StagePair(0, 0)]), Student = NetworkSpec.Mlp(8) },
        })
        {
            Assert.That(() => _context.MulticlassClassification.Trainers.Distill(options).Preflight(_view), Throws.Nothing);
        }
    }

    [Test]
    public void Methods_refuse_what_they_cannot_do_before_anything_is_trained()
    {
        Assert.That(
            () => _context.Fit(SimKd with { Method = DistillationMethod.Lipschitz(), Student = NetworkSpec.Mlp(8) }, _view),
            Throws.InvalidOperationException.With.Message.Contains("Give at least two pairs of taps, or a student with more stage features."));
        Assert.That(
            () => _context.MulticlassClassification.Trainers.Distill(SimKd with { Method = DistillationMethod.GraphKd(weight: 0, power: 0, neighbours: 0) }),
            Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.Contains("Graph KD's weight must be above 0; was 0.").And.Message.Contains("Graph KD's power must be at least 1; was 0.")
                .And.Message.Contains("Graph KD's neighbours must be at least 1; was 0."));
        Assert.That(
            () => _context.MulticlassClassification.Trainers.Distill(SimKd with { Method = DistillationMethod.GraphKd(), ExampleWeightColumnName = "Weight" }),
            Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.Contains("The method Graph KD has a loss over pairs of rows"));
        Assert.That(
            () => _context.MulticlassClassification.Trainers.Distill(
                SimKd with { Method = DistillationMethod.GraphKd(edges: GraphEdges.SameClass), Augmentations = [Augmentation.Mixup(0.2)] }),
            Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.Contains("The method Graph KD needs one label for each row"));
        Assert.That(
            () => _context.Fit(SimKd with { Method = DistillationMethod.GraphKd(), Student = NetworkSpec.Mlp(8), BatchSize = 2 }, _view),
            Throws.ArgumentException.With.Message.Contains("needs batches of at least 3 rows"));
    }

    private void CheckInSecondProcess(DistillationTransformer model, IDataView view)
    {
        var named = new TransformerChain<ITransformer>(model, _context.Transforms.Conversion.MapKeyToValue("PredictedLabel").Fit(model.Transform(view)));
        var here = named.Transform(view);
        Assert.That(ToyLoader.Score(_context, named, view), Is.EqualTo(ModelScores.ReadLines(here)));
        Assert.That(ModelScores.LargestDifference(ModelScores.ReadScores(here), ModelScores.ComputeWithNetwork(model, view)), Is.LessThanOrEqualTo(Tolerance));
    }
}
