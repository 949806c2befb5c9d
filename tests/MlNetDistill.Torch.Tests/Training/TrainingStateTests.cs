using MlNetDistill.Core;
using MlNetDistill.Data;
using MlNetDistill.Losses;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Training;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

/// <summary>What training changes is plain data, which can be written in the middle of a run and read again.</summary>
public sealed class TrainingStateTests
{
    private static readonly Optimizer[] Optimizers = [Optimizer.Sgd(0.01), Optimizer.AdamW(0.01)];

    [TestCaseSource(nameof(Optimizers))]
    public void A_state_written_in_the_middle_of_a_run_holds_every_tensor_of_it_bit_for_bit(Optimizer optimizer) => InTheMiddleOfARun(optimizer, (state, saved) =>
    {
        using var loaded = Load(saved);
        using var scope = NewDisposeScope();
        var (there, here) = (loaded.Tensors(), state.Tensors());
        Assert.That(there.Keys, Is.EquivalentTo(here.Keys));
        foreach (var (name, value) in here)
        {
            Assert.That(there[name].dtype, Is.EqualTo(value.dtype), name);
            Assert.That(there[name].shape, Is.EqualTo(value.shape), name);
            Assert.That(Bytes(there[name]), Is.EqualTo(Bytes(value)), name);
        }
    });

    [Test]
    public void The_tensors_are_those_of_student_optimizer_projections_best_epochs_and_generators() => InTheMiddleOfARun(Optimizers[0], (state, _) =>
    {
        using var scope = NewDisposeScope();
        var names = state.Tensors().Keys.ToList();
        var weights = state.Student!.state_dict().Keys.ToList();
        foreach (var group in new[] { "student", "best", "stage/best" })
            Assert.That(names, Is.SupersetOf(weights.Select(weight => $"{group}/{weight}")));
        Assert.That(names.Count(name => name.StartsWith("stage/optimizer/student/", StringComparison.Ordinal)), Is.EqualTo(state.Student!.parameters().Count()));
        Assert.That(names, Has.Some.StartsWith("stage/projections/1.hint.0.").And.Some.StartsWith("stage/optimizer/projections/1.hint.0."));
        Assert.That(names, Is.SupersetOf(new[] { "generators/shuffling", "generators/projecting", "stage/generators/shuffling" }));
    });

    [Test]
    public void Counters_history_and_decisions_are_read_as_they_were_written() => InTheMiddleOfARun(Optimizers[1], (state, saved) =>
    {
        using var loaded = Load(saved);
        Assert.That((loaded.Phases, loaded.Epochs, loaded.Steps, loaded.Elapsed), Is.EqualTo((1, 2, 2L * 5, state.Elapsed)));
        Assert.That((loaded.Stage!.Name, loaded.Stage.Epoch, loaded.Stage.Step, loaded.Stage.OptimizerSteps), Is.EqualTo(("hint", 2, 10L, 10L)));
        Assert.That(loaded.Stage.Best.Result, Is.EqualTo(state.Stage!.Best.Result).And.Not.Null);
        Assert.That((loaded.Stage.QualityToBeat, loaded.Stage.LastImprovement), Is.EqualTo((state.Stage.QualityToBeat, state.Stage.LastImprovement)));
        Assert.That(loaded.Stage.FirstLosses, Is.EqualTo(state.Stage.FirstLosses));
        Assert.That(loaded.History.Select(h => $"{h}"), Is.EqualTo(state.History.Select(h => $"{h}")));
        Assert.That(loaded.History, Has.Count.EqualTo(2));
        Assert.That(loaded.Decisions, Is.EqualTo(new[] { new MethodDecision("the anchor after epoch 1", 2) }));
        Assert.That(Save(loaded), Is.EqualTo(saved), "written again, it is the same file");
    });

    [Test]
    public void Damaged_bytes_are_refused_or_read_as_they_were() => InTheMiddleOfARun(Optimizers[0], (_, saved) =>
    {
        var random = new Random(1);
        var header = 8 + BitConverter.ToInt32(saved);
        for (var i = 0; i < 240; i++)
        {
            var damaged = (byte[])saved.Clone();
            // A third each: the header's length and beginning, the whole header, the tensors.
            var at = (i % 3) switch { 0 => i / 3, 1 => random.Next(header), _ => random.Next(header, saved.Length) };
            damaged[at] ^= (byte)(1 << random.Next(8));
            try
            {
                using var loaded = Load(damaged);
                Assert.That(Save(loaded), Is.EqualTo(saved), $"byte {at}");
            }
            catch (InvalidDataException refused)
            {
                Assert.That(refused.Message, at < header ? Does.StartWith("The file of a training state cannot be read: ") : Does.Contain("the tensor '"));
            }
        }
    });

    [Test]
    public void A_damaged_tensor_is_named() => InTheMiddleOfARun(Optimizers[0], (_, saved) =>
    {
        saved[^1] ^= 1;
        Assert.That(() => Load(saved), Throws.TypeOf<InvalidDataException>().With.Message.EqualTo(
            "The file of a training state cannot be read: the tensor 'stage/generators/shuffling' does not match its SHA-256. " +
            "Give the file as it was written by this version, or train from the beginning."));
    });

