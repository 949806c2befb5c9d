using System.Diagnostics;
using System.Diagnostics.Metrics;
using MlNetDistill.Core;

namespace MlNetDistill.Tests.Support;

/// <summary>Hears what the library's instruments and activities say.</summary>
internal sealed class ToyListener : IDisposable
{
    private readonly MeterListener _meters = new();
    private readonly ActivityListener _activities;

    public ToyListener()
    {
        _meters.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Name == DistillationInstruments.MeterName)
                listener.EnableMeasurementEvents(instrument);
        };
        _meters.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Hear(instrument, value, tags));
        _meters.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Hear(instrument, value, tags));
        _meters.Start();
        _activities = new ActivityListener
        {
            ShouldListenTo = source => source.Name == DistillationInstruments.ActivitySourceName,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = Activities.Add,
        };
        ActivitySource.AddActivityListener(_activities);
    }

    /// <summary>Activities in the order in which they ended.</summary>
    public List<Activity> Activities { get; } = [];

    /// <summary>Measurements in the order in which they came.</summary>
    public List<(Instrument Instrument, double Value, IReadOnlyDictionary<string, object?> Tags)> Measurements { get; } = [];

    public double[] Values(string instrument, string? tag = null, string? value = null) =>
    [
        .. Measurements.Where(m => m.Instrument.Name == instrument && (tag is null || m.Tags.GetValueOrDefault(tag) as string == value)).Select(m => m.Value),
    ];

    public Activity Activity(string name) => Activities.Single(a => a.OperationName == name);

    public void Dispose()
    {
        _meters.Dispose();
        _activities.Dispose();
    }

    private void Hear(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags) =>
        Measurements.Add((instrument, value, tags.ToArray().ToDictionary()));
}
