using MlNetDistill.Evaluation;

namespace MlNetDistill.Reporting;

/// <summary>One of the compared models. Its kind is the CSS class of its shapes: <c>teacher</c>, <c>alone</c>, <c>student</c>, <c>float16</c> or <c>int8</c>.</summary>
internal sealed record ComparedModel(string Kind, ReportedModel Model, ModelQuality? Quality, DistillationMetrics? Fidelity)
{
    public string Name => Model.Name;

    /// <summary>The teacher, the student alone if there is one, the distilled student, and the same in other precisions.</summary>
    public static IReadOnlyList<ComparedModel> From(DistillationReport report)
    {
        List<ComparedModel> all = [new("teacher", report.Teacher, report.Metrics.Teacher, null)];
        if (report.Alone is not null || report.AloneMetrics is not null)
            all.Add(new("alone", report.Alone ?? new ReportedModel { Name = "Student, alone" }, report.AloneMetrics?.Student, report.AloneMetrics));
        all.Add(new("student", report.Student, report.Metrics.Student, report.Metrics));
        all.AddRange(report.Precisions.Select(stored => new ComparedModel($"{stored.Precision}".ToLowerInvariant(), stored.Model, stored.Metrics.Student, stored.Metrics)));
        return all;
    }
}
