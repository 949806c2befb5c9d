namespace MlNetDistill.Reporting;

/// <summary>An axis: where values lie on it, and its ticks.</summary>
internal interface IScale
{
    IEnumerable<double> Ticks { get; }

    /// <summary>Where a value is, as a share of the way along the axis.</summary>
    double Position(double value);

    string Text(double tick);
}
