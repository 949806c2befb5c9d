using Microsoft.ML;
using MlNetDistill.Evaluation;
using MlNetDistill.Reading;

namespace MlNetDistill.Reporting;

/// <summary>Evaluates the models of a report on embeddings.</summary>
internal sealed class EmbeddingReportMaker(MLContext context, EmbeddingReportInput input)
{
    private const string KeptPrefix = "MlNetDistill.Given.";

    // The student may overwrite the teacher's column. The name is that of messages too.
    private string Teacher => $"{input.TeacherColumnName} of the teacher";

    public EmbeddingReport Create()
    {
        var embedded = Embed(input.Test, nameof(input.Test));
        var retrieval = context.Ranking.EvaluateRetrieval(embedded, input.EmbeddingColumnName, input.IdColumnName, input.Retrieval with
        {
            TeacherColumnName = Teacher,
            Gallery = input.Retrieval.Gallery is { } gallery ? Embed(gallery, nameof(input.Retrieval.Gallery)) : null,
        });
        return new EmbeddingReport
        {
            Title = input.Title,
            Description = input.Description,
            Teacher = ReportMaker.DescribeModel(context, input.Test.Schema, input.TeacherName, input.Teacher, input.TeacherCost),
            Student = ReportMaker.DescribeModel(context, input.Test.Schema, "Student", input.Student, input.StudentCost),
            Retrieval = retrieval,
            StudentVerification = Verify(embedded, input.EmbeddingColumnName),
            TeacherVerification = Verify(embedded, Teacher),
            TrainingOverlap = OverlapMeasurement.Measure(input.Student, ReportMaker.FindEmbedding(input.Student), input.Test),
            GalleryOverlap = input.Retrieval.Gallery is { } searched ? OverlapMeasurement.Share(input.Test, searched) : null,
            Data = [.. ReportMaker.DescribeRows("Test rows", input.Test), .. ReportMaker.DescribeRows("Gallery", input.Retrieval.Gallery)],
            Versions = ReportMaker.Versions(),
        };
    }

    private IDataView Embed(IDataView rows, string role)
    {
        var taught = AddTeacher(rows, role);
        var embedded = input.Student.Transform(taught);
        var (given, made) = (taught.Schema.GetColumnOrNull(input.EmbeddingColumnName), embedded.Schema.GetColumnOrNull(input.EmbeddingColumnName));
        if (made is not { } column || given?.Index == column.Index)
        {
            throw new ArgumentException(
                $"The student makes no column '{input.EmbeddingColumnName}'{(made is null ? "" : ": it is in the rows, or the teacher makes it")}. Set EmbeddingColumnName to the student's OutputColumnName.", nameof(input));
        }

        Require(embedded, input.IdColumnName, $"identity of each row of {role}", nameof(input.IdColumnName));
        return embedded;
    }

    /// <summary>The rows with the teacher's embedding; every other column is as it was, so that the student reads the rows themselves.</summary>
    private IDataView AddTeacher(IDataView rows, string role)
    {
        if (input.Teacher is not { } teacher)
            return Copy(Require(rows, input.TeacherColumnName, $"teacher's embedding of each row of {role}", nameof(input.TeacherColumnName)), input.TeacherColumnName, Teacher);
        string[] names = [.. rows.Schema.Where(column => !column.IsHidden).Select(column => column.Name)];
        var taught = teacher.Transform(names.Aggregate(rows, (view, name) => Copy(view, name, Kept(name))));
        Require(taught, input.TeacherColumnName, $"teacher's embedding of each row of {role}", nameof(input.TeacherColumnName));
        var restored = names.Aggregate(Copy(taught, input.TeacherColumnName, Teacher), (view, name) => Copy(view, Kept(name), name));
        return context.Transforms.DropColumns([.. names.Select(Kept)]).Fit(restored).Transform(restored);

        static string Kept(string name) => $"{KeptPrefix}{name}";
    }

    private static IDataView Require(IDataView rows, string column, string role, string option) => rows.Schema.GetColumnOrNull(column) is not null ? rows : throw ColumnCheck.Missing(
        column, role, $"{option} of the EmbeddingReportInput", rows.Schema.Where(c => !c.IsHidden && !c.Name.StartsWith(KeptPrefix, StringComparison.Ordinal)).Select(c => c.Name));

    private IDataView Copy(IDataView rows, string from, string to) => context.Transforms.CopyColumns(to, from).Fit(rows).Transform(rows);

    private VerificationMetrics? Verify(IDataView rows, string column) =>
        input.Verification is { } options ? context.BinaryClassification.EvaluateVerification(rows, column, input.IdColumnName, options) : null;
}
