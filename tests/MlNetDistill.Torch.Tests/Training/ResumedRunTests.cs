using MlNetDistill.Losses;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Training;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

/// <summary>A training that breaks off in some batch goes on from its last state, and ends as if it had not been interrupted.</summary>
public sealed class ResumedRunTests
{
    private string _folder = "";

    [SetUp]
    public void MakeFolder() => _folder = Directory.CreateTempSubdirectory("resumed-").FullName;

    [TearDown]
    public void RemoveFolder() => Directory.Delete(_folder, recursive: true);

    // The first phase has batches 1 to 15, the second 16 to 30: with the quiz it trains on 54 rows, in 4 batches an epoch.
    [TestCase(2)]
    [TestCase(6)]
    [TestCase(9)]
    [TestCase(18)]
    [TestCase(26)]
    public void A_training_that_breaks_off_goes_on_within_the_epoch(int batch) =>
        AssertSame(folder => new BreakableTraining(folder) { SpoiltStep = 2, EarlyStopping = new EarlyStopping(10) }, batch);

    [TestCase(10)]
    [TestCase(24)]
    public void A_training_that_saves_only_after_epochs_goes_on_at_the_end_of_one(int batch) =>
        AssertSame(folder => new BreakableTraining(folder) { Options = new() { Interval = null, EveryEpochs = 1 }, OnNonFinite = NonFiniteHandling.GoBack(), SpoiltStep = 2 }, batch);

    // AdamW corrects its means by the number of its steps.
    [TestCase(26)]
    public void A_teacher_that_trains_goes_on_with_the_steps_of_its_optimizer(int batch) =>
        AssertSame(folder => new BreakableTraining(folder) { TeacherOptimizer = Optimizer.AdamW(0.01) }, batch);

    [Test]
    public void A_loss_that_draws_from_the_generator_of_the_process_draws_the_same_numbers_after_an_interruption()
    {
        manual_seed(3);
        var whole = new BreakableTraining(Folder("whole")) { MoreLoss = new NoisyLoss() }.Train();
        manual_seed(3);
        Assert.That(() => new BreakableTraining(Folder("broken")) { MoreLoss = new NoisyLoss() }.Train(breaksIn: 8), Throws.TypeOf<PowerFailureException>());
        manual_seed(4);
        Assert.That(new BreakableTraining(Folder("broken")) { MoreLoss = new NoisyLoss() }.Train().Weights, Is.EqualTo(whole.Weights));
        manual_seed(4);
        Assert.That(new BreakableTraining(Folder("other")) { MoreLoss = new NoisyLoss() }.Train().Weights, Is.Not.EqualTo(whole.Weights));
    }

    [Test]
    public void Early_stopping_counts_the_epochs_before_the_interruption()
    {
        // Nothing is learnt, so that the first epoch is the best: the patience of 1 ends the phase with the second.
        BreakableTraining Create() => new(Folder("broken")) { LearningRate = 1e-12, EarlyStopping = new EarlyStopping(Patience: 1) };
        Assert.That(() => Create().Train(breaksIn: BreakableTraining.BatchesPerEpoch + 3), Throws.TypeOf<PowerFailureException>());
        Assert.That(Create().Train().History.Count(epoch => epoch.StartsWith("hints ", StringComparison.Ordinal)), Is.EqualTo(2));
    }

    [Test]
    public void A_training_that_has_ended_gives_its_student_and_its_history_again_and_trains_nothing()
    {
        var first = new BreakableTraining(Folder("ended")).Train();
        var again = new BreakableTraining(Folder("ended")).Train();
        Assert.That((again.Batches, again.WentOn), Is.EqualTo((0, (2 * BreakableTraining.EpochsOfPhase, true))));
        Assert.That((again.Weights, again.History, again.Elapsed), Is.EqualTo((first.Weights, first.History, first.Elapsed)));
        using var saved = Read("ended");
        Assert.That((saved.InterruptedPhase, saved.PhasesEnded, saved.EpochsOfStage), Is.EqualTo(((int?)null, int.MaxValue, 0)));
        Assert.That(Copied(saved.CopyBestWeights), Is.EqualTo(first.Weights), "an ended training has chosen its weights");
    }

    [TestCase(8, 1, 1)]
    [TestCase(21, 2, 1)]
    public void A_state_tells_where_its_training_broke_off(int batch, int phase, int epochs)
    {
        var broken = new BreakableTraining(Folder("broken"));
        Assert.That(() => broken.Train(batch), Throws.TypeOf<PowerFailureException>());
        using (var saved = Read("broken"))
            Assert.That((saved.InterruptedPhase, saved.PhasesEnded, saved.EpochsOfStage), Is.EqualTo(((int?)phase, phase - 1, epochs)), "within an epoch");
        var ofEpochs = new BreakableTraining(Folder("epochs")) { Options = new() { Interval = null, EveryEpochs = 1 } };
        Assert.That(() => ofEpochs.Train(batch), Throws.TypeOf<PowerFailureException>());
        using (var saved = Read("epochs"))
            Assert.That((saved.InterruptedPhase, saved.PhasesEnded, saved.EpochsOfStage), Is.EqualTo(((int?)phase, phase - 1, epochs)), "at its end");
    }

