using MlNetDistill.Tests.Support;

namespace MlNetDistill.Tests.Evaluation.Report;

public sealed class ReportFileTests
{
    [Test]
    public void A_report_is_a_page_and_its_numbers_in_a_folder_that_is_made()
    {
        using var folder = new ToyFolder();
        var report = ReportSamples.Minimal();

        report.Write(folder.File("new/deeper"));

        Assert.Multiple(() =>
        {
            Assert.That(folder.Entries, Is.EquivalentTo(new[] { "new", "new/deeper", "new/deeper/report.html", "new/deeper/report.json" }.Select(Native)));
            Assert.That(File.ReadAllText(folder.File("new/deeper/report.html")), Is.EqualTo(report.ToHtml()));
            Assert.That(File.ReadAllText(folder.File("new/deeper/report.json")), Is.EqualTo(report.ToJson()));
        });
    }

    [Test]
    public void A_report_takes_the_place_of_the_one_before()
    {
        using var folder = new ToyFolder();
        ReportSamples.Letters().Write(folder.Path);

        ReportSamples.Minimal().Write(folder.Path);

        Assert.That(folder.Entries, Is.EqualTo(new[] { "report.html", "report.json" }));
        Assert.That(File.ReadAllText(folder.File("report.html")), Is.EqualTo(ReportSamples.Minimal().ToHtml()));
    }

    [Test]
    public void A_report_written_twice_has_the_same_bytes()
    {
        using var folder = new ToyFolder();
        ReportSamples.Letters().Write(folder.File("one"));
        ReportSamples.Letters().Write(folder.File("two"));

        foreach (var name in new[] { "report.html", "report.json" })
            Assert.That(File.ReadAllBytes(folder.File($"one/{name}")), Is.EqualTo(File.ReadAllBytes(folder.File($"two/{name}"))), name);
    }

    private static string Native(string path) => path.Replace('/', Path.DirectorySeparatorChar);
}
