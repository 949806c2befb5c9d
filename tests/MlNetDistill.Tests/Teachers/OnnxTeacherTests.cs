using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Cache;
using MlNetDistill.Core;
using MlNetDistill.Data;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Teachers;
using MlNetDistill.Tests.Support;

namespace MlNetDistill.Tests.Teachers;

/// <summary>Real ONNX classifiers as teachers, from pipeline to student.</summary>
public sealed class OnnxTeacherTests
{
    private static readonly InputShape Picture32 = InputShape.Image(3, 32, 32);
    private static readonly string[] Letters = [.. Enumerable.Range('A', 26).Select(c => $"{(char)c}")];
    private static readonly OnnxOutputs All = new("logits", "features", ["stage1", "stage2", "stage3"]);
    private readonly MLContext _context = Rows.Context();

    public static IEnumerable<TestCaseData> Methods() => new (string Name, DistillationMethod Method, string Loss)[]
    {
        ("KD", DistillationMethod.Kd(), "kd"),
        ("DIST", DistillationMethod.Dist(), "dist"),
        ("CCKD", DistillationMethod.Cckd(), "correlationCongruence"),
        ("RCO", DistillationMethod.Rco(), "kd"),
        ("SSKD", DistillationMethod.Sskd(), "stageFeature"),
    }.Select(m => new TestCaseData(m.Method, m.Loss).SetArgDisplayNames(m.Name));

    [TestCaseSource(nameof(Methods))]
    public void CIFAR_ResNets_teach_by_every_method(DistillationMethod method, string loss)
    {
        var view = _context.Pictures(96);
        var (small, large) = (Cifar("cifar100-resnet20.onnx"), Cifar("cifar100-resnet56.onnx"));
        var model = _context.Fit(
            Images(method.NeedsRoute ? Route.FromTeachers(("ResNet-20", small), ("ResNet-56", large)) : large) with { Method = method, Epochs = 12 }, view);
        var losses = model.Model.History.Where(h => h.Losses.ContainsKey(loss)).GroupBy(h => h.Stage).First().Select(h => h.Losses[loss]).ToArray();
        Assert.Multiple(() =>
        {
            Assert.That(losses[^1], Is.LessThan(0.95 * losses[0]), string.Join(", ", losses));
            Assert.That(model.Scores(view), Has.Length.EqualTo(96));
        });
    }

    [Test]
    public void The_accuracy_that_a_preflight_finds_is_the_teachers()
    {
        var report = Trainer(Images(Cifar("cifar100-resnet56.onnx"))).Preflight(_context.Pictures());
        Assert.Multiple(() =>
        {
            Assert.That(report.Teacher!.RowsQueried, Is.EqualTo(256));
            Assert.That(report.Teacher.Accuracy, Is.EqualTo(GoldenAccuracy()).Within(1e-9));
            Assert.That(report.Teacher.Gives, Is.EqualTo(ModelOutputs.Logits | ModelOutputs.Embedding | ModelOutputs.StageFeatures));
            Assert.That(report.ToString(), Does.Contain("cifar100-resnet56.onnx"));
        });
    }

    [Test]
    public void A_teacher_of_raw_values_reads_a_column_of_its_own()
    {
        var pipeline = Lettered(new TeacherInput { ColumnName = "Features" }, DistillationMethod.Cckd());
        var letters = _context.Letters();
        var model = pipeline.Fit(letters);
        var right = model.Transform(letters).GetColumn<uint>("PredictedLabel").Zip(model.Transform(letters).GetColumn<uint>("Class"), (a, b) => a == b ? 1.0 : 0).Average();
        Assert.That(right, Is.GreaterThan(0.8));
    }

    [Test]
    public void A_teacher_fed_with_values_scaled_for_the_student_is_noticed() => Assert.That(
        () => Lettered(null, DistillationMethod.Kd()).Fit(_context.Letters()),
        Throws.InvalidOperationException.With.Message.Contains("Usually it reads a column that an earlier step of the pipeline changed or that is scaled differently than in its training"));

