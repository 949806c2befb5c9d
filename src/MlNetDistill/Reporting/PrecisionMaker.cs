using Microsoft.ML;
using MlNetDistill.Evaluation;
using MlNetDistill.Export;

namespace MlNetDistill.Reporting;

/// <summary>Evaluates the student of a report in other precisions.</summary>
/// <param name="context">The context for the evaluation.</param>
/// <param name="input">The report's input.</param>
/// <param name="compare">Compares a model with the teacher on the test rows.</param>
internal sealed class PrecisionMaker(MLContext context, ReportInput input, Func<ITransformer, DistillationMetrics> compare)
{
    /// <exception cref="ArgumentException">A model is not the report's student in another precision.</exception>
    public static void Check(ReportInput input)
    {
        foreach (var (i, stored) in input.Precisions.Index())
        {
            if (stored?.Model is null)
                throw new ArgumentException($"Precisions[{i}] of the ReportInput must have a Model; it is null.", nameof(input));
            if (stored.Model.FindStudents() is not [.., { Precision: not null } student])
            {
                throw new ArgumentException(
                    $"Precisions[{i}] of the ReportInput must be what WithPrecision returned; found a model whose student is as it was trained, or a loaded one.", nameof(input));
            }

            // The student of a loaded model is not known.
            if (input.Student.FindStudents() is [.., var reported] && !ReferenceEquals(reported.Trained, student.Trained))
                throw new ArgumentException($"Precisions[{i}] of the ReportInput was made of another student than its Student. Call WithPrecision on the Student.", nameof(input));
        }
    }

    public IReadOnlyList<ReportedPrecision> Create() => [.. input.Precisions.Select(Create)];

    private ReportedPrecision Create(PrecisionInput stored)
    {
        var student = stored.Model.FindStudents()[^1];
        var precision = student.Precision!.Precision;
        return new ReportedPrecision
        {
            Precision = precision,
            Model = new ReportedModel
            {
                Name = $"Student, {precision}",
                Kind = student.Model.Spec.Name,
                Parameters = student.Model.ParameterCount,
                Cost = stored.Cost,
                Hash = ModelHash.TryCompute(context, stored.Model, input.Test.Schema, out _),
            },
            Metrics = compare(stored.Model),
            Agreement = context.MulticlassClassification.EvaluateDistillation(
                input.Test, input.Student, stored.Model, null, input.ScoreColumnName, input.ScoreColumnName,
                input.Evaluation with { TeacherScoreKind = input.Evaluation.StudentScoreKind, TeacherClassNames = null, ClassMap = null }).Agreement,
        };
    }
}
