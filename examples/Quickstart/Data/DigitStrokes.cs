namespace Quickstart.Data;

/// <summary>The ten digits as pen strokes: points xy on a grid 6 wide and 8 high, y downwards.</summary>
internal static class DigitStrokes
{
    public const int Width = 6;
    public const int Height = 8;

    private static readonly string[] Strokes =
    [
        "20 40 62 66 48 28 06 02 20",
        "12 30 38",
        "02 20 40 62 08 68",
        "00 60 33 55 48 18 06",
        "58 50 05 65",
        "60 00 04 43 65 48 08",
        "50 13 06 28 48 66 44 05",
        "00 60 28",
        "34 02 20 40 62 34 06 28 48 66 34",
        "63 24 02 20 40 63 48",
    ];

    public static int Count => Strokes.Length;

    /// <summary>The corners of a digit's stroke.</summary>
    public static (double X, double Y)[] Points(int digit) => [.. Strokes[digit].Split(' ').Select(xy => (xy[0] - '0' + 0.0, xy[1] - '0' + 0.0))];
}
