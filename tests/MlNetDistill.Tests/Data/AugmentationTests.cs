using Microsoft.ML;
using MlNetDistill.Core;
using MlNetDistill.Data;
using MlNetDistill.Networks;
using MlNetDistill.Tests.Support;

namespace MlNetDistill.Tests.Data;

public sealed class AugmentationTests
{
    private static readonly DistillationOptions Images = Rows.Quick(Teacher.Train(NetworkSpec.Mlp(8), epochs: 2)) with
    {
        ImageShape = InputShape.Image(1, 8, 8),
        Student = NetworkSpec.ResNet(8, 2, 2, 2, 2),
        Augmentations = [Augmentation.RandomCrop(1), Augmentation.HorizontalFlip(), Augmentation.CutMix()],
        MinimumTeacherAccuracy = 0,
        ValidationFraction = 0.25,
        Epochs = 2,
    };

    private readonly MLContext _context = Rows.Context();

    [Test]
    public void Images_are_augmented_for_the_student_and_its_teacher_the_same_way_for_the_same_seed()
    {
        var view = _context.Keyed(Picture.Some());
        var scores = _context.Fit(Images, view).Scores(view);
        Assert.Multiple(() =>
        {
            Assert.That(_context.Fit(Images, view).Scores(view), Is.EqualTo(scores));
            Assert.That(_context.Fit(Images with { Seed = 12 }, view).Scores(view), Is.Not.EqualTo(scores));
            Assert.That(_context.Fit(Images with { Augmentations = [] }, view).Scores(view), Is.Not.EqualTo(scores));
        });
    }

    [Test]
    public void A_student_learns_from_augmented_images()
    {
        var view = _context.Keyed(Picture.Some(128));
        var options = Images with { Student = NetworkSpec.Mlp(16), Epochs = 12, Augmentations = [Augmentation.RandomCrop(1), Augmentation.HorizontalFlip()] };
        Assert.That(_context.MulticlassClassification.Evaluate(_context.Fit(options, view).Transform(view), "Class").MicroAccuracy, Is.GreaterThan(0.95));
    }

    [Test]
    public void Vectors_are_mixed_with_weights_and_without_labels()
    {
        var rows = Rows.Points();
        for (var i = 0; i < rows.Length; i++)
            (rows[i].Label, rows[i].Weight) = (i % 4 == 1 ? "" : rows[i].Label, 1 + (i % 2));
        var toKey = _context.Transforms.Conversion.MapValueToKey("Class", "Label").Fit(_context.Data.LoadFromEnumerable(Rows.Points(3)));
        var view = toKey.Transform(_context.Data.LoadFromEnumerable(rows));
        var model = _context.Fit(Rows.Quick(Teacher.Train(NetworkSpec.Mlp(16), epochs: 6)) with
        {
            Augmentations = [Augmentation.MarginalSwap(0.1), Augmentation.GaussianNoise(0.1), Augmentation.Mixup()],
            ExampleWeightColumnName = "Weight",
            MissingLabels = MissingLabels.TeacherOnly,
        }, view);
        Assert.That(model.AccuracyOn(Rows.Points(90, seed: 6), _context.Keyed(Rows.Points(90, seed: 6))), Is.GreaterThan(0.9));
    }

    [Test]
    public void A_method_that_asks_no_teacher_may_augment_even_beside_one_that_reads_rows()
    {
        var view = _context.Keyed(Rows.Points());
        var options = Rows.Quick() with { Teacher = Teacher.FromEstimator(_context.Regression()), Augmentations = [Augmentation.Mixup()] };
        Assert.That(_context.Fit(options, view).AccuracyOn(Rows.Points(), view), Is.GreaterThan(0.9));
    }

    [Test]
    public void A_teacher_that_reads_rows_cannot_answer_for_augmented_ones() => Refuses(
        Rows.Quick(Teacher.FromEstimator(_context.Regression())) with { Augmentations = [Augmentation.Mixup()] },
        "Augmentations change the student's features, but a teacher that is an ML.NET model or reads a column of its own scores the unchanged rows, so its outputs " +
        "would not fit. Leave Augmentations empty, or use a teacher that is a network over the student's features. For more rows that any teacher can answer, set " +
        "TransferRows. (Parameter 'options')");

    [Test]
    public void Faults_are_named_when_the_trainer_is_made() => Refuses(
        Rows.Quick() with { Augmentations = [Augmentation.RandomCrop(0), Augmentation.Mixup(-1), Augmentation.CutMix()], Sampling = null! },
        string.Join(
            Environment.NewLine,
            "Sampling must be set; see BatchSampling.",
            "RandomCrop's padding must be at least 1; was 0.",
            "Mixup's alpha must be in [0.001, 1000]; was -1.",
            "Augmentations may contain one Mixup or one CutMix, not both; it contains 2. (Parameter 'options')"));

    [Test]
    public void A_missing_list_is_a_fault() => Refuses(
        Rows.Quick() with { Augmentations = null! }, "Augmentations must not be null; use an empty list for none. (Parameter 'options')");

    [Test]
    public void Rows_of_the_wrong_shape_are_refused_with_the_column()
    {
        var view = _context.Keyed(Rows.Points(30));
        Assert.That(
            () => _context.Fit(Rows.Quick() with { Augmentations = [Augmentation.HorizontalFlip()] }, view),
            Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.EqualTo(
                "HorizontalFlip works on images only; these rows are a vector of 4. Column 'Features' is a Vector<Single, 4>. (Parameter 'schema')"));
    }

    private static void Refuses(DistillationOptions options, string message) => Assert.That(
        () => new MLContext().MulticlassClassification.Trainers.Distill(options), Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.EqualTo(message));
}
