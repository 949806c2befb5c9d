using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace MlNetDistill.Core;

/// <summary>
/// The telemetry of distillation in <c>System.Diagnostics</c>: a <see cref="Meter"/> and an <see cref="ActivitySource"/>, both called
/// <see cref="MeterName"/>. Without a listener they cost nothing.
/// </summary>
/// <remarks>
/// <para><b>Instruments</b></para>
/// <list type="table">
/// <listheader><term>Name</term><description>Kind, unit, tags</description></listheader>
/// <item><term><c>distillation.fits.active</c></term><description>up-down counter, {fit}: fits that are running</description></item>
/// <item><term><c>distillation.fits.finished</c></term>
/// <description>counter, {fit}: fits that have ended; <c>distillation.method</c>, <c>distillation.outcome</c> (completed,
/// cancelled or failed), <c>error.type</c> where failed</description></item>
/// <item><term><c>distillation.rows.trained</c></term><description>counter, {row}; <c>distillation.network</c>, <c>distillation.stage</c></description></item>
/// <item><term><c>distillation.epoch.duration</c></term><description>histogram, s, validation included; the same tags</description></item>
/// <item><term><c>distillation.loss</c></term>
/// <description>gauge: mean of a named loss over an epoch; the same tags, <c>distillation.loss.name</c></description></item>
/// <item><term><c>distillation.validation.quality</c></term>
/// <description>gauge, 1: quality on the held-out rows; the same tags, <c>distillation.validation.measure</c> (accuracy, or agreement with the teacher where these rows have
/// no labels)</description></item>
/// <item><term><c>distillation.gradient.norm.mean</c>, <c>distillation.gradient.norm.largest</c></term>
/// <description>gauges, 1: norm of the gradient over an epoch's steps, where it is measured; the same tags</description></item>
/// <item><term><c>distillation.logit.largest</c></term><description>gauge, 1: largest absolute logit of an epoch's steps, where it is measured; the same tags</description></item>
/// <item><term><c>distillation.batches.skipped</c></term>
/// <description>counter, {batch}: batches that were skipped, because losses or gradients were NaN or infinite; the same tags</description></item>
/// <item><term><c>distillation.learning_rate</c></term><description>gauge, 1: rate of an epoch's last step; the same tags</description></item>
/// <item><term><c>distillation.teacher.rows</c></term><description>counter, {row}: rows whose outputs teachers computed</description></item>
/// <item><term><c>distillation.cache.rows</c></term>
/// <description>counter, {row}: rows whose teacher outputs were read from a cache file of an earlier run or stage</description></item>
/// </list>
/// <para><b>Activities</b></para>
/// <list type="table">
/// <listheader><term>Name</term><description>Span and tags</description></listheader>
/// <item><term><c>distillation.fit</c></term>
/// <description>a fit; <c>distillation.method</c>, <c>.student</c>, <c>.teacher</c>, <c>.rows</c>, <c>.seed</c></description></item>
/// <item><term><c>distillation.teacher</c></term>
/// <description>preparing the teacher: opening, fitting or training it; <c>distillation.teacher</c></description></item>
/// <item><term><c>distillation.cache</c></term>
/// <description>computing a teacher's outputs for all rows or reading them from a cache; <c>distillation.rows</c></description></item>
/// <item><term><c>distillation.stage</c></term>
/// <description>a stage of a network's training; <c>distillation.network</c>, <c>.stage</c>, <c>.epochs</c></description></item>
/// <item><term><c>distillation.export</c></term><description>converting a network to an ML.NET model; <c>distillation.network</c></description></item>
/// </list>
/// <para>An activity that fails has the status Error and its exception as an event.</para>
/// </remarks>
/// <example>
/// With OpenTelemetry:
/// <code>
/// services.AddOpenTelemetry()
///     .WithMetrics(metrics => metrics.AddMeter(DistillationInstruments.MeterName))
///     .WithTracing(tracing => tracing.AddSource(DistillationInstruments.ActivitySourceName));
/// </code>
/// </example>
public static class DistillationInstruments
{
    /// <summary>Name of the <see cref="Meter"/>.</summary>
    public const string MeterName = "MlNetDistill";

    /// <summary>Name of the <see cref="ActivitySource"/>.</summary>
    public const string ActivitySourceName = "MlNetDistill";

    internal const string NetworkTag = "distillation.network";
    internal const string StageTag = "distillation.stage";

    private static readonly ActivitySource Source = new(ActivitySourceName);
    private static readonly Meter Meter = new(MeterName);

    internal static UpDownCounter<long> FitsActive { get; } = Meter.CreateUpDownCounter<long>("distillation.fits.active", "{fit}", "Fits that are running.");

    internal static Counter<long> FitsFinished { get; } = Meter.CreateCounter<long>("distillation.fits.finished", "{fit}", "Fits that have ended.");

    internal static Counter<long> RowsTrained { get; } = Meter.CreateCounter<long>("distillation.rows.trained", "{row}", "Rows trained on.");

    internal static Histogram<double> EpochDuration { get; } =
        Meter.CreateHistogram<double>("distillation.epoch.duration", "s", "Duration of an epoch, validation included.");

    internal static Gauge<double> Loss { get; } = Meter.CreateGauge<double>("distillation.loss", null, "Mean of a named loss over the last epoch.");

    internal static Gauge<double> ValidationQuality { get; } =
        Meter.CreateGauge<double>("distillation.validation.quality", "1", "Quality on the held-out rows, by the measure that the tag distillation.validation.measure names.");

    internal static Gauge<double> LearningRate { get; } =
        Meter.CreateGauge<double>("distillation.learning_rate", "1", "Learning rate of the last epoch's last step.");

    internal static Gauge<double> MeanGradientNorm { get; } =
        Meter.CreateGauge<double>("distillation.gradient.norm.mean", "1", "Mean norm of the gradient over the last epoch's steps.");

    internal static Gauge<double> LargestGradientNorm { get; } =
        Meter.CreateGauge<double>("distillation.gradient.norm.largest", "1", "Largest norm of the gradient in the last epoch's steps.");

    internal static Gauge<double> LargestLogit { get; } =
        Meter.CreateGauge<double>("distillation.logit.largest", "1", "Largest absolute logit in the last epoch's steps.");

    internal static Counter<long> BatchesSkipped { get; } =
        Meter.CreateCounter<long>("distillation.batches.skipped", "{batch}", "Batches that were skipped, because losses or gradients were NaN or infinite.");

    internal static Counter<long> TeacherRows { get; } =
        Meter.CreateCounter<long>("distillation.teacher.rows", "{row}", "Rows whose outputs teachers computed.");

    internal static Counter<long> CacheRows { get; } =
        Meter.CreateCounter<long>("distillation.cache.rows", "{row}", "Rows whose teacher outputs were read from a cache file of an earlier run or stage.");

    /// <summary>Runs some work as an activity, which is null if nobody listens.</summary>
    internal static void Trace(string name, Action<Activity?> work) => Trace(name, activity =>
    {
        work(activity);
        return true;
    });

    /// <summary>The same for work with a result.</summary>
    internal static T Trace<T>(string name, Func<Activity?, T> work)
    {
        using var activity = Source.StartActivity(name);
        try
        {
            return work(activity);
        }
        catch (Exception fault) when (activity is not null)
        {
            activity.AddException(fault);
            activity.SetStatus(ActivityStatusCode.Error, fault.Message);
            throw;
        }
    }
}
