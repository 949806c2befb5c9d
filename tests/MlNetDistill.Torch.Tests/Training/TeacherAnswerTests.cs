using MlNetDistill.Data;
using MlNetDistill.Losses;
using MlNetDistill.Networks;
using MlNetDistill.Teachers;
using MlNetDistill.Training;

namespace MlNetDistill.Tests;

/// <summary>Answers of a teacher that are no numbers are the teacher's fault, and not that of the learning rate.</summary>
public sealed class TeacherAnswerTests
{
    private static readonly LoopSettings Named = new() { TeacherName = "the oracle" };

    [TestCase(float.NaN, 1)]
    [TestCase(float.NaN, 5)]
    [TestCase(float.PositiveInfinity, 5)]
    public void An_answer_that_is_no_number_is_named_in_its_step(float value, int step)
    {
        using var set = Toy.Clouds(rows: 96);
        using var network = Runs.Student(NetworkSpec.Mlp(2), set);
        var teacher = new SpoiledTeacher(value, step);
        Assert.That(
            () => Runs.Train(network, set, Runs.Stage(2, (0.5 * new CrossEntropyLoss()) + (0.5 * new KdLoss(2)), teacher, batchSize: 16, name: "KD"), settings: Named),
            Throws.TypeOf<InvalidOperationException>().With.Message.EqualTo(
                "The teacher (the oracle) gives logits that are NaN or infinite, in stage 'KD'. Check its weights and the scale of its input."));
        Assert.That(teacher.Asked, Is.EqualTo(step));
    }

    [Test]
    public void Augmented_rows_are_spoken_of()
    {
        using var set = Toy.Clouds(rows: 96);
        using var network = Runs.Student(NetworkSpec.Mlp(2), set);
        var settings = Named with { View = (positions, view) => Batch.Gather(set, positions) with { View = view } };
        Assert.That(
            () => Runs.Train(network, set, Runs.Stage(1, new KdLoss(2), new SpoiledTeacher(float.NaN, 2), batchSize: 16), settings: settings),
            Throws.TypeOf<InvalidOperationException>().With.Message.StartsWith("The teacher (the oracle) gives logits that are NaN or infinite for augmented rows, in stage 'stage'."));
    }

    [Test]
    public void Large_numbers_are_numbers()
    {
        using var set = Toy.Clouds(rows: 96);
        using var network = Runs.Student(NetworkSpec.Mlp(2), set);
        Assert.That(
            () => Runs.Train(network, set, Runs.Stage(1, new CrossEntropyLoss() + (1e-30 * new LogitMatchingLoss()), new SpoiledTeacher(1e16f, 3), batchSize: 16), settings: Named), Throws.Nothing);
    }

    [Test]
    public void A_row_of_which_a_cache_would_keep_no_number_is_named()
    {
        using var set = Toy.Clouds(rows: 300);
        var caching = TeacherCaching.InMemory(100) with { Name = "the oracle" };
        Assert.That(
            () => LiveOutputs.Enumerate(set, ModelOutputs.Logits, null, caching, 0, Query).Count(),
            Throws.InvalidOperationException.With.Message.StartsWith("The teacher (the oracle) gives outputs that are NaN or infinite for the row with id 217. Check its weights"));

        NetworkOutput Query(Batch batch, ModelOutputs wanted)
        {
            var logits = batch.Features.narrow(1, 0, 3).clone();
            if (batch.Positions[0].item<long>() == 200)
                logits[17, 1] = float.NegativeInfinity;
            return new NetworkOutput(logits);
        }
    }

    /// <summary>Its answers are numbers but for one row of one step.</summary>
    private sealed class SpoiledTeacher(float value, int step) : StageTeacher
    {
        public int Asked { get; private set; }

        public override OutputShapes Shapes => new(3);

        public override bool SupportsAugmentation => true;

        public override NetworkOutput Outputs(Batch batch, ModelOutputs wanted)
        {
            var logits = batch.Features.narrow(1, 0, 3).clone();
            if (++Asked == step)
                logits[5, 2] = value;
            return new NetworkOutput(logits);
        }
    }
}