    [Test]
    public void Scores_from_a_column_of_its_own_belong_to_their_rows_in_whatever_order_they_come()
    {
        var letters = _context.Data.ShuffleRows(_context.Letters(), seed: 5);
        var model = Lettered(new TeacherInput { ColumnName = "Features" }, DistillationMethod.Kd(alpha: 1)).Fit(letters);
        var right = model.Transform(letters).GetColumn<uint>("PredictedLabel").Zip(model.Transform(letters).GetColumn<uint>("Class"), (a, b) => a == b ? 1.0 : 0).Average();
        Assert.That(right, Is.GreaterThan(0.8));
    }

    [Test]
    public void A_model_whose_batch_is_fixed_at_one_teaches_too()
    {
        var teacher = Teacher.FromOnnx(RealRows.PathOf("mnist.onnx"), input: new TeacherInput { Scale = 1 }, classNames: [.. Enumerable.Range(0, 10).Select(i => $"{i}")]);
        var (view, model) = FitLabelled(_context.Digits(), teacher, NetworkSpec.Mlp(32));
        Assert.That(Agreement(view, model), Is.GreaterThan(0.95));
    }

    [Test]
    public void An_iris_classifier_teaches_from_its_bytes_too()
    {
        string[] names = ["Iris-setosa", "Iris-versicolor", "Iris-virginica"];
        var file = Teacher.FromOnnx(RealRows.PathOf("iris-mlp.onnx"), classNames: names);
        var bytes = Teacher.FromOnnx(File.ReadAllBytes(RealRows.PathOf("iris-mlp.onnx")), classNames: names);
        var (view, model) = FitLabelled(_context.Irises(), file, NetworkSpec.Mlp(16));
        Assert.Multiple(() =>
        {
            Assert.That(Agreement(view, model), Is.GreaterThan(0.9));
            Assert.That(FitLabelled(_context.Irises(), bytes, NetworkSpec.Mlp(16)).Model.Scores(view), Is.EqualTo(model.Scores(view)));
        });
    }

    [Test]
    public void Augmented_rows_are_answered_live_or_from_views_drawn_beforehand()
    {
        using var folder = new ToyFolder();
        var view = _context.Pictures(64);
        var live = Images(Cifar("cifar100-resnet20.onnx")) with { Augmentations = [Augmentation.RandomCrop(), Augmentation.HorizontalFlip(), Augmentation.Mixup()], Epochs = 4 };
        var drawn = live with { TeacherCache = new TeacherCacheOptions { Folder = folder.Path, AugmentedViews = 2 } };
        var cold = _context.Fit(drawn, view).Scores(view);
        Assert.Multiple(() =>
        {
            Assert.That(_context.Fit(drawn, view).Scores(view), Is.EqualTo(cold));
            Assert.That(folder.Entries, Has.Length.EqualTo(1));
            Assert.That(_context.Fit(live, view).Scores(view), Is.Not.EqualTo(cold));
        });
    }

    [Test]
    public void Bytes_without_a_scale_are_refused_with_both_that_it_could_be() => Refused(
        Teacher.FromOnnx(RealRows.PathOf("cifar100-resnet20.onnx"), All),
        "the column contains bytes, and a model file does not state the range it was trained on. Set TeacherInput.Scale to 1 for 0..255, or to 1 / 255f for 0..1.");

    [Test]
    public void A_file_that_is_not_there_is_named() => Refused(Teacher.FromOnnx("nowhere/teacher.onnx"), "The ONNX model 'nowhere/teacher.onnx' does not exist");

    [Test]
    public void A_teacher_of_other_classes_is_refused() => Refused(
        Teacher.FromOnnx(RealRows.PathOf("cifar100-resnet20.onnx"), All, new TeacherInput { Scale = 1 / 255f }, classNames: [.. Enumerable.Range(1, 100).Select(i => $"{i}")]),
        "the teacher lacks '0'; the student lacks '100'. The teacher's 100 classes are '1', '2'");

    public static IEnumerable<TestCaseData> Inputs() => new (TeacherInput Input, string Fault)[]
    {
        (new() { Scale = float.NaN }, "TeacherInput.Scale must be a finite number other than 0; was NaN."),
        (new() { Scale = 0 }, "TeacherInput.Scale must be a finite number other than 0; was 0."),
        (new() { ColumnName = "" }, "TeacherInput.ColumnName must be a column name, or null for the student's features; was ''."),
        (new() { Layout = (ImageLayout)7 }, "; was 7."),
        (new() { Standardization = new([0], [0]) }, "TeacherInput.Standardization has 1 means and 1 deviations; it must have as many of both, finite, and the deviations above 0."),
        (new() { Standardization = new([0, float.NaN], [1, 1]) }, "TeacherInput.Standardization has 2 means and 2 deviations; it must have as many of both, finite, and the"),
        (new() { Standardization = new([0], [1, 1]) }, "TeacherInput.Standardization has 1 means and 2 deviations; it must have as many of both, finite, and the"),
    }.Select(i => new TestCaseData(i.Input, i.Fault).SetArgDisplayNames(i.Fault));

