using MlNetDistill.Data;
using MlNetDistill.Networks;
using MlNetDistill.Teachers;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

public sealed class TeacherRecordTests
{
    private TrainingSet _set = null!;

    [SetUp]
    public void MakeSet() => _set = Toy.Set(zeros(3, 1), [0, 1, 0], InputShape.Vector(1), 2);

    [TearDown]
    public void DisposeOfSet() => _set.Dispose();

    [Test]
    public void Logits_come_in_the_order_of_the_set_by_row_id()
    {
        using var record = Record([2, 0, 7, 1], [[20, 21], [0, 1], [70, 71], [10, 11]]);
        using var logits = record.LogitsFor(_set);
        Assert.That(Near.Values(logits), Is.EqualTo(new double[] { 0, 1, 10, 11, 20, 21 }));
    }

    [Test]
    public void Logits_in_the_same_order_come_as_they_are_and_outlive_neither_record_nor_caller()
    {
        using var record = Record([0, 1, 2], [[0, 1], [10, 11], [20, 21]]);
        var logits = record.LogitsFor(_set);
        Assert.That(Near.Values(logits), Is.EqualTo(new double[] { 0, 1, 10, 11, 20, 21 }));
        logits.Dispose();
        Assert.That(record.Logits.IsInvalid, Is.False);
    }

    [Test]
    public void A_row_id_is_both_of_its_halves()
    {
        using var record = new TeacherRecord([new RowId(0, 1), .. Toy.Ids(3)], tensor(new[,] { { 9f }, { 1f }, { 2f }, { 3f } }));
        using var logits = record.LogitsFor(_set);
        Assert.That(Near.Values(logits), Is.EqualTo(new double[] { 1, 2, 3 }));
    }

    [Test]
    public void A_row_the_teacher_did_not_answer_is_named()
    {
        using var record = Record([2, 0], [[20, 21], [0, 1]]);
        Assert.That(() => record.LogitsFor(_set), Throws.InvalidOperationException.With.Message.EqualTo(
            "The teacher gave no scores for row id 1 (training row 1); its data view must hold the rows of the training data."));
    }

    [Test]
    public void Two_different_answers_for_one_row_are_refused()
    {
        using var record = Record([0, 1, 2, 1], [[0, 1], [10, 11], [20, 21], [10, 12]]);
        Assert.That(() => record.LogitsFor(_set), Throws.InvalidOperationException.With.Message.EqualTo(
            "The teacher answered row id 1 twice, differently. Row ids must be unique."));
    }

    [Test]
    public void The_same_answer_twice_does_no_harm()
    {
        using var record = Record([0, 1, 2, 1], [[0, 1], [10, 11], [20, 21], [10, 11]]);
        using var logits = record.LogitsFor(_set);
        Assert.That(Near.Values(logits), Is.EqualTo(new double[] { 0, 1, 10, 11, 20, 21 }));
    }

    [TestCase(float.NaN)]
    [TestCase(float.PositiveInfinity)]
    [TestCase(float.NegativeInfinity)]
    public void Logits_that_are_not_finite_are_refused(float bad) => Assert.That(
        () => Record([0], [[1, bad]]),
        Throws.ArgumentException.With.Message.StartsWith("The teacher's logits must be finite; some are NaN or infinite."));

    [Test]
    public void Logits_of_the_wrong_shape_or_type_are_refused()
    {
        using var scope = NewDisposeScope();
        Assert.That(() => new TeacherRecord(Toy.Ids(3), zeros(2, 4)), Throws.ArgumentException.With.Message.StartsWith(
            "A teacher record of 3 rows needs 3×K 32-bit floats; got [2, 4] Float32."));
        Assert.That(() => new TeacherRecord(Toy.Ids(3), zeros(3, 4, float64)), Throws.ArgumentException.With.Message.StartsWith(
            "A teacher record of 3 rows needs 3×K 32-bit floats; got [3, 4] Float64."));
    }

    [Test]
    public void A_recorded_teacher_answers_for_the_rows_of_a_batch()
    {
        using var scope = NewDisposeScope();
        using var record = Record([2, 0, 1], [[20, 21], [0, 1], [10, 11]]);
        using var teacher = new RecordedTeacher(record, _set, CPU);
        var output = teacher.Outputs(Batch.Of(_set, tensor(new long[] { 1, 2 })), OutputKinds.Logits);
        Assert.That(Near.Values(output.Logits), Is.EqualTo(new double[] { 10, 11, 20, 21 }));
        Assert.That((teacher.Classes, teacher.Provides), Is.EqualTo((2, OutputKinds.Logits)));
    }

    [Test]
    public void A_recorded_teacher_refuses_other_sets_and_augmented_views()
    {
        using var scope = NewDisposeScope();
        using var other = Toy.Set(zeros(3, 1), [0, 1, 0], InputShape.Vector(1), 2);
        using var record = Record([0, 1, 2], [[0, 1], [10, 11], [20, 21]]);
        using var teacher = new RecordedTeacher(record, _set, CPU);
        var rows = tensor(new long[] { 0 });
        const string Message = "A recorded teacher answers only for the unaugmented rows it was asked about.";
        Assert.That(() => teacher.Outputs(Batch.Of(other, rows), OutputKinds.Logits), Throws.InvalidOperationException.With.Message.EqualTo(Message));
        Assert.That(() => teacher.Outputs(Batch.Of(_set, rows) with { View = 1 }, OutputKinds.Logits), Throws.InvalidOperationException.With.Message.EqualTo(Message));
    }

    private static TeacherRecord Record(ulong[] ids, float[][] logits) =>
        new([.. ids.Select(id => new RowId(id, 0))], tensor(logits.SelectMany(row => row).ToArray()).reshape(ids.Length, -1));
}
