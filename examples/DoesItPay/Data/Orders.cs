namespace DoesItPay.Data;

/// <summary>
/// Orders of a shop, made by the program: six numbers and three texts decide, together and with chance, whether an order is kept, sent back or cancelled. What a
/// number means depends on texts, as in real tables, so that neither decides alone.
/// </summary>
internal static class Orders
{
    private static readonly string[] Outcomes = ["cancelled", "kept", "returned"];
    private static readonly string[] Channels = ["shop", "web", "phone", "partner"];
    private const int Regions = 12;
    private const int Articles = 30;
    // How much chance there is: a logit's factor, so that the best possible model is right for about nine rows in ten.
    private const double Certainty = 4;

    public static DataSet Create(bool quick) => new("orders", "Orders (made, mixed columns)", Draw(quick ? 800 : 6000, seed: 1), Draw(quick ? 1000 : 5000, seed: 2));

    private static Record[] Draw(int count, int seed)
    {
        var world = new World(new Random(1));
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => world.Draw(random))];
    }

    /// <summary>The effects of regions and articles, the same for training and test rows.</summary>
    private sealed class World(Random random)
    {
        private readonly double[] _distance = [.. Enumerable.Range(0, Regions).Select(_ => random.NextDouble())];
        private readonly double[] _fits = [.. Enumerable.Range(0, Articles).Select(_ => Normal(random))];

        public Record Draw(Random random)
        {
            var (channel, region, article) = (random.Next(Channels.Length), random.Next(Regions), random.Next(Articles));
            var (price, pieces, days) = (Math.Exp(3 + (0.8 * Normal(random))), 1 + random.Next(6), random.NextDouble() * 14);
            var (age, hour, discount) = (18 + (random.NextDouble() * 60), random.NextDouble() * 24, random.Next(3) == 0 ? random.NextDouble() * 0.5 : 0);
            // Far regions lose patience with days, the phone's customers with prices; a discount helps only what fits; at night much is bought by mistake.
            double[] logits =
            [
                Certainty * ((_distance[region] * (days - 5) / 4) + (channel == 2 ? (Math.Log(price) - 3) / 1.5 : 0) - 0.3),
                Certainty * ((_fits[article] > 0 ? 2 * discount : -discount) + (age > 45 == (channel == 0) ? 0.5 : -0.2)),
                Certainty * ((_fits[article] < 0 ? 0.6 : -0.4) + (pieces > 3 && channel is 1 or 3 ? 0.6 : 0) + (hour is < 5 or > 22 ? 0.8 : -0.1)),
            ];
            return new Record
            {
                Label = Outcomes[Choose(logits, random)],
                Numbers = [(float)price, pieces, (float)days, (float)age, (float)hour, (float)discount],
                Texts = [Channels[channel], $"region {region}", $"article {article}"],
            };
        }
    }

    private static int Choose(double[] logits, Random random)
    {
        // The largest of logits with Gumbel noise has the softmax's probabilities.
        double[] noisy = [.. logits.Select(logit => logit - Math.Log(-Math.Log(1 - random.NextDouble())))];
        return Array.IndexOf(noisy, noisy.Max());
    }

    private static double Normal(Random random) =>
        Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
}
