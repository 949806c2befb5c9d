namespace Quickstart.Data;

/// <summary>
/// Draws digits with random distortions: corners are moved, the digit is rotated, sheared, scaled and shifted, the width of the pen varies, stray lines cross it, a blot
/// covers a part, and noise is added. So the images of a class differ, and a small network finds them hard to learn.
/// </summary>
internal sealed class DigitPainter(int seed)
{
    public const int Side = 16;

    private readonly Random _random = new(seed);

    /// <summary>Images with their digits, with the same number of each digit.</summary>
    public IEnumerable<Row<byte>> Draw(int count) =>
        Enumerable.Range(0, count).Select(i => i % DigitStrokes.Count).Select(digit => new Row<byte> { Label = $"{digit}", Features = Image(digit) });

    private byte[] Image(int digit)
    {
        var ink = new double[Side * Side];
        var width = Between(0.5, 1.1);
        var strength = Between(0.6, 1);
        Stroke(ink, Distorted(DigitStrokes.Points(digit)), width, strength);
        for (var stray = _random.Next(3); stray > 0; stray--)
            Stroke(ink, StrayStroke(), width, strength * Between(0.5, 1));
        Blot(ink);
        var noise = Between(0.05, 0.2);
        return [.. ink.Select(value => (byte)(255 * Math.Clamp(value + (noise * Normal()), 0, 1)))];
    }

    private (double X, double Y)[] Distorted((double X, double Y)[] corners)
    {
        var (sin, cos) = Math.SinCos(Between(-0.5, 0.5));
        var (stretchX, stretchY) = (Between(1.0, 1.8), Between(1.0, 1.6));
        var shear = Between(-0.4, 0.4);
        var (centerX, centerY) = ((Side / 2.0) + Between(-2, 2), (Side / 2.0) + Between(-2, 2));
        return [.. corners.Select(corner =>
        {
            var x = (corner.X - (DigitStrokes.Width / 2.0) + (0.4 * Normal())) * stretchX;
            var y = (corner.Y - (DigitStrokes.Height / 2.0) + (0.4 * Normal())) * stretchY;
            x += shear * y;
            return (centerX + (cos * x) - (sin * y), centerY + (sin * x) + (cos * y));
        })];
    }

    private (double X, double Y)[] StrayStroke()
    {
        var (x, y, angle, length) = (Between(0, Side), Between(0, Side), Between(0, Math.PI), Between(3, 8));
        return [(x, y), (x + (length * Math.Cos(angle)), y + (length * Math.Sin(angle)))];
    }

    private static void Stroke(double[] ink, (double X, double Y)[] corners, double width, double strength)
    {
        foreach (var (from, to) in corners.Zip(corners.Skip(1)))
        {
            for (var pixel = 0; pixel < ink.Length; pixel++)
            {
                var distance = Distance((pixel % Side) + 0.5, (pixel / Side) + 0.5, from, to);
                // The edge fades over one pixel (anti-aliasing).
                ink[pixel] = Math.Max(ink[pixel], strength * Math.Clamp(width + 0.5 - distance, 0, 1));
            }
        }
    }

    private void Blot(double[] ink)
    {
        var (left, top, width, height) = (_random.Next(Side), _random.Next(Side), _random.Next(2, 6), _random.Next(2, 6));
        var shade = Between(0, 0.6);
        for (var y = top; y < Math.Min(Side, top + height); y++)
        {
            for (var x = left; x < Math.Min(Side, left + width); x++)
                ink[(y * Side) + x] = shade;
        }
    }

    private static double Distance(double x, double y, (double X, double Y) from, (double X, double Y) to)
    {
        var (alongX, alongY) = (to.X - from.X, to.Y - from.Y);
        var squaredLength = (alongX * alongX) + (alongY * alongY);
        // Corners at the same place have no direction between them; the distance to either is right.
        var share = squaredLength > 0 ? Math.Clamp((((x - from.X) * alongX) + ((y - from.Y) * alongY)) / squaredLength, 0, 1) : 0;
        return double.Hypot(x - from.X - (share * alongX), y - from.Y - (share * alongY));
    }

    private double Between(double low, double high) => low + ((high - low) * _random.NextDouble());

    /// <summary>Box and Muller's transform: a draw from the normal distribution.</summary>
    private double Normal() => Math.Sqrt(-2 * Math.Log(1 - _random.NextDouble())) * Math.Cos(2 * Math.PI * _random.NextDouble());
}
