namespace SimilarSearch;

/// <summary>Invents signs of four strokes and draws each many times: turned, moved, larger or smaller, with noise.</summary>
internal static class SignWriter
{
    private const int Strokes = 4;
    private const double Thickness = 0.09;

    /// <summary>Pictures of the signs from <paramref name="first"/> on, each as often. The signs are the same whatever the seed.</summary>
    public static Sign[] Write(int signs, int pictures, int first, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, signs * pictures).Select(i =>
        {
            var sign = first + (i % signs);
            return new Sign { Id = $"sign {sign}", Pixels = Draw(Points(sign), random) };
        })];
    }

    private static (double X, double Y)[] Points(int sign)
    {
        var random = new Random(7919 * (sign + 1));
        return [.. Enumerable.Range(0, Strokes + 1).Select(_ => ((1.4 * random.NextDouble()) - 0.7, (1.4 * random.NextDouble()) - 0.7))];
    }

    private static byte[] Draw((double X, double Y)[] points, Random random)
    {
        var (angle, scale) = (Around(random, 0.6), 1 + Around(random, 0.25));
        var (cosine, sine, right, down) = (Math.Cos(angle) * scale, Math.Sin(angle) * scale, Around(random, 0.3), Around(random, 0.3));
        (double X, double Y)[] moved = [.. points.Select(p => ((cosine * p.X) - (sine * p.Y) + right, (sine * p.X) + (cosine * p.Y) + down))];
        var pixels = new byte[Sign.Size * Sign.Size];
        for (var i = 0; i < pixels.Length; i++)
        {
            var (x, y) = ((((i % Sign.Size) + 0.5) / Sign.Size * 2) - 1, (((i / Sign.Size) + 0.5) / Sign.Size * 2) - 1);
            var distance = Enumerable.Range(0, Strokes).Min(s => Distance(x, y, moved[s], moved[s + 1]));
            var ink = Math.Clamp(1.5 - (distance / Thickness), 0, 1) + Around(random, 0.25);
            pixels[i] = (byte)Math.Clamp(220 * ink, 0, 255);
        }

        return pixels;
    }

    private static double Around(Random random, double width) => ((2 * random.NextDouble()) - 1) * width;

    private static double Distance(double x, double y, (double X, double Y) from, (double X, double Y) to)
    {
        var (dx, dy) = (to.X - from.X, to.Y - from.Y);
        var along = Math.Clamp((((x - from.X) * dx) + ((y - from.Y) * dy)) / ((dx * dx) + (dy * dy)), 0, 1);
        return Math.Sqrt(Math.Pow(x - from.X - (along * dx), 2) + Math.Pow(y - from.Y - (along * dy), 2));
    }
}