    [Test]
    public void A_file_that_is_cut_off_or_goes_on_is_refused_before_anything_is_allocated() => InTheMiddleOfARun(Optimizers[0], (_, saved) =>
    {
        foreach (var length in new[] { 0, 7, 8, 100, saved.Length / 2, saved.Length - 1 })
            Assert.That(() => Load(saved[..length]), Throws.TypeOf<InvalidDataException>(), $"{length} bytes");
        Assert.That(() => Load([.. saved, 0]), Throws.TypeOf<InvalidDataException>());
        BitConverter.TryWriteBytes(saved, long.MaxValue);
        Assert.That(() => Load(saved), Throws.TypeOf<InvalidDataException>().With.Message.Contains("its header cannot be 9223372036854775807 bytes long"));
    });

    [Test]
    public void A_state_that_is_disposed_leaves_no_tensor() => InTheMiddleOfARun(Optimizers[0], (_, saved) =>
    {
        var before = Live();
        using (var loaded = Load(saved))
            Assert.That(Live() - before, Is.EqualTo(loaded.Tensors().Count));
        Assert.That(Live(), Is.EqualTo(before));
    });

    [TestCase("", "does not contain any JSON tokens")]
    [TestCase("null", "null")]
    [TestCase("{\"epochs\": 1, \"moments\": 2}", "moments")]
    [TestCase("{\"history\": [null]}", "A list has an entry that is null")]
    [TestCase("{\"decisions\": [null]}", "A list has an entry that is null")]
    [TestCase("{\"warnings\": [null]}", "A list has an entry that is null")]
    public void Counters_of_another_kind_are_refused_and_leave_no_tensor(string counters, string why)
    {
        using var scope = NewDisposeScope();
        using var stream = new MemoryStream();
        TensorFile.Write(stream, new Dictionary<string, Tensor> { ["student/weight"] = ones(3) }, counters);
        var before = Live();
        Assert.That(() => Load(stream.ToArray()), Throws.TypeOf<InvalidDataException>().With.Message.Match(
            $"^The file of a training state cannot be read: its counters are of another version: .*{why}.*\\. Give the file as it was written by this version, or train from the beginning\\.$"));
        Assert.That(Live(), Is.EqualTo(before));
    }

    [Test]
    public void Decisions_that_were_made_are_made_again_without_looking_at_the_student()
    {
        List<MethodDecision> decisions = [];
        var asked = 0;
        Assert.That(new MethodDecisions(decisions).Decide("which?", () => 3 + asked++), Is.EqualTo(3));
        Assert.That(decisions, Is.EqualTo(new[] { new MethodDecision("which?", 3) }));
        var again = new MethodDecisions(decisions);
        Assert.That((again.Decide("which?", () => 3 + asked++), again.Decide("and then?", () => 3 + asked++)), Is.EqualTo((3, 4)));
        Assert.That(() => new MethodDecisions(decisions).Decide("how many?", () => 0), Throws.InvalidOperationException.With.Message.StartsWith(
            "The method decides 'how many?', but the saved state of its training has 'which?' next"));
    }

    /// <summary>Trains two epochs on hints, with held-out rows, and hands out the state while the second one is reported.</summary>
    private static void InTheMiddleOfARun(Optimizer optimizer, Action<TrainingState, byte[]> look)
    {
        using var set = Toy.Clouds(rows: 96);
        using var drawing = new Generator(5);
        using var split = DataSplit.ByFraction(set, 0.25, drawing);
        using var teacher = Runs.Student(NetworkSpec.Mlp(12), set, seed: 9);
        using var student = Runs.Student(NetworkSpec.Mlp(5), set);
        TrainingState? state = null;
        var looked = false;
        var settings = new LoopSettings
        {
            OnCancellation = CancellationBehavior.ReturnBest,
            EarlyStopping = new EarlyStopping(),
            Report = progress =>
            {
                if (progress.Epoch != 2)
                    return;
                looked = true;
                look(state!, Save(state!));
            },
        };
        using var loop = new TrainingLoop(student, new MulticlassTask(student.LogitCount), set, split, new Seeds(1), "student", settings);
        state = loop.State;
        _ = new MethodDecisions(state.Decisions).Decide("the anchor after epoch 1", () => 2);
        loop.Run([Runs.Stage(3, new CrossEntropyLoss() + new HintLoss((0, 0)), MethodRun.Anchor(teacher).Teacher, optimizer: optimizer, name: "hint")]);
        Assert.That(looked, Is.True);
    }

    private static long Live() => TorchSharp.DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount;

    private static TrainingState Load(byte[] saved) => TrainingState.Load(new MemoryStream(saved));

    private static byte[] Save(TrainingState state)
    {
        using var stream = new MemoryStream();
        state.Save(stream);
        return stream.ToArray();
    }

    private static byte[] Bytes(Tensor tensor) => tensor.detach().contiguous().reshape(-1).bytes.ToArray();
}
