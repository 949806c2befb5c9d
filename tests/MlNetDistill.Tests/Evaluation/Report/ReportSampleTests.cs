namespace MlNetDistill.Tests.Evaluation.Report;

/// <summary>Leaves a report of every shape in <c>reports/</c> beside the tests, where tests/report-check opens them in a browser.</summary>
public sealed class ReportSampleTests
{
    private static IEnumerable<string> Names => ReportSamples.All.Keys;

    [TestCaseSource(nameof(Names))]
    public void A_report_of_every_shape_is_written_for_the_browser_to_check(string name)
    {
        var folder = Path.Combine(TestContext.CurrentContext.TestDirectory, "reports", name);

        ReportSamples.All[name]().Write(folder);

        Assert.That(new FileInfo(Path.Combine(folder, "report.html")).Length, Is.InRange(10_000, 600_000), "a page that opens at once on a phone");
    }
}
