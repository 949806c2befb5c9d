using MlNetDistill.Extending.Tests.Kinds;
using MlNetDistill.Methods;
using static TorchSharp.torch;

namespace MlNetDistill.Extending.Tests;

/// <summary>A teacher that an application adds.</summary>
public sealed class CustomTeacherTests
{
    [Test]
    public void A_student_learns_from_it_alone()
    {
        var student = Points.Fit(TaughtBy(new LineTeacher()) with { Epochs = 30, Optimizer = Optimizer.AdamW(0.05) });

        Assert.That(student.Accuracy(), Is.GreaterThan(0.9));
    }

    [Test]
    public void It_is_asked_about_each_row_once_and_about_one_batch_again_and_knows_the_rows_of_the_fit()
    {
        var teacher = new LineTeacher();
        Points.Fit(TaughtBy(teacher));

        Assert.Multiple(() =>
        {
            // The first batch is asked about again in another order.
            Assert.That(teacher.Rows, Is.EqualTo(Points.Count + Points.Options.BatchSize));
            Assert.That(teacher.Context!.ClassNames, Is.EqualTo(new[] { "below", "above" }));
            Assert.That(teacher.Context.Classes, Is.EqualTo(2));
            Assert.That(teacher.Context.Data.Schema.Select(column => column.Name), Does.Contain("Label"));
        });
    }

    [Test]
    public void Classes_that_it_names_are_matched_by_name_and_not_by_position()
    {
        var student = Points.Fit(TaughtBy(new LineTeacher(["above", "below"])));
        var same = Points.Fit(TaughtBy(new LineTeacher()));

        Assert.That(student.Scores(), Is.EqualTo(same.Scores()));
    }

    [Test]
    public void It_may_answer_for_augmented_rows() =>
        Assert.DoesNotThrow(() => Points.Fit(TaughtBy(new LineTeacher(supportsAugmentation: true)) with { Augmentations = [new RandomScale(0.5)] }));

    [Test]
    public void Logits_in_another_order_than_the_rows_are_refused() =>
        Fails(new LineTeacher(spoil: logits => logits.flip(0)), "The teacher 'the line' gave other logits for the same rows in another order", "in the order of the batch");

    [Test]
    public void Logits_by_chance_are_refused() => Fails(new LineTeacher(spoil: logits => rand_like(logits)), "gave other logits for the same rows", "without random numbers");

    [Test]
    public void What_it_writes_into_a_batch_reaches_neither_step_nor_other_teachers()
    {
        static DistillationOptions Taught(Teacher teacher) =>
            Points.Options with { Teacher = teacher, Method = DistillationMethod.Kd(temperature: 1, alpha: 0.5), Augmentations = [new RandomScale(0.5)] };
        var writing = Points.Fit(Taught(new LineTeacher(supportsAugmentation: true, afterwards: batch => { batch.Features.zero_(); batch.Labels.zero_(); batch.Positions.zero_(); })));

        Assert.That(writing.Scores(), Is.EqualTo(Points.Fit(Taught(new LineTeacher(supportsAugmentation: true))).Scores()));
    }

    [Test]
    public void A_wrong_number_of_classes_is_named() =>
        Fails(new LineTeacher(classes: 3), "The teacher 'the line' has 3 classes in its Shapes, and the student has 2.");

    [Test]
    public void A_wrong_number_of_rows_is_named() =>
        Fails(new LineTeacher(spoil: logits => logits.narrow(0, 0, 1)), "The teacher 'the line' gave as logits Float32 [1, 2] for 16 rows");

    [Test]
    public void Logits_that_are_no_numbers_are_named_with_their_row() =>
        Fails(new LineTeacher(spoil: logits => logits.sigmoid().sub(1).log()), "The teacher 'the line' gave the logits NaN, NaN", "for the row with id");

    private static DistillationOptions TaughtBy(Teacher teacher) => Points.Options with { Teacher = teacher, Method = DistillationMethod.Kd(temperature: 1, alpha: 1) };

    private static void Fails(Teacher teacher, params string[] parts)
    {
        var error = Assert.Catch<InvalidOperationException>(() => Points.Fit(TaughtBy(teacher)));
        foreach (var part in parts)
            Assert.That(error!.Message, Does.Contain(part));
    }
}
