using System.Diagnostics;
using MlNetDistill.Core;

namespace MlNetDistill.Fitting;

/// <summary>Records a fit in the library's activities and meters.</summary>
internal static class FitInstruments
{
    private const string MethodTag = "distillation.method";

    /// <summary>Runs a fit as an activity, and counts it while it runs and when it has ended.</summary>
    public static T Observe<T>(DistillationOptions options, Func<T> fit) => DistillationInstruments.Trace("distillation.fit", activity =>
    {
        activity?.SetTag(MethodTag, options.Method.Name).SetTag("distillation.student", options.Student.Name)
            .SetTag("distillation.teacher", options.Teacher?.Name ?? "none").SetTag("distillation.seed", options.Seed);
        DistillationInstruments.FitsActive.Add(1);
        try
        {
            var result = fit();
            CountFinished(options, "completed");
            return result;
        }
        catch (OperationCanceledException)
        {
            CountFinished(options, "cancelled");
            throw;
        }
        catch (Exception fault)
        {
            CountFinished(options, "failed", fault.GetType().FullName);
            throw;
        }
        finally
        {
            DistillationInstruments.FitsActive.Add(-1);
        }
    });

    /// <summary>Adds the number of rows to the activity of the fit.</summary>
    public static void SetRows(long rows)
    {
        // The current activity may belong to the application if nothing listens to this library's source.
        if (Activity.Current is { OperationName: "distillation.fit" } fit)
            fit.SetTag("distillation.rows", rows);
    }

    private static void CountFinished(DistillationOptions options, string outcome, string? error = null)
    {
        var tags = new TagList { { MethodTag, options.Method.Name }, { "distillation.outcome", outcome } };
        if (error is not null)
            tags.Add("error.type", error);
        DistillationInstruments.FitsFinished.Add(1, tags);
    }
}
