using System.Text.Json;
using MlNetDistill.Evaluation;
using MlNetDistill.Reporting;

namespace MlNetDistill.Tests.Evaluation.Report;

public sealed class ReportJsonTests
{
    [Test]
    public void Every_report_is_JSON_of_format_one()
    {
        foreach (var (name, report) in ReportSamples.All)
            Assert.That(Root(report()).GetProperty("format").GetInt32(), Is.EqualTo(1), name);
    }

    [Test]
    public void The_diagnosis_of_knowledge_comes_back_and_is_null_where_none_was_given()
    {
        var knowledge = Root(ReportSamples.Letters()).GetProperty("knowledge").Deserialize<KnowledgeDiagnosis>(JsonSerializerOptions.Web)!;
        Assert.That(knowledge with { Quantiles = [] }, Is.EqualTo(ReportSamples.Knowledge with { Quantiles = [] }));
        Assert.That(knowledge.Quantiles, Is.EqualTo(ReportSamples.Knowledge.Quantiles));
        Assert.That(Root(ReportSamples.Minimal()).GetProperty("knowledge").ValueKind, Is.EqualTo(JsonValueKind.Null));
    }

    [Test]
    public void A_figure_comes_back_with_its_interval_to_the_last_bit()
    {
        var report = ReportSamples.Letters();

        var agreement = Root(report).GetProperty("metrics").GetProperty("test").GetProperty("agreement").Deserialize<Estimate>(JsonSerializerOptions.Web);

        Assert.That(agreement, Is.EqualTo(report.Metrics.Agreement));
    }

    [Test]
    public void The_matrix_comes_back_from_its_cells_that_are_not_empty()
    {
        var report = ReportSamples.Letters();

        var cells = Root(report).GetProperty("metrics").GetProperty("test").GetProperty("matrix").EnumerateArray()
            .Select(cell => (cell.GetProperty("teacher").GetInt32(), cell.GetProperty("student").GetInt32(), cell.GetProperty("rows").GetInt64())).ToList();

        Assert.That(cells, Is.EqualTo(
            from teacher in Enumerable.Range(0, 26)
            from student in Enumerable.Range(0, 26)
            where report.Metrics.Matrix[teacher, student] > 0
            select (teacher, student, report.Metrics.Matrix[teacher, student])));
    }

    [Test]
    public void A_class_has_its_counts_and_its_accuracies()
    {
        var report = ReportSamples.Letters();

        var first = Root(report).GetProperty("metrics").GetProperty("test").GetProperty("perClass")[0];

        Assert.Multiple(() =>
        {
            Assert.That(first.GetProperty("class").GetString(), Is.EqualTo("A"));
            Assert.That(first.GetProperty("studentAccuracy").GetDouble(),
                Is.EqualTo(first.GetProperty("studentCorrect").GetDouble() / first.GetProperty("rows").GetDouble()));
        });
    }

    [Test]
    public void What_was_not_measured_is_null()
    {
        var root = Root(ReportSamples.Minimal());

        Assert.Multiple(() =>
        {
            Assert.That(root.GetProperty("acceptance").ValueKind, Is.EqualTo(JsonValueKind.Null));
            Assert.That(root.GetProperty("models").GetProperty("alone").ValueKind, Is.EqualTo(JsonValueKind.Null));
            Assert.That(root.GetProperty("models").GetProperty("student").GetProperty("cost").ValueKind, Is.EqualTo(JsonValueKind.Null));
            Assert.That(root.GetProperty("metrics").GetProperty("test").GetProperty("student").ValueKind, Is.EqualTo(JsonValueKind.Null));
            Assert.That(root.GetProperty("metrics").GetProperty("test").GetProperty("agreement")
                .GetProperty("lower").ValueKind, Is.EqualTo(JsonValueKind.Null));
        });
    }

    [Test]
    public void Times_of_training_are_in_seconds()
    {
        var history = Root(ReportSamples.Letters()).GetProperty("models").GetProperty("student").GetProperty("history");

        // The tenth epoch of 2.3 seconds each.
        Assert.That(history[9].GetProperty("elapsed").GetDouble(), Is.EqualTo(23).Within(1e-6));
    }

    [Test]
    public void Whether_the_student_is_accepted_and_the_verdict_are_in_it()
    {
        var report = ReportSamples.Letters();
        var root = Root(report);

        Assert.Multiple(() =>
        {
            Assert.That(root.GetProperty("acceptance").GetProperty("passed").GetBoolean(), Is.EqualTo(report.Acceptance!.Passed));
            Assert.That(root.GetProperty("acceptance").GetProperty("checks").GetArrayLength(), Is.EqualTo(6));
            Assert.That(root.GetProperty("verdict").EnumerateArray().Select(sentence => sentence.GetString()), Is.EqualTo(report.Verdict));
        });
    }

    private static JsonElement Root(DistillationReport report) => JsonDocument.Parse(report.ToJson()).RootElement;
}
