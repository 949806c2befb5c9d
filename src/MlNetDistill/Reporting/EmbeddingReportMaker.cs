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
        var taught = input.Teacher?.Transform(rows) ?? rows;
        return input.Student.Transform(context.Transforms.CopyColumns(Teacher, input.TeacherColumnName).Fit(taught).Transform(taught));
    }

    private VerificationMetrics? Verify(IDataView rows, string column) =>
        input.Verification is { } options ? context.BinaryClassification.EvaluateVerification(rows, column, input.IdColumnName, options) : null;
}
