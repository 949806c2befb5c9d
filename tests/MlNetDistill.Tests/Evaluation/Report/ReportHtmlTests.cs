using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using MlNetDistill.Evaluation;

namespace MlNetDistill.Tests.Evaluation.Report;

public sealed partial class ReportHtmlTests
{
    [TestCase("accuracy", "Accuracy", "teacher", "student")]
    [TestCase("logLoss", "Log-loss in nats", "teacher", "student")]
    [TestCase("brier", "Brier score", "teacher", "student")]
    [TestCase("calibrationError", "Calibration error", "teacher", "student")]
    public void The_table_of_the_page_has_the_numbers_of_the_JSON(string name, string row, string teacher, string student)
    {
        var report = ReportSamples.Letters();
        var metrics = JsonDocument.Parse(report.ToJson()).RootElement.GetProperty("metrics");

        var cells = Row(report.ToHtml(), row);

        Assert.That(cells, Is.EqualTo(new[] { Value("test", teacher), Value("alone", student), Value("test", student) }));

        double Value(string rows, string model) => metrics.GetProperty(rows).GetProperty(model).GetProperty(name).GetProperty("value").GetDouble();
    }

    [Test]
    public void A_figure_stands_with_its_interval()
    {
        var report = ReportSamples.Letters();
        var known = new Estimate(0.51234, 0.4, 0.625);

        var html = (report with { Metrics = report.Metrics with { Agreement = known } }).ToHtml();

        Assert.That(html, Does.Contain("""<data value="0.51234">51.23 %</data><small class="interval">40.00 to 62.50</small>"""));
    }

    [Test]
    public void The_page_has_no_script_and_names_nothing_to_load()
    {
        foreach (var (name, report) in ReportSamples.All)
        {
            var html = report().ToHtml();

            Assert.That(Loading().Matches(html).Select(m => m.Value), Is.Empty, name);
        }
    }

