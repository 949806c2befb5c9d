using System.Text.Json;
using Microsoft.ML;
using MlNetDistill.Reporting;
using MlNetDistill.Tests.Support;

namespace MlNetDistill.Tests.Searching;

public sealed class SearchReportTests
{
    private readonly MLContext _context = Rows.Context();

    [Test]
    public void The_report_has_the_verdict_the_leaderboard_and_charts_of_both_qualities_against_both_costs()
    {
        using var folder = new ToyFolder();
        var view = _context.Keyed(Rows.Points());
        var result = _context.Trainer(_context.Student(view)).Search(view, Searches.Quick(4));
        result.SaveReport(folder.File("report"));

        var page = File.ReadAllText(folder.File("report/search.html"));
        Assert.That(page, Does.StartWith("<!DOCTYPE html>").And.Contain("Search for the best accuracy").And.Contain("on labels alone, its own learning rate searched"));
        Assert.That(page, Does.Contain("Accuracy against size").And.Contain("Accuracy against time").And.Contain("Agreement with the teacher against size").And.Contain("Agreement with the teacher against time"));

        var json = JsonDocument.Parse(File.ReadAllText(folder.File("report/search.json"))).RootElement;
        Assert.That(json.GetProperty("leaderboard").EnumerateArray().Select(trial => trial.GetProperty("number").GetInt32()), Is.EqualTo(result.Leaderboard.Select(trial => trial.Number)));
        Assert.That(json.GetProperty("judged").GetProperty("gain").GetProperty("value").GetDouble(), Is.EqualTo(result.Gain.Value));
        Assert.That(json.GetProperty("verdict").GetString(), Is.EqualTo(result.Verdict));
        Assert.That(json.GetProperty("leaderboard")[0].GetProperty("zipBytes").GetInt64(), Is.GreaterThan(500));
    }

    [Test]
    public void A_folder_without_a_name_is_refused()
    {
        var view = _context.Keyed(Rows.Points(60));
        var result = _context.Trainer(_context.Student(view)).Search(view, Searches.Quick(1));
        Assert.That(() => result.SaveReport(" "), Throws.ArgumentException);
    }
}
