using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.ML;
using MlNetDistill.Evaluation;
using MlNetDistill.Networks;
using MlNetDistill.Reporting;
using MlNetDistill.Tests.Support;

namespace MlNetDistill.Tests.Evaluation.Report;

public sealed partial class EmbeddingReportTests
{
    private readonly MLContext _context = new(seed: 1);
    private IDataView _test = null!;
    private EmbeddingTransformer _teacher = null!;
    private EmbeddingTransformer _student = null!;

    [OneTimeSetUp]
    public void Train()
    {
        var rows = _context.View(ToyEmbeddings.Draw(400, 20));
        _test = _context.View(ToyEmbeddings.Draw(120, 12, first: 40, seed: 2));
        _teacher = _context.Transforms.DistillEmbedding(ToyEmbeddings.Options() with { Epochs = 10 }).Fit(rows);
        _student = _context.Transforms.DistillEmbedding(ToyEmbeddings.Options(EmbeddingTeacher.FromTransformer(_teacher, "Embedding")) with { Student = NetworkSpec.Mlp(6), ValidationFraction = 0.2 }).Fit(rows);
    }

    [Test]
    public void Its_numbers_are_those_of_the_evaluations_of_each_model()
    {
        // Teacher and student write the same column.
        var report = Create();
        var json = JsonDocument.Parse(report.ToJson()).RootElement;
        var (mine, theirs) = (_student.Transform(_test), _teacher.Transform(_test));
        var (student, teacher) = (_context.Ranking.EvaluateRetrieval(mine, idColumnName: "Id"), _context.Ranking.EvaluateRetrieval(theirs, idColumnName: "Id"));
        var (verified, teacherVerified) = (_context.BinaryClassification.EvaluateVerification(mine, idColumnName: "Id"), _context.BinaryClassification.EvaluateVerification(theirs, idColumnName: "Id"));
        Assert.Multiple(() =>
        {
            Assert.That(json.GetProperty("format").GetInt32(), Is.EqualTo(1));
            foreach (var (name, expected) in new[] { ("student", student.Student), ("teacher", teacher.Student) })
            {
                var found = json.GetProperty("retrieval").GetProperty(name);
                Assert.That(found.GetProperty("meanAveragePrecision").GetDouble(), Is.EqualTo(expected.MeanAveragePrecision), name);
                Assert.That(found.GetProperty("matchCurve").EnumerateArray().Select(rank => rank.GetDouble()), Is.EqualTo(expected.MatchCurve), name);
            }

            foreach (var (name, expected) in new[] { ("student", verified), ("teacher", teacherVerified) })
                Assert.That(json.GetProperty("verification").GetProperty(name).GetProperty("areaUnderCurve").GetDouble(), Is.EqualTo(expected.AreaUnderCurve), name);
            Assert.That(report.Student.Parameters, Is.EqualTo(_student.Model.ParameterCount));
            Assert.That(report.Student.Settings, Has.Some.EqualTo(new ReportedSetting("Seed", "3")).And.Some.EqualTo(new ReportedSetting("Epochs", "3")));
        });
        Assert.That(student.Student.RankOne, Is.Not.EqualTo(teacher.Student.RankOne), "the test tells them apart");
    }

    [Test]
    public void The_page_has_the_numbers_and_loads_nothing()
    {
        var report = Create();
        var html = report.ToHtml();
        Assert.That(Loading().Matches(html).Select(match => match.Value), Is.Empty);
        Assert.That(Row(html, "Mean average precision"), Is.EqualTo(new[] { report.Retrieval.Teacher!.MeanAveragePrecision, report.Retrieval.Student.MeanAveragePrecision }));
        Assert.That(Row(html, "TAR at FAR 0.01"), Is.EqualTo(new[] { report.TeacherVerification!.At(0.01).TrueAcceptRate, report.StudentVerification!.At(0.01).TrueAcceptRate }));
        Assert.That(html, Does.Contain("Cumulative match curve").And.Contain("false accept rate (log scale)").And.Contain("cosine on held-out rows").And.Contain("Best held-out cosine"));
        Assert.That(report.Verdict, Has.Some.StartsWith(FormattableString.Invariant($"The student finds a row of the same identity first for {100 * report.Retrieval.Student.RankOne:0.00} % of 120 queries")));
        Assert.That(report.Verdict[^1], Is.EqualTo("Time and size were not measured."));
    }

