using Microsoft.ML;
using MlNetDistill.Evaluation;

namespace MlNetDistill.Reporting;

/// <summary>Evaluates the models of a report on embeddings.</summary>
internal sealed class EmbeddingReportMaker(MLContext context, EmbeddingReportInput input)
{
    // The student may overwrite the teacher's column.
    private const string Teacher = "MlNetDistill.TeacherEmbedding";

    public EmbeddingReport Create()
    {
        var embedded = Embed(input.Test);
        var retrieval = context.Ranking.EvaluateRetrieval(embedded, input.EmbeddingColumnName, input.IdColumnName, input.Retrieval with
        {
            TeacherColumnName = Teacher,
            Gallery = input.Retrieval.Gallery is { } gallery ? Embed(gallery) : null,
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
            Data = [.. ReportMaker.DescribeRows("Test rows", input.Test), .. ReportMaker.DescribeRows("Gallery", input.Retrieval.Gallery)],
            Versions = ReportMaker.Versions(),
        };
    }

    private IDataView Embed(IDataView rows)
    {
        var taught = AddTeacher(rows);
        var embedded = input.Student.Transform(taught);
        var (given, made) = (taught.Schema.GetColumnOrNull(input.EmbeddingColumnName), embedded.Schema.GetColumnOrNull(input.EmbeddingColumnName));
        return made is { } column && given?.Index != column.Index ? embedded : throw new ArgumentException(
            $"The student makes no column '{input.EmbeddingColumnName}'{(made is null ? "" : ": it is in the rows, or the teacher makes it")}. Set EmbeddingColumnName to the student's OutputColumnName.", nameof(input));
    }

    /// <summary>The rows with the teacher's embedding; every other column is as it was, so that the student reads the rows themselves.</summary>
    private IDataView AddTeacher(IDataView rows)
    {
        if (input.Teacher is not { } teacher)
            return Copy(rows, input.TeacherColumnName, Teacher);
        string[] names = [.. rows.Schema.Where(column => !column.IsHidden).Select(column => column.Name)];
        var taught = teacher.Transform(names.Aggregate(rows, (view, name) => Copy(view, name, Kept(name))));
        return names.Aggregate(Copy(taught, input.TeacherColumnName, Teacher), (view, name) => Copy(view, Kept(name), name));

        static string Kept(string name) => $"MlNetDistill.Given.{name}";
    }

    private IDataView Copy(IDataView rows, string from, string to) => context.Transforms.CopyColumns(to, from).Fit(rows).Transform(rows);

    private VerificationMetrics? Verify(IDataView rows, string column) =>
        input.Verification is { } options ? context.BinaryClassification.EvaluateVerification(rows, column, input.IdColumnName, options) : null;
}
