using System.Globalization;
using System.Text.RegularExpressions;

namespace MlNetDistill.Tests.Evaluation.Report;

public sealed partial class ReportFirstScreenTests
{
    private static readonly string[] Unfolded = ["summary", "verdict", "problems"];

    [Test]
    public void It_shows_accuracy_agreement_size_and_time_in_charts_and_then_three_sentences()
    {
        var html = ReportSamples.Letters().ToHtml();

        Assert.That(Charts(Section(html, "summary")), Is.EqualTo(new[] { "summary-accuracy", "summary-agreement", "summary-size", "summary-time" }));
        Assert.That(Sections().Matches(html).Select(m => m.Groups[1].Value).Take(2), Is.EqualTo(new[] { "summary", "verdict" }));
    }

    [Test]
    public void The_verdict_is_three_sentences_in_every_report()
    {
        foreach (var (name, report) in ReportSamples.All)
            Assert.That(Section(report().ToHtml(), "verdict").Split("<li>"), Has.Length.EqualTo(1 + 3), name);
    }

    [Test]
    public void Without_costs_it_shows_who_is_correct_and_which_classes_lose_most()
    {
        var report = ReportSamples.WithoutCosts();
        var summary = Section(report.ToHtml(), "summary");
        var lost = report.Metrics.PerClass.Sum(known => known.Lost);

        Assert.That(Charts(summary), Is.EqualTo(new[] { "summary-accuracy", "summary-agreement", "summary-answers", "summary-classes" }));
        Assert.That(Description(summary, "summary-answers"), Does.Contain(FormattableString.Invariant($"only the teacher: {lost:N0} rows, {lost / 50.0:0.00} %.")));
        Assert.That(summary, Does.Contain("Time and size were not measured."));
    }

    [Test]
    public void The_answers_of_both_models_add_up_to_the_labelled_rows()
    {
        var report = ReportSamples.WithoutCosts();

        var rows = Counts().Matches(Description(Section(report.ToHtml(), "summary"), "summary-answers"))
            .Select(m => int.Parse(m.Groups[1].Value, NumberStyles.AllowThousands, CultureInfo.InvariantCulture));

        Assert.That(rows.Sum(), Is.EqualTo(report.Metrics.LabelledRows));
    }

    [Test]
    public void Without_labels_agreement_takes_the_place_of_accuracy()
    {
        var summary = Section(ReportSamples.All["no-labels"]().ToHtml(), "summary");

        Assert.That(Charts(summary), Is.EqualTo(new[] { "summary-agreement", "summary-size", "summary-time" }));
        Assert.That(summary, Does.Contain("Agreement with the teacher against size"));
    }

    [Test]
    public void One_model_with_a_cost_alone_is_not_compared_and_named()
    {
        var report = ReportSamples.WithoutCosts();
        var costed = report with { Student = report.Student with { Cost = ReportSamples.Letters().Student.Cost } };

        var summary = Section(costed.ToHtml(), "summary");

        Assert.That(Charts(summary), Has.None.EqualTo("summary-size"));
        Assert.That(summary, Does.Contain("Time and size were measured for Student, distilled only."));
    }

    [Test]
    public void Everything_but_the_first_screen_and_problems_is_folded()
    {
        foreach (var (name, report) in ReportSamples.All)
        {
            var html = report().ToHtml();
            foreach (var id in Sections().Matches(html).Select(m => m.Groups[1].Value))
                Assert.That(Section(html, id).Contains("<details class=\"fold\">", StringComparison.Ordinal), Is.Not.EqualTo(Unfolded.Contains(id)), $"{name}: {id}");
        }
    }

    [Test]
    public void Failed_criteria_known_rows_and_warnings_are_never_folded()
    {
        var report = ReportSamples.Problems();
        var html = report.ToHtml();
        var problems = Section(html, "problems");

        Assert.Multiple(() =>
        {
            Assert.That(problems, Does.Not.Contain("<details"));
            foreach (var failed in report.Acceptance!.Checks.Where(check => !check.Passed))
                Assert.That(problems.Replace("<wbr>", "", StringComparison.Ordinal), Does.Contain($"<th scope=\"row\">{failed.Criterion}</th>"));
            Assert.That(problems.Split("✗ not met"), Has.Length.EqualTo(1 + 2));
            Assert.That(problems, Does.Contain("25.00\u00A0%"));
            foreach (var warning in report.Student.Warnings.Concat(report.Alone!.Warnings))
                Assert.That(problems, Does.Contain(warning));
        });
    }