    [Test]
    public void A_saved_student_and_a_column_of_the_teacher_are_enough_and_verification_may_be_left_out()
    {
        using var folder = new ToyFolder();
        _student.SaveAtomically(folder.File("student.zip"));
        var loaded = _context.Model.LoadVerified(folder.File("student.zip"), out _);
        var (teacherCost, cost) = (Cost(80, 4096), Cost(20, 1024));
        var report = EmbeddingReport.Create(_context, new EmbeddingReportInput
        {
            Title = "Signs",
            Test = _test,
            Student = loaded,
            IdColumnName = "Id",
            Verification = null,
            TeacherCost = teacherCost,
            StudentCost = cost,
            Retrieval = new RetrievalOptions { Gallery = _context.Data.TakeRows(_test, 1000), Neighbours = 3 },
        });
        report.Write(folder.File("report"));
        Assert.That(File.ReadAllText(folder.File("report/report.html")), Is.EqualTo(report.ToHtml()).And.Not.Contains("false accept rate (log scale)"));
        Assert.That(File.ReadAllText(folder.File("report/report.json")), Is.EqualTo(report.ToJson()));
        Assert.That(report.Retrieval.Student.RankOne, Is.EqualTo(1), "each row finds itself in the gallery");
        Assert.That(report.Verdict[0], Is.EqualTo("100.00 % of the test rows are also in the gallery, in which each finds itself first. Search other rows, or leave Gallery null."));
        Assert.That(report.Verdict, Has.Some.EqualTo("The saved student has 1.0 KiB, 4.0 times smaller than its teacher (4.0 KiB).").And.Some.EqualTo("A single row takes it 20.0 µs (median), 4.0 times less than the teacher (80.0 µs)."));

        static ModelCost Cost(double time, long bytes) => new() { SingleRow = new(time, 2 * time, 100), Batch = new(time / 4, time / 2, 10), ZipBytes = bytes, PeakMemoryBytes = 10 * bytes };
    }

    [Test]
    public void A_student_is_not_compared_with_itself()
    {
        Assert.That(
            () => EmbeddingReport.Create(_context, new EmbeddingReportInput { Title = "Signs", Test = _test, Student = _student, TeacherColumnName = "Embedding" }),
            Throws.ArgumentException.With.Message.StartsWith("There is no Teacher, and TeacherColumnName is 'Embedding', the student's own embedding"));
        Assert.That(
            () => EmbeddingReport.Create(_context, new EmbeddingReportInput { Title = "Signs", Test = _test, Student = null! }), Throws.ArgumentException.With.Message.StartsWith("Student of the EmbeddingReportInput must be set"));
        Assert.That(
            () => EmbeddingReport.Create(_context, Input() with { EmbeddingColumnName = "TeacherEmbedding" }),
            Throws.ArgumentException.With.Message.StartsWith("The student makes no column 'TeacherEmbedding': it is in the rows, or the teacher makes it"));
        Assert.That(
            () => EmbeddingReport.Create(_context, Input() with { EmbeddingColumnName = "Small" }), Throws.ArgumentException.With.Message.StartsWith("The student makes no column 'Small'."));
        Assert.That(
            () => EmbeddingReport.Create(_context, Input() with { Retrieval = new RetrievalOptions { Gallery = _test } }), Throws.ArgumentException.With.Message.StartsWith("The Gallery is Test itself"));
    }

