using Microsoft.ML;
using MlNetDistill.Data;
using MlNetDistill.Losses;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Tests.Support;

namespace MlNetDistill.Tests.Methods;

/// <summary>Every method through the trainer: a model that predicts, saves and loads; unlabelled rows; what it cannot do is said.</summary>
public sealed class EveryMethodTests
{
    private readonly MLContext _context = Rows.Context();
    private readonly Point[] _rows = Rows.Points();
    private readonly IDataView _view;

    public EveryMethodTests() => _view = _context.Keyed(_rows);

    public static IEnumerable<TestCaseData> Methods() => EveryMethod.All.Select(m => new TestCaseData(m.Method).SetArgDisplayNames(m.Name));

    [TestCaseSource(nameof(Methods))]
    public void The_student_of_every_method_predicts_well_saved_and_loaded_too(DistillationMethod method)
    {
        using var folder = new ToyFolder();
        var model = _context.Fit(Options(method), _view);
        Assert.That(model.AccuracyOn(_rows, _view), Is.GreaterThan(0.9));
        var path = Path.Combine(folder.Path, "student.zip");
        model.SaveAtomically(path);
        var loaded = Rows.Context().Loaded(path);
        Assert.That(loaded.Scores(_view), Is.EqualTo(model.Scores(_view)));
    }

    [TestCaseSource(nameof(Methods))]
    [Category("NoCulture")]
    public void Every_method_learns_from_rows_without_labels_by_its_teachers_signal(DistillationMethod method)
    {
        // Nine of ten rows have no label.
        var sparse = _rows.Select((row, i) => new Point { Label = i % 10 == 0 ? row.Label : "", Features = row.Features }).ToArray();
        var loaded = _context.Data.LoadFromEnumerable(sparse);
        var keys = _context.Data.LoadFromEnumerable(Rows.Classes.Select(name => new { Label = name }));
        var view = _context.Transforms.Conversion.MapValueToKey("Class", "Label", keyData: keys).Fit(loaded).Transform(loaded);
        var model = _context.Fit(Options(method) with { MissingLabels = MissingLabels.TeacherOnly, BatchSize = 24 }, view);
        Assert.That(model.AccuracyOn(_rows, _view), Is.GreaterThan(0.8));
    }

    [TestCaseSource(nameof(Methods))]
    [Category("NoCulture")]
    public void Every_method_gives_the_same_student_for_the_same_seed(DistillationMethod method)
    {
        var options = Options(method) with { Epochs = 4 };
        Assert.That(_context.Fit(options, _view).Scores(_view), Is.EqualTo(_context.Fit(options, _view).Scores(_view)));
    }

    [TestCaseSource(nameof(Methods))]
    [Category("NoCulture")]
    public void Every_method_trains_a_student_of_images(DistillationMethod method)
    {
        var view = _context.Keyed(Picture.Some());
        var model = _context.Fit(
            Options(method) with
            {
                Teacher = Route.Train(NetworkSpec.ResNet(8, Core.InputShape.Image(1, 8, 8), 4, 6, 8), every: 2, epochs: 4),
                Student = EveryMethod.StudentFor(method, NetworkSpec.ResNet(8, Core.InputShape.Image(1, 8, 8), 2, 4, 6), 8),
                Epochs = 20,
            },
            view);
        var right = model.Predictions(view).Zip(Picture.Some(), (predicted, row) => predicted == (row.Label == "above" ? 0 : 1));
        Assert.That(right.Average(r => r ? 1.0 : 0), Is.GreaterThan(0.9), "chance is a half");
    }

    [Test]
    public void A_method_that_reads_features_refuses_an_ML_NET_model_as_teacher()
    {
        var teacher = Teacher.FromEstimator(_context.Regression());
        Assert.That(
            () => _context.MulticlassClassification.Trainers.Distill(Rows.Quick(teacher) with { Method = DistillationMethod.Sskd() }),
            Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.Contains(
                "The method SSKD needs StageFeatures from its teacher, and this teacher gives only Logits. " +
                "A network (Teacher.Train, Route.Train, or Teacher.FromOnnx, FromTorchScript or FromModule with their outputs named) gives logits, embedding and stage features; "));
        Assert.That(
            () => _context.MulticlassClassification.Trainers.Distill(Rows.Quick(teacher) with { Method = DistillationMethod.Cckd() }),
            Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.Contains("The method CCKD needs Embedding from its teacher"));
    }