    [Test]
    public void The_last_and_the_best_weights_of_a_state_are_copied_into_a_network()
    {
        var broken = new BreakableTraining(Folder("broken")) { LearningRate = 0.5 };
        Assert.That(() => broken.Train(BreakableTraining.BatchesPerEpoch + 2), Throws.TypeOf<PowerFailureException>());
        double[] Reported(string group) => [.. broken.LastTensors.Where(t => t.Key.StartsWith($"{group}/", StringComparison.Ordinal)).SelectMany(t => t.Value)];
        using var saved = Read("broken");
        Assert.That(Copied(saved.CopyBestWeights), Is.EqualTo(Reported("student")), "one epoch, which is the best");
        Assert.That(Copied(saved.CopyWeights), Is.Not.EqualTo(Reported("student")), "one batch more");
    }

    [Test]
    public void The_state_of_another_network_is_refused_with_both_shapes()
    {
        Assert.That(() => new BreakableTraining(Folder("broken")).Train(3), Throws.TypeOf<PowerFailureException>());
        using var saved = Read("broken");
        using var set = Toy.Clouds();
        using var wider = Runs.Student(NetworkSpec.Mlp(6), set);
        using var deeper = Runs.Student(NetworkSpec.Mlp(5, 5), set);
        Assert.That(() => saved.CopyWeights(wider), Throws.TypeOf<InvalidDataException>().With.Message.Match(
            @"the tensor '.*' is Float32 \[5(, 4)?\], and in this training it is Float32 \[6(, 4)?\]"));
        Assert.That(() => saved.CopyWeights(deeper), Throws.TypeOf<InvalidDataException>());
    }

    [Test]
    public void A_state_without_a_stage_whose_training_has_not_ended_is_refused()
    {
        using var scope = NewDisposeScope();
        using var stream = new MemoryStream();
        TensorFile.Write(stream, new Dictionary<string, Tensor>(), "{}");
        stream.Position = 0;
        using var saved = new SavedState(TrainingState.Load(stream));
        using var stage = new StageState { Name = "stage" };
        Assert.That(() => saved.Restore(new TrainingState(), stage), Throws.TypeOf<InvalidDataException>().With.Message.Contains("it has no stage, and the training has not ended"));
        Assert.That(() => saved.RestoreStart(TrainingState.Start(null!, new(1), "student")), Throws.TypeOf<InvalidDataException>().With.Message.Contains(
            "the tensor 'stage/generators/shuffling' is missing"));
    }

    [Test]
    public void The_time_before_an_interruption_counts()
    {
        var pause = TimeSpan.FromSeconds(1);
        var isSlow = true;
        BreakableTraining Create() => new(Folder("slow"))
        {
            BeforeBatch = () =>
            {
                if (isSlow)
                    Thread.Sleep(pause);
                isSlow = false;
            },
        };
        Assert.That(() => Create().Train(3), Throws.TypeOf<PowerFailureException>());
        Assert.That(Create().Train().Elapsed, Is.GreaterThan(pause));
    }

    private void AssertSame(Func<string, BreakableTraining> create, int breaksIn)
    {
        var whole = create(Folder("whole")).Train();
        var broken = create(Folder("broken"));
        Assert.That(() => broken.Train(breaksIn), Throws.TypeOf<PowerFailureException>());
        var resumed = create(Folder("broken")).Train();
        Assert.That(resumed.WentOn, Is.Not.Null);
        Assert.That(resumed.Batches, Is.LessThan(whole.Batches));
        Assert.That(resumed.Weights, Is.EqualTo(whole.Weights));
        Assert.That(resumed.History, Is.EqualTo(whole.History));
        Assert.That(resumed.LastCounters, Is.EqualTo(whole.LastCounters));
        Assert.That(resumed.LastTensors.Keys, Is.EquivalentTo(whole.LastTensors.Keys));
        // The process has one generator, which other tests draw from.
        foreach (var (name, values) in whole.LastTensors.Where(t => !t.Key.EndsWith("/process", StringComparison.Ordinal)))
            Assert.That(resumed.LastTensors[name], Is.EqualTo(values), name);
        Assert.That(broken.Warnings.Concat(resumed.Warnings).Distinct(), Is.EquivalentTo(whole.Warnings.Distinct()));
    }

    private string Folder(string name) => Directory.CreateDirectory(Path.Combine(_folder, name)).FullName;

    private SavedState Read(string folder) => new(CheckpointFiles.Read(CheckpointFiles.Find(Folder(folder), "student")[0]));

    private static double[] Copied(Action<Network> copy)
    {
        using var set = Toy.Clouds();
        using var network = Runs.Student(NetworkSpec.Mlp(5), set, seed: 77);
        copy(network);
        return Runs.State(network);
    }

    private sealed class NoisyLoss : DistillationLoss
    {
        public override string Name => "noisy";

        public override ModelOutputs TeacherNeeds => ModelOutputs.None;

        public override Tensor Evaluate(LossInputs inputs) => nn.functional.cross_entropy(inputs.Student.Logits.add(randn_like(inputs.Student.Logits)), inputs.Labels);
    }
}
