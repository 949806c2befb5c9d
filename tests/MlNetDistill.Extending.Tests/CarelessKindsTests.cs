using MlNetDistill.Core;
using MlNetDistill.Data;
using MlNetDistill.Extending.Tests.Kinds;
using MlNetDistill.Losses;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace MlNetDistill.Extending.Tests;

/// <summary>Kinds of an application that write into what they are given, dispose of it, or take random numbers from elsewhere: the student would be wrong without a word.</summary>
public sealed class CarelessKindsTests
{
    [Test]
    public void A_loss_that_writes_into_labels_is_named() =>
        Fails(Taught(inputs => inputs.Labels.zero_()), "The loss term 'careless' wrote into labels or weights, which other terms and the training read too.");

    [Test]
    public void A_loss_that_writes_into_log_probabilities_is_named() =>
        Fails(Taught(inputs => inputs.TeacherLogProbabilities(4).zero_()), "The loss term 'careless' wrote into log-probabilities");

    [Test]
    public void A_loss_that_writes_into_the_teachers_outputs_is_named() =>
        Fails(Taught(inputs => inputs.Teacher.Logits.zero_(), ModelOutputs.Logits), "The loss term 'careless' wrote into outputs of the teacher");

    [TestCase(false)]
    [TestCase(true)]
    public void A_sampler_that_writes_into_the_labels_of_the_rows_is_named(bool late) => Fails(
        Points.Options with { Sampling = new InOrder(Prepared: rows => rows.Labels.zero_(), Late: late) },
        "The sampler Ordered of stage 'labels only' wrote into the labels of the rows", "Labels.clone()");

    [Test]
    public void A_sampler_that_disposes_of_the_labels_of_the_rows_is_named() => Fails(
        Points.Options with { Sampling = new InOrder(Prepared: rows => rows.Labels.Dispose()) }, "The sampler Ordered of stage 'labels only' disposed of the labels of the rows");

    [Test]
    public void A_teacher_that_writes_into_the_labels_of_the_rows_is_named()
    {
        var options = Points.Options with { Method = DistillationMethod.Kd(temperature: 1, alpha: 0.5) };
        Fails(options with { Teacher = new LineTeacher(prepared: rows => rows.Labels.zero_()) }, "Prepare of the teacher 'the line' wrote into the labels of the rows");
        Fails(options with { Teacher = new LineTeacher(afterwards: batch => batch.Set.Labels.zero_()) }, "Outputs of the teacher 'the line' wrote into the labels of the rows");
    }

    private static IEnumerable<TestCaseData> NotByRow()
    {
        yield return new(Change("chance", (rows, _) => rows.add(rand_like(rows)))) { TestName = "random numbers of torch" };
        var random = new Random(1);
        yield return new(Change("System.Random", (rows, _) => rows.MultiplyBy(random.NextDouble()))) { TestName = "random numbers of System.Random" };
        yield return new(Change("mean", (rows, _) => rows.sub(rows.mean([0], keepdim: true)))) { TestName = "the mean of the batch" };
        yield return new(Change("neighbour", (rows, _) => rows.add(rows.roll(1, 0)))) { TestName = "the row before" };
        yield return new(Change("order", (rows, draws) => rows.mul(draws.Uniform("scale").flip(0).reshape(-1, 1)))) { TestName = "another row's draws" };
    }

    [TestCaseSource(nameof(NotByRow))]
    public void An_augmentation_by_more_than_row_and_draws_is_named(FeatureAugmentation augmentation) => Fails(
        Points.Options with { Augmentations = [augmentation] },
        $"The augmentation {augmentation} gave different values for the same rows", "Take random numbers from the RowDraws");

    [Test]
    public void An_augmentation_that_rounds_to_bytes_is_named_with_both_types() => Fails(
        Points.Options with { Augmentations = [Change("bytes", (rows, _) => rows.to(ScalarType.Byte))] }, "returned Byte for rows of Float32", "return Float32");

    [Test]
    public void An_augmentation_may_dispose_of_the_rows_that_it_was_given()
    {
        static Tensor Doubled(Tensor rows, RowDraws _) => rows.MultiplyBy(2);
        static Tensor Freed(Tensor rows, RowDraws _)
        {
            using (rows)
                return rows.MultiplyBy(2);
        }

        Assert.That(
            Points.Fit(Points.Options with { Augmentations = [Change("freed", Freed)] }).Scores(),
            Is.EqualTo(Points.Fit(Points.Options with { Augmentations = [Change("doubled", Doubled)] }).Scores()));
    }

    [Test]
    public void An_optimiser_that_disposes_of_what_it_was_given_is_named() => Assert.Multiple(() =>
    {
        Fails(Points.Options with { Optimizer = new CarelessDescent(parameter => parameter.Value.Dispose()) }, "The optimizer CarelessDescent", "disposed of the weights of 'student/");
        Fails(Points.Options with { Optimizer = new CarelessDescent(parameter => parameter.Tensor("velocity").Dispose()) }, "disposed of the tensor 'velocity' of 'student/");
    });

    private static CarelessChange Change(string name, Func<Tensor, RowDraws, Tensor> change) => new(name, change);

    private static DistillationOptions Taught(Action<LossInputs> harm, ModelOutputs reads = ModelOutputs.None) => Points.Options with
    {
        Teacher = new LineTeacher(),
        Method = DistillationMethod.FromLoss("both", (0.5 * new KdLoss(4)) + (0.5 * new CarelessLoss(harm, reads))),
    };

    private static void Fails(DistillationOptions options, params string[] parts)
    {
        var error = Assert.Catch<InvalidOperationException>(() => Points.Fit(options));
        foreach (var part in parts)
            Assert.That(error!.Message, Does.Contain(part));
    }
}