    [Test]
    public void Columns_are_named_as_the_report_names_them()
    {
        Refused<ArgumentOutOfRangeException>(
            input => input with { IdColumnName = "Person" }, "The identity of each row of Test column 'Person' is not in the data. Its columns are ", "name one of them as IdColumnName of the EmbeddingReportInput");
        Refused<ArgumentOutOfRangeException>(
            input => input with { TeacherColumnName = "Taught" }, "The teacher's embedding of each row of Test column 'Taught' is not in the data.", "TeacherColumnName of the EmbeddingReportInput");
        var bare = _context.Transforms.SelectColumns("Features", "Id").Fit(_test).Transform(_test);
        Refused<ArgumentOutOfRangeException>(
            input => input with { Teacher = null, TeacherColumnName = "TeacherEmbedding", Retrieval = new RetrievalOptions { Gallery = bare } },
            "The teacher's embedding of each row of Gallery column 'TeacherEmbedding' is not in the data. Its columns are 'Features', 'Id';");
        var rows = ToyEmbeddings.Draw(20, 4);
        rows[3].TeacherEmbedding[0] = float.NaN;
        Refused<InvalidOperationException>(
            input => input with { Test = _context.View(rows), Teacher = null, TeacherColumnName = "TeacherEmbedding" }, "Column 'TeacherEmbedding of the teacher' has NaN or infinity in row 3");
        Refused<InvalidOperationException>(
            input => input with { Test = _context.View(ToyEmbeddings.Draw(4, 1)) }, "There is no pair of unlike identities", "a report leaves verification out if its Verification is null");

        void Refused<T>(Func<EmbeddingReportInput, EmbeddingReportInput> change, params string[] parts)
            where T : Exception
        {
            var message = Assert.Throws<T>(() => EmbeddingReport.Create(_context, change(Input())))!.Message;
            Assert.That(message, Does.Not.Contain("MlNetDistill."));
            foreach (var part in parts)
                Assert.That(message, Does.Contain(part));
        }
    }

    [Test]
    public void Rows_that_the_student_knows_are_spoken_of_first()
    {
        var report = EmbeddingReport.Create(_context, Input() with { Test = _context.View(ToyEmbeddings.Draw(400, 20)) });
        Assert.That(report.TrainingOverlap!.Share, Is.EqualTo(0.8).Within(0.001), "a fifth was held out");
        Assert.That(report.Verdict[0], Does.StartWith("80.00 % of the test rows have the features of a row that the student was trained on"));
        Assert.That(JsonDocument.Parse(report.ToJson()).RootElement.GetProperty("trainingOverlap").GetProperty("share").GetDouble(), Is.EqualTo(report.TrainingOverlap.Share));
        var usual = Create();
        Assert.That((usual.TrainingOverlap!.Share, usual.GalleryOverlap), Is.EqualTo((0.0, (double?)null)));
        Assert.That(usual.Verdict[0], Does.StartWith("The student finds"));
    }

    [Test]
    public void The_student_reads_the_rows_and_not_what_the_teacher_makes_of_them()
    {
        var scaling = _context.Transforms.NormalizeMinMax("Features").Fit(_context.View(ToyEmbeddings.Draw(50, 5, seed: 9)));
        var report = EmbeddingReport.Create(_context, Input() with { Teacher = scaling.Append(_teacher) });
        Assert.That(report.Retrieval.Student.MatchCurve, Is.EqualTo(Create().Retrieval.Student.MatchCurve));
        Assert.That(report.Retrieval.Teacher!.MatchCurve, Is.Not.EqualTo(Create().Retrieval.Teacher!.MatchCurve), "the teacher reads the scaled rows");
    }

    private EmbeddingReport Create() => EmbeddingReport.Create(_context, Input());

    private EmbeddingReportInput Input() => new()
    {
        Title = "Signs",
        Test = _test,
        Student = _student,
        Teacher = _teacher,
        TeacherColumnName = "Embedding",
        IdColumnName = "Id",
    };

    private static double[] Row(string html, string name)
    {
        var row = Regex.Match(html, $"<th scope=\"row\">{Regex.Escape(name)}</th>(.*?)</tr>", RegexOptions.Singleline).Groups[1].Value;
        return [.. Regex.Matches(row, "<data value=\"([^\"]+)\"").Select(match => double.Parse(match.Groups[1].Value, System.Globalization.CultureInfo.InvariantCulture))];
    }

    [GeneratedRegex("""<script|<link|<img|<iframe|\bsrc=|url\(|@import|\bon[a-z]+=""")]
    private static partial Regex Loading();
}
