using MlNetDistill.Cache;
using MlNetDistill.Core;
using MlNetDistill.Data;
using MlNetDistill.Networks;
using MlNetDistill.Teachers;
using static TorchSharp.torch;

namespace MlNetDistill.Tests.Teachers;

/// <summary>When a teacher with a cache is queried, and when it is not.</summary>
public sealed class CacheableTeacherTests
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
    public void Large_logits_in_half_precision_are_not_mistaken_for_those_of_another_teacher()
    {
        using var set = Toy.Clouds();
        Query(set, In() with { Precision = CachePrecision.Half }, large: true);
        var warm = Query(set, In() with { Precision = CachePrecision.Half }, large: true);
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
        Query(set, In() with { Precision = CachePrecision.Half }, large: true);
        Query(set, In() with { Precision = CachePrecision.Half }, large: true, reversed: true);
        Assert.That(_warnings, Has.Count.EqualTo(1));
    }

    [Test]
    public void A_cache_to_be_rebuilt_is_rebuilt_once_in_a_run()
    {
        using var set = Toy.Clouds();
        Assert.That(Query(set, In() with { Mode = CacheMode.Rebuild }, stages: 3), Is.LessThan(2 * set.Count));
    }

    [Test]
    public void Kept_stage_features_are_computed_once()
    {
        using var set = Toy.Clouds();
        Assert.That(Query(set, new TeacherCacheOptions { KeepStageFeatures = true }, stages: 3, wanted: ModelOutputs.StageFeatures), Is.EqualTo(set.Count));
    }

    [Test]
    public void Stage_features_of_only_one_teacher_are_kept_at_a_time()
    {
        using var set = Toy.Clouds();
        using var network = Network(set);
        var caching = TeacherCaching(new TeacherCacheOptions { KeepStageFeatures = true });
        using var first = new CountingTeacher(network, caching, false, false);
        using var second = new CountingTeacher(network, caching, false, false);
        foreach (var teacher in new[] { first, second, second, first })
        {
            teacher.Begin(set, ModelOutputs.StageFeatures, null);
            teacher.End();
        }

        Assert.That(((long)first.Rows, (long)second.Rows), Is.EqualTo((2 * set.Count, set.Count)));
    }

    [Test]
    public void Members_of_an_ensemble_keep_nothing_once_their_mean_is_cached()
    {
        using var set = Toy.Clouds();
        using var network = Network(set);
        var caching = TeacherCaching(new TeacherCacheOptions());
        using var member = new CountingTeacher(network, caching, false, false) { IsExpensive = true };
        using var ensemble = new EnsembleTeacher([member], [1], caching);
        ensemble.Begin(set, ModelOutputs.Logits, null);
        Assert.That(caching.Store.RemainingMemory, Is.EqualTo(caching.Options.MemoryLimit));
    }

    [Test]
    public void The_memory_limit_applies_to_the_outputs_of_all_teachers_of_a_run_together()
    {
        using var set = Toy.Clouds();
        using var network = Network(set);
        var bytes = set.Count * 3L * sizeof(float);
        var caching = TeacherCaching(new TeacherCacheOptions { MemoryLimit = bytes * 3 / 2 });
        using var first = new CountingTeacher(network, caching, false, false) { IsExpensive = true };
        using var second = new CountingTeacher(network, caching, false, false) { IsExpensive = true };
        first.Begin(set, ModelOutputs.Logits, null);
        second.Begin(set, ModelOutputs.Logits, null);
        using var scope = NewDisposeScope();
        var batch = Batch.Gather(set, arange(20));
        Assert.Multiple(() =>
        {
            Assert.That(caching.Store.RemainingMemory, Is.EqualTo(bytes / 2), "the outputs of the second teacher are in a file");
            Assert.That(second.Outputs(batch, ModelOutputs.Logits).Logits.Equals(first.Outputs(batch, ModelOutputs.Logits).Logits));
        });
        first.Dispose();
        first.Dispose();
        Assert.That(caching.Store.RemainingMemory, Is.EqualTo(bytes * 3 / 2));
    }

    [TestCase(1, false)]
    [TestCase(2, true)]
    public void Softened_logits_are_kept_only_if_memory_is_left(int copies, bool kept)
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

    private int Query(
        InMemoryRows set, TeacherCacheOptions options, bool large = false, bool reversed = false, int stages = 1, ModelOutputs wanted = ModelOutputs.Logits)
    {
        using var network = Network(set);
        using var teacher = new CountingTeacher(network, TeacherCaching(options), large, reversed);
        for (var stage = 0; stage < stages; stage++)
        {
            teacher.Begin(set, wanted, null);
            teacher.End();
        }

        return teacher.Rows;
    }

    /// <summary>A teacher that counts the rows of its queries.</summary>
    private sealed class CountingTeacher(Network network, TeacherCaching caching, bool large, bool reversed) : CacheableTeacher(caching)
    {
        public int Rows { get; private set; }

        public bool IsExpensive { get; init; }

        public override OutputShapes Shapes => network.GetOutputShapes();

        protected override bool KeepsOutputs => IsExpensive;

        protected override string ComputeContentHash() => "counting";

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
