namespace MlNetDistill.Reporting;

/// <summary>The scale of an axis: positions of values, and ticks.</summary>
internal interface IScale
{
    IEnumerable<double> Ticks { get; }

    /// <summary>The position of a value as a share of the axis.</summary>
    double Position(double value);

    string Text(double tick);
}