    [Test]
    public void CCKD_learns_from_an_ML_NET_model_by_its_logits_where_told_to()
    {
        var log = new RowsLog(_context);
        var options = Rows.Quick(Teacher.FromEstimator(_context.Regression())) with
        {
            Method = DistillationMethod.Cckd(beta: 1, missingEmbedding: MissingEmbedding.UseLogits),
            Epochs = 10,
        };
        Assert.That(_context.Fit(options, _view).AccuracyOn(_rows, _view), Is.GreaterThan(0.9));
        Assert.That(log.Lines, Has.Some.EqualTo("CCKD: the teacher gives no embeddings; the correlations are those of the logits."));
    }

    [Test]
    public void A_term_over_pairs_of_rows_refuses_example_weights()
    {
        foreach (var method in new[] { DistillationMethod.Dist(), DistillationMethod.Cckd(), DistillationMethod.Rco(DistillationMethod.Dist()) })
        {
            Assert.That(
                () => _context.MulticlassClassification.Trainers.Distill(
                    Rows.Quick(Route.Train(NetworkSpec.Mlp(8))) with { Method = method, ExampleWeightColumnName = "Weight" }),
                Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.Contains(
                    $"The method {method.Name} has a loss over pairs of rows, to which example weights cannot be applied; leave out ExampleWeightColumnName."));
        }
    }

    [Test]
    public void A_term_that_needs_one_label_for_each_row_refuses_mixup() => Assert.That(
        () => _context.MulticlassClassification.Trainers.Distill(Rows.Quick(Teacher.Train(NetworkSpec.Mlp(8))) with
        {
            Method = DistillationMethod.FromLoss("DKD", new CrossEntropyLoss() + new DkdLoss(4)),
            Augmentations = [Augmentation.Mixup(0.2)],
        }),
        Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.Contains(
            "The method DKD needs one label for each row, and Mixup and CutMix mix labels; leave them out of Augmentations."));

    public static IEnumerable<TestCaseData> MethodsForMixedRows() => Methods().Where(method => !((DistillationMethod)method.Arguments[0]!).NeedsHardLabels);

    [TestCaseSource(nameof(MethodsForMixedRows))]
    [Category("NoCulture")]
    public void Every_method_trains_on_mixed_rows(DistillationMethod method)
    {
        var model = _context.Fit(Options(method) with { Augmentations = [Augmentation.Mixup(0.2)] }, _view);
        Assert.That(model.AccuracyOn(_rows, _view), Is.GreaterThan(0.85));
    }

    [Test]
    public void DIST_on_two_classes_warns_in_the_log()
    {
        var log = new RowsLog(_context);
        var view = _context.Keyed(Rows.Points().Where(r => r.Label != "cedar"));
        _context.Fit(Rows.Quick(Teacher.Train(NetworkSpec.Mlp(8))) with { Method = DistillationMethod.Dist() }, view);
        Assert.That(log.Warnings, Has.Some.Contains("With two classes the inter-class relation of DIST has no gradient"));
    }

    [Test]
    public void The_epochs_of_each_stage_are_logged_and_kept_with_the_student()
    {
        var log = new RowsLog(_context);
        var model = _context.Fit(Rows.Quick(Teacher.Train(NetworkSpec.Mlp(8, 6))) with { Method = DistillationMethod.Sskd() }, _view);
        const string Budget = "SSKD divides 6 epochs: stage 1 (student tap 0 from teacher tap 1) 3, head 3.";
        Assert.That(log.Lines, Has.Some.EqualTo(Budget));
        Assert.That(model.Model.Notes, Is.EqualTo(new[] { Budget }));
    }

    private static DistillationOptions Options(DistillationMethod method) => Rows.Quick(Route.Train(NetworkSpec.Mlp(16), every: 4, epochs: 8)) with
    {
        Student = EveryMethod.StudentFor(method, NetworkSpec.Mlp(8), 16),
        Method = method,
        Epochs = 16,
    };
}
