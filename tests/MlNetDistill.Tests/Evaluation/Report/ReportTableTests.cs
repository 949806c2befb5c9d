using MlNetDistill.Tests.Support;

namespace MlNetDistill.Tests.Evaluation.Report;

public sealed class ReportTableTests
{
    [Test]
    public void The_last_loss_of_a_stage_that_has_one_only_is_that_loss()
    {
        var report = ReportSamples.Letters();
        var epoch = ToyProgress.Epoch(1) with { Losses = new Dictionary<string, double> { ["stage features"] = 0.4321 } };

        var html = (report with { Student = report.Student with { History = [epoch] } }).ToHtml();

        Assert.That(Table(html, "timeline-table"), Does.Contain("""<data value="0.4321">"""));
    }

    [Test]
    public void The_head_of_a_column_of_words_is_no_head_of_figures() =>
        Assert.That(Table(ReportSamples.Letters().ToHtml(), "criteria-table"), Does.Contain("""<th scope="col">Result</th>"""));

    private static string Table(string html, string id)
    {
        var from = html.IndexOf($"id=\"{id}\"", StringComparison.Ordinal);
        return html[from..html.IndexOf("</table>", from, StringComparison.Ordinal)];
    }
}
