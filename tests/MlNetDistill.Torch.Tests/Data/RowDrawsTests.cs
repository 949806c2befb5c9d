using MlNetDistill.Data;
using static TorchSharp.torch;
using RowDraws = MlNetDistill.Data.RowDraws;

namespace MlNetDistill.Tests;

/// <summary>The numbers that an application's augmentation draws, computed by hand from the random words of a row.</summary>
public sealed class RowDrawsTests
{
    private const double WordsCount = 1L << 32;
    private static readonly long[] Positions = [4, 0, 2, 4];
    private readonly InMemoryRows _set = Viewed.Bytes(6, 2, 3, 5);
    private readonly AugmentationDraws _draws = new(7, CPU);

    [OneTimeTearDown]
    public void DisposeRows()
    {
        _draws.Dispose();
        _set.Dispose();
    }

    [Test]
    public void Uniform_numbers_are_the_highest_24_bits_of_a_word()
    {
        using var scope = NewDisposeScope();
        var (draws, words) = Create("2 angle");
        var (found, elements) = (draws.Uniform("angle"), draws.UniformElements("angle"));
        AreFloats(found, elements);
        Assert.That(Near.Values(found), Is.EqualTo(Near.Values(words.Rows.High).Select(Uniform)));
        Assert.That(Near.Values(elements), Is.EqualTo(Near.Values(words.Elements.High).Select(Uniform)));

        static double Uniform(double word) => Math.Floor(word / 256) / (1 << 24);
    }

    [Test]
    public void Normal_numbers_are_those_of_Box_and_Muller()
    {
        using var scope = NewDisposeScope();
        var (draws, words) = Create("2 shift");
        var (found, elements) = (draws.Normal("shift"), draws.NormalElements("shift"));
        AreFloats(found, elements);
        Near.Array(Near.Values(found), Normal(words.Rows), 1e-6, 0, "rows");
        Near.Array(Near.Values(elements), Normal(words.Elements), 1e-6, 0, "elements");

        static double[] Normal(RandomWords words) =>
            [.. Near.Values(words.High).Zip(Near.Values(words.Low), (high, low) => Math.Sqrt(-2 * Math.Log((high + 1) / WordsCount)) * Math.Cos(2 * Math.PI * low / WordsCount))];
    }

    [Test]
    public void One_purpose_always_gives_the_same_numbers_and_two_give_different_ones()
    {
        using var scope = NewDisposeScope();
        var (draws, _) = Create("");
        Assert.That(Near.Values(draws.Uniform("angle")), Is.EqualTo(Near.Values(draws.Uniform("angle"))).And.Not.EqualTo(Near.Values(draws.Uniform("shift"))));
    }

    [Test]
    public void A_purpose_must_be_given()
    {
        using var scope = NewDisposeScope();
        var (draws, _) = Create("");
        foreach (var draw in new[] { draws.Uniform, draws.UniformElements, draws.Normal, draws.NormalElements })
            Assert.That(() => draw(null!), Throws.ArgumentNullException.With.Property("ParamName").EqualTo("purpose"));
    }

    /// <summary>The draws of an augmentation that is the third of a list, and the words that the rows have for a purpose.</summary>
    private (RowDraws Draws, (RandomWords Rows, RandomWords Elements) Words) Create(string purpose)
    {
        var positions = tensor(Positions);
        var step = new ViewStep(_set, positions, arange(6, int64), _draws, null, View: 9, Index: 2) { ApplyEarlier = rows => rows, CheckedAugmentations = [] };
        return (new RowDraws(step), (_draws.ForRows(positions, 9, purpose), _draws.ForElements(positions, 9, purpose, 30)));
    }

    private static void AreFloats(Tensor rows, Tensor elements)
    {
        Assert.That((rows.dtype, elements.dtype), Is.EqualTo((ScalarType.Float32, ScalarType.Float32)));
        Assert.That(rows.shape, Is.EqualTo(new long[] { 4 }));
        Assert.That(elements.shape, Is.EqualTo(new long[] { 4, 2, 3, 5 }));
    }
}