    [TestCaseSource(nameof(Inputs))]
    public void What_is_wrong_with_an_input_is_said_when_the_trainer_is_made(TeacherInput input, string fault) => Assert.That(
        () => Trainer(Images(Teacher.FromOnnx("any.onnx", input: input))), Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.Contains(fault));

    [Test]
    public void An_output_that_is_not_named_is_not_given() => Assert.That(
        () => Trainer(Images(Teacher.FromOnnx(RealRows.PathOf("cifar100-resnet20.onnx"))) with { Method = DistillationMethod.Sskd() }),
        Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.Contains("The method SSKD needs StageFeatures from its teacher, and this teacher gives only Logits."));

    [Test]
    public void A_column_of_its_own_and_augmentation_exclude_each_other() => Assert.That(
        () => Trainer(Images(Teacher.FromOnnx(RealRows.PathOf("cifar100-resnet20.onnx"), input: new TeacherInput { ColumnName = "Raw" })) with { Augmentations = [Augmentation.RandomCrop()] }),
        Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.Contains("reads a column of its own scores the unchanged rows"));

    private static Teacher Cifar(string file) => Teacher.FromOnnx(RealRows.PathOf(file), All, new TeacherInput { Scale = 1 / 255f });

    private static DistillationOptions Images(Teacher teacher) => new()
    {
        Teacher = teacher,
        Student = NetworkSpec.ResNet(8, Picture32, 4, 8, 16),
        LabelColumnName = "Class",
        BatchSize = 32,
        Optimizer = Optimizer.AdamW(0.02),
        Seed = 3,
    };

    private static double GoldenAccuracy()
    {
        var logits = System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(File.ReadAllBytes(RealRows.PathOf("cifar100-resnet56-first256-logits.f32"))).ToArray().Chunk(100);
        var labels = File.ReadAllBytes(RealRows.PathOf("cifar100-first256.bin")).Chunk(3074).Select(r => (int)r[1]);
        return logits.Zip(labels, (z, label) => Array.IndexOf(z, z.Max()) == label ? 1.0 : 0).Average();
    }

    private static double Agreement(IDataView view, ITransformer model) =>
        model.Transform(view).GetColumn<uint>("PredictedLabel").Zip(view.GetColumn<uint>("Class"), (a, b) => a == b ? 1.0 : 0).Average();

    private DistillationTrainer Trainer(DistillationOptions options) => _context.MulticlassClassification.Trainers.Distill(options);

    private void Refused(Teacher teacher, string message) => Assert.That(
        () => Trainer(Images(teacher)).Preflight(_context.Pictures(32)), Throws.InvalidOperationException.With.Message.Contains(message));

    private IEstimator<ITransformer> Lettered(TeacherInput? input, DistillationMethod method) => _context.Transforms.Conversion.MapValueToKey("Class", "Label")
        .Append(_context.Transforms.NormalizeMeanVariance("Scaled", "Features", fixZero: false))
        .Append(Trainer(new DistillationOptions
        {
            Teacher = Teacher.FromOnnx(RealRows.PathOf("letter-teacher.onnx"), new OnnxOutputs("logits", "features"), input, Letters),
            Student = NetworkSpec.Mlp(64),
            Method = method,
            LabelColumnName = "Class",
            FeatureColumnName = "Scaled",
            BatchSize = 50,
            Epochs = 40,
            Optimizer = Optimizer.AdamW(0.01),
            Seed = 3,
        }));

    private (IDataView View, ITransformer Model) FitLabelled(IDataView rows, Teacher teacher, NetworkSpec student)
    {
        var view = _context.Transforms.Conversion.MapValueToKey("Class", "Label").Fit(rows).Transform(rows);
        return (view, _context.Fit(Rows.Quick(teacher) with { Student = student, Epochs = 30, Optimizer = Optimizer.AdamW(0.01) }, view));
    }
}
