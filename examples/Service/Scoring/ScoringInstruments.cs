using System.Diagnostics.Metrics;

namespace Service.Scoring;

/// <summary>The service's metrics, in addition to ASP.NET's metrics of requests.</summary>
internal sealed class ScoringInstruments
{
    public const string MeterName = "Service";

    public ScoringInstruments(IMeterFactory meters)
    {
        var meter = meters.Create(MeterName);
        Scored = meter.CreateCounter<long>("student.rows.scored", "{row}", "Rows scored, by label.");
        Refused = meter.CreateCounter<long>("student.rows.refused", "{row}", "Rows that the student cannot read.");
        Failed = meter.CreateCounter<long>("student.rows.failed", "{row}", "Rows that the student could not score.");
        Duration = meter.CreateHistogram<double>("student.score.duration", "s", "Time to score a row, waiting included.");
        BatchRows = meter.CreateHistogram<int>("student.batch.rows", "{row}", "Rows scored together.");
        Engines = meter.CreateUpDownCounter<long>("student.engines", "{engine}", "Engines, in the pool and in use.");
        EnginesInUse = meter.CreateUpDownCounter<long>("student.engines.in_use", "{engine}", "Engines in use.");
        Models = meter.CreateUpDownCounter<long>("student.models", "{model}", "Students in memory: the one in service, and those whose last requests are being answered.");
        Replacements = meter.CreateCounter<long>("student.replacements", "{replacement}", "Files that replaced the student, or were refused, by outcome.");
    }

    public Counter<long> Scored { get; }

    public Counter<long> Refused { get; }

    public Counter<long> Failed { get; }

    public Histogram<double> Duration { get; }

    public Histogram<int> BatchRows { get; }

    public UpDownCounter<long> Engines { get; }

    public UpDownCounter<long> EnginesInUse { get; }

    public UpDownCounter<long> Models { get; }

    public Counter<long> Replacements { get; }
}
