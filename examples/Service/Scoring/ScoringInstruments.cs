using System.Diagnostics.Metrics;

namespace Service.Scoring;

/// <summary>What the service measures of itself, beside what ASP.NET measures of requests.</summary>
internal sealed class ScoringInstruments
{
    public const string MeterName = "Service";

    public ScoringInstruments(IMeterFactory meters)
    {
        var meter = meters.Create(MeterName);
        Scored = meter.CreateCounter<long>("student.rows.scored", "{row}", "Rows scored, by label.");
        Refused = meter.CreateCounter<long>("student.rows.refused", "{row}", "Rows that were not what the student reads.");
        Failed = meter.CreateCounter<long>("student.rows.failed", "{row}", "Rows that the student could not score.");
        Duration = meter.CreateHistogram<double>("student.score.duration", "s", "Time to score a row, waiting for an engine included.");
        Engines = meter.CreateUpDownCounter<long>("student.engines", "{engine}", "Engines that there are, in the pool and out of it.");
        EnginesInUse = meter.CreateUpDownCounter<long>("student.engines.in_use", "{engine}", "Engines that are scoring.");
    }

    public Counter<long> Scored { get; }

    public Counter<long> Refused { get; }

    public Counter<long> Failed { get; }

    public Histogram<double> Duration { get; }

    public UpDownCounter<long> Engines { get; }

    public UpDownCounter<long> EnginesInUse { get; }
}
