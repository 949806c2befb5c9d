using System.Globalization;

namespace MlNetDistill.Reporting;

/// <summary>A logarithmic scale.</summary>
internal sealed class LogScale : IScale
{
    private const int MaximumTicks = 5;
    private const double Margin = 2;

    private static readonly IReadOnlyList<(double Size, string Name)> Times = [(1e-3, "ns"), (1, "µs"), (1e3, "ms"), (1e6, "s")];
    private static readonly IReadOnlyList<(double Size, string Name)> Sizes = [(1, "B"), (1L << 10, "KiB"), (1L << 20, "MiB"), (1L << 30, "GiB"), (1L << 40, "TiB")];

    private readonly double _low;
    private readonly double _high;
    private readonly IReadOnlyList<(double Value, string Text)> _ticks;

    private LogScale(IEnumerable<double> values, IReadOnlyList<(double Size, string Name)> units)
    {
        var positive = values.ToList();
        (_low, _high) = (positive.Min() / Margin, positive.Max() * Margin);
        var decades = CreateTicks(units, [1]);
        _ticks = decades.Count > 2 ? decades : CreateTicks(units, [1, 2, 5]);
        // Every second or third tick if there are too many.
        var step = (_ticks.Count + MaximumTicks - 1) / MaximumTicks;
        _ticks = [.. _ticks.Where((_, index) => index % step == 0)];
    }

    public IEnumerable<double> Ticks => _ticks.Select(tick => tick.Value);

    /// <param name="values">Times in microseconds, above 0.</param>
    public static LogScale FromMicroseconds(IEnumerable<double> values) => new(values, Times);

    /// <param name="values">Numbers of bytes, above 0.</param>
    public static LogScale FromBytes(IEnumerable<double> values) => new(values, Sizes);

    public double Position(double value) => Math.Log(value / _low) / Math.Log(_high / _low);

    public string Text(double tick) => _ticks.First(t => t.Value == tick).Text;

    private List<(double Value, string Text)> CreateTicks(IReadOnlyList<(double Size, string Name)> units, double[] steps) =>
    [
        .. from unit in units
           from power in new double[] { 1, 10, 100 }
           from step in steps
           let value = power * step * unit.Size
           where value >= _low && value <= _high
           select (value, $"{(power * step).ToString(CultureInfo.InvariantCulture)} {unit.Name}"),
    ];
}
