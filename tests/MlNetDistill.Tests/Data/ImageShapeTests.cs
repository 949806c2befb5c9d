using Microsoft.ML;
using MlNetDistill.Core;
using MlNetDistill.Networks;
using MlNetDistill.Tests.Support;

namespace MlNetDistill.Tests.Data;

public sealed class ImageShapeTests
{
    private static readonly DistillationOptions Tiny = Rows.Quick() with { Student = NetworkSpec.ResNet(8, 4, 4, 4), Epochs = 2 };

    private readonly MLContext _context = Rows.Context();

    [Test]
    public void A_shape_that_does_not_multiply_to_the_vector_length_is_refused() => Refuses(
        Tiny with { ImageShape = InputShape.Image(1, 8, 9) },
        _context.Keyed(Picture.Some(8)),
        "An image of 1×8×9 has 72 values; column 'Features' has 64 (Vector<Byte, 64>). Give the shape as channels, height, width. (Parameter 'schema')");

    [Test]
    public void A_network_for_images_asks_for_their_shape_where_the_column_does_not_say_it() => Refuses(
        Tiny,
        _context.Keyed(Picture.Some(8)),
        "ResNet-8 4/4/4/4 reads images, and column 'Features' is a Vector<Byte, 64>, which does not say its shape. " +
        "Give ImageShape = InputShape.Image(channels, height, width) in the options or with the network. (Parameter 'schema')");

    [Test]
    public void Images_too_small_for_a_ResNet_are_refused_before_training() => Refuses(
        Tiny with { ImageShape = InputShape.Image(1, 4, 16) },
        _context.Keyed(Picture.Some(8)),
        "ImageShape: A ResNet reads images of at least 8×8 pixels; these are 1×4×16. (Parameter 'options')");

    [Test]
    public void Shapes_that_differ_are_refused_when_the_trainer_is_made() => Assert.That(
        () => _context.MulticlassClassification.Trainers.Distill(
            Tiny with { Student = NetworkSpec.ResNet(8, InputShape.Image(1, 8, 8), 2, 2, 2), ImageShape = InputShape.Image(1, 16, 4) }),
        Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.EqualTo(
            "The image shapes differ: 1×16×4, 1×8×8. ImageShape, the student and the teacher's networks read the same column; give the same shape. (Parameter 'options')"));

    [Test]
    public void Bytes_are_learnt_from_as_they_are()
    {
        var view = _context.Keyed(Picture.Some());
        var model = _context.Fit(Tiny with { ImageShape = InputShape.Image(1, 8, 8), Epochs = 4 }, view);
        Assert.Multiple(() =>
        {
            Assert.That(model.Model.Input.IsByte, Is.True);
            Assert.That(_context.MulticlassClassification.Evaluate(model.Transform(view), "Class").MicroAccuracy, Is.GreaterThan(0.9));
        });
    }

    [Test]
    public void A_shape_given_with_the_student_counts_as_one_in_the_options()
    {
        var model = _context.Fit(Tiny with { Student = NetworkSpec.ResNet(8, InputShape.Image(1, 8, 8), 2, 2, 2), Epochs = 1 }, _context.Keyed(Picture.Some(16)));
        Assert.That(model.Model.Input.Shape, Is.EqualTo(InputShape.Image(1, 8, 8)));
    }

    [Test]
    public void A_shape_given_with_a_teacher_trained_on_the_spot_serves_a_student_that_reads_vectors()
    {
        var view = _context.Keyed(Picture.Some(16));
        var teacher = Teacher.Train(NetworkSpec.ResNet(8, InputShape.Image(1, 8, 8), 2, 2, 2), epochs: 1);
        var model = _context.Fit(Rows.Quick(teacher) with { Epochs = 1, MinimumTeacherAccuracy = 0 }, view);
        Assert.That(model.Model.Input.Shape, Is.EqualTo(InputShape.Image(1, 8, 8)));
    }

    private void Refuses(DistillationOptions options, IDataView view, string message) =>
        Assert.That(() => _context.Fit(options, view), Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.EqualTo(message));
}
