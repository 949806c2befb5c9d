using MlNetDistill.Data;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

public sealed class ViewDrawsTests
{
    [Test]
    public void Words_are_those_of_splitmix64()
    {
        using var scope = NewDisposeScope();
        using var draws = new AugmentationDraws(7, CPU);
        var words = draws.ForRows(tensor(new long[] { 0, 5, 123_456_789 }), 3, "p");
        // The stream starts at a hash of seed, purpose and view; row i is its i-th number.
        var start = Mixed(unchecked(Mixed((14695981039346656037UL ^ 7UL ^ 'p') * 1099511628211UL) + (3 * Gamma)));
        foreach (var (i, row) in new[] { (0, 0UL), (1, 5UL), (2, 123_456_789UL) })
        {
            var expected = Mixed(start + (row * Gamma));
            Assert.That((ulong)words.High[i].item<long>(), Is.EqualTo(expected >> 32));
            Assert.That((ulong)words.Low[i].item<long>(), Is.EqualTo(expected & 0xffffffff));
        }
    }

    [Test]
    public void The_finaliser_is_the_published_one() =>
        // The first two numbers of splitmix64 from 0.
        Assert.That((Mixed(Gamma), Mixed(unchecked(2 * Gamma))), Is.EqualTo((0xe220a8397b1dcdafUL, 0x6e789e6aa1b965f4UL)));

    [Test]
    public void Words_of_rows_and_of_elements_are_uniform_and_unrelated()
    {
        using var scope = NewDisposeScope();
        using var draws = new AugmentationDraws(1, CPU);
        var rows = draws.ForRows(arange(100_000, int64), 1, "x");
        var elements = draws.ForElements(arange(100, int64), 1, "x", 1000);
        foreach (var words in new[] { rows.High, rows.Low, elements.High, elements.Low })
        {
            var uniform = Near.Values(AugmentationDraws.ToUniform(words));
            Assert.That(uniform, Has.All.InRange(0.0, 1.0 - 1e-12));
            Assert.That(uniform.GroupBy(u => (int)(u * 20)).Select(g => g.Count()), Has.All.InRange(4650, 5350).And.Exactly(20).Items);
            var next = uniform.Zip(uniform.Skip(1), (a, b) => (a - 0.5) * (b - 0.5)).Average() * 12;
            Assert.That(next, Is.EqualTo(0).Within(0.015), "neighbours");
        }

        Assert.That(Correlation(rows.High, rows.Low), Is.EqualTo(0).Within(0.015));
        Assert.That(Correlation(rows.High, draws.ForRows(arange(100_000, int64), 2, "x").High), Is.EqualTo(0).Within(0.015), "views");
        Assert.That(Correlation(rows.High, draws.ForRows(arange(100_000, int64), 1, "y").High), Is.EqualTo(0).Within(0.015), "purposes");
        using var other = new AugmentationDraws(2, CPU);
        Assert.That(Correlation(rows.High, other.ForRows(arange(100_000, int64), 1, "x").High), Is.EqualTo(0).Within(0.015), "seeds");
    }

    [Test]
    public void Whole_numbers_below_a_count_are_all_as_likely()
    {
        using var scope = NewDisposeScope();
        using var draws = new AugmentationDraws(1, CPU);
        var numbers = Near.Values(draws.ToIntegers(draws.ForRows(arange(70_000, int64), 1, "x").Low, 7));
        Assert.That(numbers.GroupBy(n => n).Select(g => (g.Key, g.Count())).Where(g => g.Item2 is > 9600 and < 10_400).Select(g => g.Key),
            Is.EquivalentTo(new double[] { 0, 1, 2, 3, 4, 5, 6 }));
        Assert.That(Near.Values(draws.ToIntegers(tensor(new[] { 0L, uint.MaxValue }), int.MaxValue)), Is.EqualTo(new[] { 0.0, int.MaxValue - 1 }));
    }

    // Known in closed form: α = 1 is uniform, α = ½ the arcsine distribution, α = 2 has the distribution function 3x² - 2x³.
    [TestCase(0.5)]
    [TestCase(1)]
    [TestCase(2)]
    public void Quantiles_of_the_beta_distribution_are_right(double alpha)
    {
        var quantiles = BetaTable.Quantiles(alpha);
        Assert.That(quantiles, Has.Length.EqualTo(4097).And.Ordered);
        for (var i = 8; i < 4096; i += 16)
        {
            var x = quantiles[i];
            var probability = alpha == 1 ? x : alpha == 2 ? (3 * x * x) - (2 * x * x * x) : 2 / Math.PI * Math.Asin(Math.Sqrt(x));
            Assert.That(probability, Is.EqualTo(i / 4096.0).Within(2e-5), $"quantile {i}");
        }
    }

    [TestCase(0.001)]
    [TestCase(0.05)]
    [TestCase(0.2)]
    [TestCase(0.4)]
    [TestCase(1)]
    [TestCase(8)]
    [TestCase(1000)]
    public void Shares_have_the_mean_and_the_variance_of_the_beta_distribution(double alpha)
    {
        using var scope = NewDisposeScope();
        using var draws = new AugmentationDraws(1, CPU);
        using var table = new BetaTable(alpha, CPU);
        var shares = Near.Values(table.Sample(draws.ForRows(arange(100_000, int64), 1, "x").Low));
        var variance = 1 / (4 * ((2 * alpha) + 1));
        Assert.That(shares, Has.All.InRange(0.0, 1.0));
        Assert.That(shares.Average(), Is.EqualTo(0.5).Within(5 * Math.Sqrt(variance / 100_000)));
        Assert.That(shares.Average(s => (s - 0.5) * (s - 0.5)), Is.EqualTo(variance).Within(0.02 * variance));
    }

    private const ulong Gamma = 0x9e3779b97f4a7c15UL;

    private static ulong Mixed(ulong z)
    {
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9UL;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebUL;
        return z ^ (z >> 31);
    }

    private static double Correlation(Tensor a, Tensor b) =>
        Near.Values(AugmentationDraws.ToUniform(a)).Zip(Near.Values(AugmentationDraws.ToUniform(b)), (x, y) => (x - 0.5) * (y - 0.5)).Average() * 12;
}