    [Test]
    public void The_first_screen_names_the_criteria_that_are_not_met_and_counts_the_warnings()
    {
        var summary = Section(ReportSamples.Problems().ToHtml(), "summary").Replace("<wbr>", "", StringComparison.Ordinal);

        Assert.That(summary, Does.Contain("✗ Not accepted</strong> 1 of 3 criteria met; not met: ")
            .And.Contain(">MinimumAgreement</a>").And.Contain(">MaximumClassDrop</a>").And.Contain("training gave 3 warnings"));
    }

    [Test]
    public void A_report_without_problems_has_no_such_section() =>
        Assert.That(ReportSamples.Letters().ToHtml(), Does.Not.Contain("id=\"problems\""));

    [Test]
    public void Marks_and_whiskers_of_accuracy_stand_where_the_metrics_are()
    {
        var report = ReportSamples.Letters();
        var chart = Picture(report.ToHtml(), "summary-accuracy");
        var value = Axis(Shares().Matches(chart).Select(m => (Number(m.Groups[1]), Number(m.Groups[2]))));

        var student = report.Metrics.Student!.Accuracy;
        Assert.Multiple(() =>
        {
            Assert.That(value(Number(Disc().Match(chart).Groups[1])), Is.EqualTo(100 * student.Value).Within(0.01));
            Assert.That(value(Number(Whisker().Match(chart).Groups[1])), Is.EqualTo(100 * student.Lower!.Value).Within(0.01));
            Assert.That(value(Number(Whisker().Match(chart).Groups[2])), Is.EqualTo(100 * student.Upper!.Value).Within(0.01));
        });
    }

    [Test]
    public void A_mark_stands_over_its_size_on_a_logarithmic_axis()
    {
        var report = ReportSamples.Letters();
        var chart = Picture(report.ToHtml(), "summary-size");
        var size = Axis(Sizes().Matches(chart).Select(m =>
            (Number(m.Groups[1]), Math.Log(Number(m.Groups[2]) * (m.Groups[3].Value == "KiB" ? 1024 : 1024 * 1024)))));

        Assert.That(Math.Exp(size(Number(Disc().Match(chart).Groups[1]))), Is.EqualTo(report.Student.Cost!.ZipBytes).Within(1).Percent);
    }

    [Test]
    public void Charts_say_their_figures_in_words()
    {
        var report = ReportSamples.Letters();

        Assert.That(Description(report.ToHtml(), "summary-time"), Does.Contain(FormattableString.Invariant(
            $"Student, distilled: {100 * report.Metrics.Student!.Accuracy.Value:0.00} % (")).And.Contain("), 31.2 µs.").And.Contain("), 940 µs."));
    }

    /// <summary>What is measured at a place, from two ticks.</summary>
    private static Func<double, double> Axis(IEnumerable<(double Place, double Value)> ticks)
    {
        var (first, second) = (ticks.First(), ticks.Skip(1).First());
        return place => first.Value + ((place - first.Place) / (second.Place - first.Place) * (second.Value - first.Value));
    }

    private static double Number(Group group) => double.Parse(group.Value, CultureInfo.InvariantCulture);

    private static IEnumerable<string> Charts(string html) => Titles().Matches(html).Select(m => m.Groups[1].Value);

    private static string Section(string html, string id) => Between(html, $"<section id=\"{id}\"", "</section>");

    private static string Picture(string html, string id) => Between(html, $"aria-labelledby=\"{id}-title", "</svg>");

    private static string Description(string html, string id) => Between(html, $"<desc id=\"{id}-desc\">", "</desc>");

    private static string Between(string text, string start, string end)
    {
        var from = text.IndexOf(start, StringComparison.Ordinal);
        Assert.That(from, Is.Not.Negative, $"'{start}' is not in the page");
        return text[(from + start.Length)..text.IndexOf(end, from, StringComparison.Ordinal)];
    }

    [GeneratedRegex("""<section id="([^"]+)["]""")]
    private static partial Regex Sections();

    [GeneratedRegex("""<title id="([^"]+)-title">""")]
    private static partial Regex Titles();

    [GeneratedRegex("([0-9,]+) rows?, ")]
    private static partial Regex Counts();

    [GeneratedRegex("""<text class="tick" x="([0-9.]+)" y="[0-9.]+" text-anchor="middle">([0-9.]+) %</text>""")]
    private static partial Regex Shares();

    [GeneratedRegex("""<text class="tick" x="([0-9.]+)" y="[0-9.]+" text-anchor="middle">([0-9]+) (KiB|MiB)</text>""")]
    private static partial Regex Sizes();

    [GeneratedRegex("""<circle class="mark student" cx="([0-9.]+)["]""")]
    private static partial Regex Disc();

    [GeneratedRegex("""<line class="whisker student" x1="([0-9.]+)" y1="[0-9.]+" x2="([0-9.]+)["]""")]
    private static partial Regex Whisker();
}
