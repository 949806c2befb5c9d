using MlNetDistill.Cache;
using MlNetDistill.Core;
using MlNetDistill.Data;
using MlNetDistill.Networks;
using MlNetDistill.Teachers;
using static TorchSharp.torch;

namespace MlNetDistill.Tests.Teachers;

/// <summary>When a teacher with a record is asked, and when it is not.</summary>
public sealed class RecordableTeacherTests
{
    private readonly List<string> _warnings = [];
    private DirectoryInfo _folder = null!;

    [SetUp]
    public void MakeFolder()
    {
        _folder = Directory.CreateTempSubdirectory("MlNetDistill.Tests-");
        _warnings.Clear();
    }

    [TearDown]
    public void DeleteFolder() => _folder.Delete(recursive: true);

    [Test]
    public void Large_logits_in_half_precision_are_not_taken_for_another_teachers()
    {
        using var set = Toy.Clouds();
        Ask(set, In() with { Precision = CachePrecision.Half }, large: true);
        var warm = Ask(set, In() with { Precision = CachePrecision.Half }, large: true);
        Assert.Multiple(() =>
        {
            Assert.That(_warnings, Is.Empty);
            Assert.That(warm, Is.LessThan(set.Count));
        });
    }

    [Test]
    public void Another_teacher_is_noticed_in_half_precision_too()
    {
        using var set = Toy.Clouds();
        Ask(set, In() with { Precision = CachePrecision.Half }, large: true);
        Ask(set, In() with { Precision = CachePrecision.Half }, large: true, reversed: true);
        Assert.That(_warnings, Has.Count.EqualTo(1));
    }

    [Test]
    public void A_record_to_be_built_anew_is_built_once_in_a_run()
    {
        using var set = Toy.Clouds();
        Assert.That(Ask(set, In() with { Mode = CacheMode.Rebuild }, stages: 3), Is.LessThan(2 * set.Count));
    }

    [Test]
    public void Stage_features_that_are_kept_are_asked_for_once()
    {
        using var set = Toy.Clouds();
        Assert.That(Ask(set, new TeacherCacheOptions { KeepStageFeatures = true }, stages: 3, wanted: ModelOutputs.StageFeatures), Is.EqualTo(set.Count));
    }

    [Test]
    public void Activations_are_not_kept_for_two_teachers_at_a_time()
    {
        using var set = Toy.Clouds();
        using var network = Network(set);
        var recording = TeacherCaching(new TeacherCacheOptions { KeepStageFeatures = true });
        using var first = new Asked(network, recording, false, false);
        using var second = new Asked(network, recording, false, false);
        foreach (var teacher in new[] { first, second, second, first })
        {
            teacher.Begin(set, ModelOutputs.StageFeatures, null);
            teacher.End();
        }

        Assert.That(((long)first.Rows, (long)second.Rows), Is.EqualTo((2 * set.Count, set.Count)));
    }

    [Test]
    public void Members_of_an_ensemble_keep_nothing_once_there_is_their_mean()
    {
        using var set = Toy.Clouds();
        using var network = Network(set);
        var recording = TeacherCaching(new TeacherCacheOptions());
        using var member = new Asked(network, recording, false, false) { IsDear = true };
        using var ensemble = new EnsembleTeacher([member], [1], recording);
        ensemble.Begin(set, ModelOutputs.Logits, null);
        Assert.That(recording.Store.Room, Is.EqualTo(recording.Options.MemoryLimit));
    }

    [Test]
    public void The_memory_limit_holds_for_the_answers_of_all_teachers_of_a_run_together()
    {
        using var set = Toy.Clouds();
        using var network = Network(set);
        var bytes = set.Count * 3L * sizeof(float);
        var recording = TeacherCaching(new TeacherCacheOptions { MemoryLimit = bytes * 3 / 2 });
        using var first = new Asked(network, recording, false, false) { IsDear = true };
        using var second = new Asked(network, recording, false, false) { IsDear = true };
        first.Begin(set, ModelOutputs.Logits, null);
        second.Begin(set, ModelOutputs.Logits, null);
        using var scope = NewDisposeScope();
        var batch = Batch.Of(set, arange(20));
        Assert.Multiple(() =>
        {
            Assert.That(recording.Store.Room, Is.EqualTo(bytes / 2), "the second's are in a file");
            Assert.That(second.Outputs(batch, ModelOutputs.Logits).Logits.Equals(first.Outputs(batch, ModelOutputs.Logits).Logits));
        });
        first.Dispose();
        first.Dispose();
        Assert.That(recording.Store.Room, Is.EqualTo(bytes * 3 / 2));
    }

    [TestCase(1, false)]
    [TestCase(2, true)]
    public void Softened_logits_are_kept_only_where_there_is_room(int copies, bool kept)
    {
        using var scope = NewDisposeScope();
        using var softened = new SoftenedLogits(zeros(100, 3), (1200 * copies) - 1200);
        Assert.Multiple(() =>
        {
            Assert.That(softened.Get(2, arange(8)) is not null, Is.EqualTo(kept));
            Assert.That(softened.Get(3, arange(8)), Is.Null);
        });
    }

    private TeacherCacheOptions In() => new() { Folder = _folder.FullName };

    private TeacherCaching TeacherCaching(TeacherCacheOptions options) => new(
        new CacheStore(options, _folder.FullName, _ => { }, _warnings.Add, CancellationToken.None), 20);

    private static Network Network(InMemoryRows set) =>
        NetworkSpec.Mlp(8).Build(new NetworkInput(set.Shape, set.IsByte), set.Classes(), 5);

    private int Ask(
        InMemoryRows set, TeacherCacheOptions options, bool large = false, bool reversed = false, int stages = 1, ModelOutputs wanted = ModelOutputs.Logits)
    {
        using var network = Network(set);
        using var teacher = new Asked(network, TeacherCaching(options), large, reversed);
        for (var stage = 0; stage < stages; stage++)
        {
            teacher.Begin(set, wanted, null);
            teacher.End();
        }

        return teacher.Rows;
    }

    /// <summary>A teacher that counts the rows it is asked about.</summary>
    private sealed class Asked(Network network, TeacherCaching recording, bool large, bool reversed) : CacheableTeacher(recording)
    {
        public int Rows { get; private set; }

        public bool IsDear { get; init; }

        public override OutputShapes Shapes => network.GetOutputShapes();

        protected override bool KeepsOutputs => IsDear;

        protected override string ComputeContentHash() => "asked";

        protected override NetworkOutput ComputeOutputs(Batch batch, ModelOutputs wanted)
        {
            Rows += (int)batch.Positions.shape[0];
            using var noGrad = no_grad();
            var given = network.Forward(batch.Features, wanted);
            var logits = reversed ? given.Logits.neg() : given.Logits;
            return new NetworkOutput(
                large ? logits.Add(1000.3) : logits, wanted.HasFlag(ModelOutputs.Embedding) ? given.Embedding : null,
                wanted.HasFlag(ModelOutputs.StageFeatures) ? given.StageFeatures : null);
        }
    }
}