    [Test]
    public void The_page_lets_through_its_own_style_sheet_and_nothing_else()
    {
        var html = ReportSamples.Letters().ToHtml();
        var sheet = Between(html, "<style>", "</style>");

        var hash = Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(sheet)));
        Assert.That(html, Does.Contain($"default-src &#39;none&#39;; style-src &#39;sha256-{hash}&#39;; base-uri"));
    }

    [Test]
    public void Names_that_look_like_markup_are_text_wherever_they_stand()
    {
        var html = ReportSamples.All["hostile-names"]().ToHtml();

        Assert.Multiple(() =>
        {
            Assert.That(Tags().Matches(html).Select(m => m.Groups[1].Value).Distinct(), Has.None.AnyOf("script", "img", "b"));
            Assert.That(html, Does.Contain("&lt;script&gt;alert(1)&lt;/script&gt;"));
            Assert.That(html, Does.Contain("&amp;amp; &quot;quoted&quot; &#39;too&#39;"));
            Assert.That(html, Does.Contain("nul\uFFFD and half \uFFFD"));
            Assert.That(html.EnumerateRunes().Where(rune => Rune.IsControl(rune) && rune.Value != '\n'), Is.Empty);
        });
    }

    [Test]
    public void A_class_of_two_hundred_letters_is_whole_in_the_table_and_cut_in_the_pictures()
    {
        var html = ReportSamples.All["hostile-names"]().ToHtml();
        var name = new string('W', 200);

        Assert.Multiple(() =>
        {
            Assert.That(html, Does.Contain($"<bdi>{name}</bdi>"));
            Assert.That(PictureText().Matches(html).Select(m => m.Groups[1].Value), Has.None.Contains(new string('W', 60)));
        });
    }

    [Test]
    public void Every_id_is_there_once_and_every_link_and_label_finds_its_own()
    {
        foreach (var (name, report) in ReportSamples.All)
        {
            var html = report().ToHtml();
            var ids = Ids().Matches(html).Select(m => m.Groups[1].Value).ToList();
            var referenced = References().Matches(html).SelectMany(m => m.Groups[1].Value.Split(' ')).Select(id => id.TrimStart('#'));

            Assert.That(ids, Is.Unique, name);
            Assert.That(referenced.Except(ids), Is.Empty, name);
        }
    }

    [Test]
    public void Every_picture_has_a_title_and_a_description_with_its_figures()
    {
        var html = ReportSamples.Letters().ToHtml();
        var pictures = Pictures().Matches(html).Select(m => m.Value).ToList();

        Assert.That(pictures, Has.Count.GreaterThan(10));
        Assert.That(pictures.Where(picture => !Description().IsMatch(picture)), Is.Empty);
    }

    [Test]
    public void What_was_not_measured_is_left_out_and_named()
    {
        var html = ReportSamples.Minimal().ToHtml();

        Assert.Multiple(() =>
        {
            Assert.That(html, Does.Contain("Not measured: accuracy and calibration (no row has a label); time, memory and size; the student trained alone."));
            Assert.That(Headings(html), Has.None.AnyOf("Calibration", "Latency and size", "Learning curves", "Stages and anchors"));
            Assert.That(html, Does.Not.Contain("NaN"));
        });
    }

    [Test]
    public void A_complete_report_has_all_its_sections()
    {
        var html = ReportSamples.Letters().ToHtml();

        Assert.That(Headings(html), Is.EqualTo(new[]
        {
            "At a glance", "Verdict", "The models side by side", "Further findings", "Acceptance criteria that are met", "Fidelity to the teacher", "Calibration", "What the teacher&#39;s knowledge does to each row",
            "Agreement matrix", "Class by class", "Latency and size", "Learning curves", "Stages and anchors", "Settings, data and versions",
            "How to read the figures",
        }));
    }

    [Test]
    public void Every_stage_stands_in_the_timeline_with_the_time_it_took()
    {
        var html = ReportSamples.All["stages"]().ToHtml();

        // 12 epochs of 1.3 + 4 seconds.
        Assert.That(html, Does.Match(@"6 · DIST, epoch 40 \(final\)</text>"));
        Assert.That(Row(html, "<bdi>DIST, epoch 20</bdi>", cell => cell), Does.Contain("1 min 03 s").And.Contain("31 to 42"));
    }

    [Test]
    public void A_matrix_of_a_thousand_classes_is_a_table_of_the_most_frequent_disagreements()
    {
        var report = ReportSamples.All["thousand-classes"]();
        var most = report.Metrics.Matrix.Where(cell => cell.Teacher != cell.Student).Max(cell => cell.Rows);

        var html = report.ToHtml();

        Assert.That(html, Does.Not.Contain("matrix-map"));
        var first = Between(html, "id=\"matrix-pairs\"", "</tr>\n</tbody>");
        Assert.That(Regex.Match(first, """<td class="figure">(\d+)</td>""").Groups[1].Value, Is.EqualTo(most.ToString(CultureInfo.InvariantCulture)));
    }

    [Test]
    public void A_report_gives_the_same_bytes_in_every_culture()
    {
        var before = CultureInfo.CurrentCulture;
        var report = ReportSamples.Letters();
        var (html, json) = (report.ToHtml(), report.ToJson());
        try
        {
            // The tests run without the data of cultures, so one is made that writes numbers as no other does.
            var culture = (CultureInfo)CultureInfo.InvariantCulture.Clone();
            culture.NumberFormat.NumberDecimalSeparator = culture.NumberFormat.PercentDecimalSeparator = "¤";
            culture.NumberFormat.NumberGroupSeparator = culture.NumberFormat.NegativeSign = "~";
            CultureInfo.CurrentCulture = culture;

            Assert.That(report.ToHtml(), Is.EqualTo(html));
            Assert.That(report.ToJson(), Is.EqualTo(json));
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }

    private static IEnumerable<string> Headings(string html) => Heading().Matches(html).Select(m => m.Groups[1].Value);

    private static double[] Row(string html, string head) =>
        [.. Data().Matches(Row(html, head, row => row)).Select(m => double.Parse(m.Groups[1].Value, CultureInfo.InvariantCulture))];

    private static T Row<T>(string html, string head, Func<string, T> then) => then(Between(html, $"<th scope=\"row\">{head}", "</tr>"));

    private static string Between(string text, string start, string end)
    {
        var from = text.IndexOf(start, StringComparison.Ordinal);
        Assert.That(from, Is.Not.Negative, $"'{start}' is not in the page");
        from += start.Length;
        return text[from..text.IndexOf(end, from, StringComparison.Ordinal)];
    }

    [GeneratedRegex("""<data value="([^"]+)">""")]
    private static partial Regex Data();

    [GeneratedRegex("""<(?:script|link|iframe|object|embed|img|image)|<[a-z][^>]* (?:src|srcset|on[a-z]+)=|@import|url\(|https?://|javascript:""")]
    private static partial Regex Loading();

    [GeneratedRegex("<([a-z0-9]+)")]
    private static partial Regex Tags();

    [GeneratedRegex("<text[^>]*>([^<]*)</text>")]
    private static partial Regex PictureText();

    [GeneratedRegex(""" id="([^"]+)["]""")]
    private static partial Regex Ids();

    [GeneratedRegex(""" (?:href|aria-labelledby)="([^"]+)["]""")]
    private static partial Regex References();

    [GeneratedRegex("""<svg role="img".*?</svg>""", RegexOptions.Singleline)]
    private static partial Regex Pictures();

    [GeneratedRegex("""^<svg role="img" [^>]*>\s*<title id="[^"]+">[^<]+</title>\s*<desc id="[^"]+">[^<]*\d[^<]*</desc>""")]
    private static partial Regex Description();

    [GeneratedRegex("<h2[^>]*>([^<]*)</h2>")]
    private static partial Regex Heading();
}
