using MlNetDistill.Cache;
using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace MlNetDistill.Tests.Cache;

/// <summary>Outputs and settings that cannot be cached, and their errors.</summary>
public sealed class RefusalTests
{
    private CacheRun _run = null!;

    [SetUp]
    public void MakeFolder() => _run = new CacheRun();

    [TearDown]
    public void RemoveFolder() => _run.Dispose();

    [TestCase(float.NaN, "NaN")]
    [TestCase(float.PositiveInfinity, "Infinity")]
    [TestCase(float.NegativeInfinity, "-Infinity")]
    public void Outputs_that_are_not_finite_are_refused_with_the_row_and_the_output(float bad, string word)
    {
        Assert.That(() => Open(ToyCache.Key(3), 1, bad), Throws.InvalidOperationException.With.Message.EqualTo(
            $"The value {word} in the teacher's logits for row id 1-3e9 is not a finite number; a teacher cache can hold only finite numbers."));
        Assert.That(() => Open(ToyCache.Key(3, ModelOutputs.Embedding), 2, bad), Throws.InvalidOperationException.With.Message.EqualTo(
            $"The value {word} in the teacher's embedding for row id 2-3ea is not a finite number; a teacher cache can hold only finite numbers."));
        Assert.That(Directory.GetFiles(_run.Folder), Is.Empty);
    }

    [TestCase(65520f)]
    [TestCase(-1e9f)]
    public void Values_too_large_for_16_bits_are_refused(float large) => Assert.That(
        () => Open(ToyCache.Key(3, precision: CachePrecision.Half), 1, large),
        Throws.InvalidOperationException.With.Message.EqualTo(FormattableString.Invariant(
            $"The value {large} in the teacher's logits for row id 1-3e9 is too large for 16-bit floats, which end at ±65504. Use CachePrecision.Single.")));

    [TestCase(65519f, 65504)]
    [TestCase(-69.0776f, -69.0625)]
    public void Values_within_16_bits_are_rounded(float value, double rounded)
    {
        using var cached = Open(ToyCache.Key(3, precision: CachePrecision.Half), 1, value);
        using var scope = NewDisposeScope();
        Assert.That(Near.Values(cached.Read(tensor(new long[] { 1 }), ModelOutputs.Logits).Logits)[2], Is.EqualTo(rounded));
    }

    [Test]
    public void Too_few_and_too_many_outputs_are_refused()
    {
        var key = ToyCache.Key(300);
        var more = ToyCache.Key(301);
        Assert.That(() => _run.Open(key, outputs: from => ToyCache.Outputs(key, ToyCache.Ids(300), from).Take(5)), Throws.InvalidOperationException.With.Message.EqualTo(
            "The teacher returned outputs for 250 rows; 300 were expected. It must return outputs for every row, and its data must contain the same rows in every pass."));
        Assert.That(() => _run.Open(key, outputs: from => ToyCache.Outputs(more, ToyCache.Ids(301), from)), Throws.InvalidOperationException.With.Message.EqualTo(
            "The teacher returned outputs for more than the 300 rows that were expected."));
    }

    [Test]
    public void Outputs_of_the_wrong_shape_or_type_are_refused()
    {
        using var scope = NewDisposeScope();
        Assert.That(() => Give(zeros(3, 8)), Throws.InvalidOperationException.With.Message.EqualTo("The teacher's logits must be [3, 7] Float32; got [3, 8] Float32."));
        Assert.That(() => Give(zeros(3, 7, float64)), Throws.InvalidOperationException.With.Message.EqualTo("The teacher's logits must be [3, 7] Float32; got [3, 7] Float64."));
        Assert.That(() => Give(), Throws.InvalidOperationException.With.Message.EqualTo("The teacher returned 0 outputs; expected 1."));
    }

    [TestCase(0)]
    [TestCase(7)]
    public void TopK_is_less_than_the_classes(int topK) => Assert.That(() => _run.Open(ToyCache.Key(3, topK: topK)), Throws.ArgumentException.With.Message.EqualTo(
        $"TopK of a teacher cache must be at least 1 and less than the number of classes, 7; was {topK}. Leave it out to keep all logits."));

    [Test]
    public void A_view_or_position_that_does_not_exist_is_refused()
    {
        using var scope = NewDisposeScope();
        using var plain = _run.Open(ToyCache.Key(3), options: new() { Folder = _run.Folder, MemoryLimit = 0 });
        using var views = _run.Open(ToyCache.Key(3, views: 2));
        Assert.That(() => plain.Read(tensor(new long[] { 0 }), ModelOutputs.Logits, 1), Throws.InstanceOf<ArgumentOutOfRangeException>());
        Assert.That(() => views.Read(tensor(new long[] { 0 }), ModelOutputs.Logits, 0), Throws.InstanceOf<ArgumentOutOfRangeException>());
        Assert.That(() => views.Read(tensor(new long[] { 0 }), ModelOutputs.Logits, 3), Throws.InstanceOf<ArgumentOutOfRangeException>());
        Assert.That(() => plain.Read(tensor(new long[] { 3 }), ModelOutputs.Logits), Throws.InstanceOf<ArgumentOutOfRangeException>());
        Assert.That(() => plain.Read(tensor(new long[] { -1 }), ModelOutputs.Logits), Throws.InstanceOf<ArgumentOutOfRangeException>());
    }

    [Test]
    public void All_faults_of_the_options_are_listed_at_once() => Assert.That(
        new TeacherCacheOptions
        {
            Precision = (CachePrecision)7,
            TopK = 0,
            AugmentedViews = -1,
            MemoryLimit = -1,
            Mode = CacheMode.UseOnly,
            CacheKey = " ",
        }.Validate(),
        Is.EqualTo(new[]
        {
            "TeacherCache.Precision must be Single or Half; was 7.",
            "TeacherCache.TopK must be at least 1; was 0.",
            "TeacherCache.AugmentedViews must be at least 0; was -1.",
            "TeacherCache.MemoryLimit must be at least 0; was -1.",
            "TeacherCache.Mode is UseOnly, which needs a Folder to find the cache in.",
            "TeacherCache.CacheKey must be a name, or null for the hash of the data; was ' '.",
        }));

    [Test]
    public void The_default_options_have_no_fault() => Assert.That(new TeacherCacheOptions().Validate(), Is.Empty);

    private CachedOutputs Open(CacheFileKey key, int row, float value) => _run.Open(key, outputs: from => ToyCache.Outputs(key, ToyCache.Ids(3), from).Select(chunk =>
    {
        using var scope = NewDisposeScope();
        chunk.Parts[0][row][2] = tensor(value);
        return chunk;
    }));

    private void Give(params Tensor[] parts) => _run.Open(ToyCache.Key(3), outputs: _ => [new OutputChunk(ToyCache.Ids(3), parts)]);
}
