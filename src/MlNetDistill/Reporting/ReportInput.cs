using Microsoft.ML;
using MlNetDistill.Core;
using MlNetDistill.Evaluation;

namespace MlNetDistill.Reporting;

/// <summary>What a <see cref="DistillationReport"/> is made of: models, rows, and what was measured of them.</summary>
public sealed record ReportInput
{
    /// <summary>What the report is about.</summary>
    public required string Title { get; init; }

    /// <summary>A sentence or two of one's own under the title; null for none.</summary>
    public string? Description { get; init; }

    /// <summary>Rows that nothing was trained on, with the columns that the models read and the label.</summary>
    public required IDataView Test { get; init; }

    /// <summary>The rows that the student was trained on, to tell what it did not learn from what it did not generalise; null to leave that out.</summary>
    public IDataView? Training { get; init; }

    /// <summary>The distilled student: the whole model, from the columns of the rows to its scores.</summary>
    public required ITransformer Student { get; init; }

    /// <summary>The teacher as an ML.NET model over the same rows; null where its scores are a column of them.</summary>
    public ITransformer? Teacher { get; init; }

    /// <summary>
    /// The teacher's scores: a column of <see cref="Teacher"/>'s output, or of the rows where there is no such model (see
    /// <see cref="DistillationTrainer.ScoreTeacher"/>).
    /// </summary>
    public string TeacherScoreColumnName { get; init; } = "Score";

    /// <summary>The same student trained without a teacher; null where there is none.</summary>
    public ITransformer? Alone { get; init; }

    /// <summary>The label: a column of the student's output, a key or text; null where there is none: accuracy and calibration are then not known.</summary>
    public string? LabelColumnName { get; init; } = "Label";

    /// <summary>The students' scores.</summary>
    public string ScoreColumnName { get; init; } = "Score";

    /// <summary>What the report calls the teacher.</summary>
    public string TeacherName { get; init; } = "Teacher";

    /// <summary>What the teacher costs, measured by <c>mlContext.Model.MeasureCost</c>; null where it was not.</summary>
    public ModelCost? TeacherCost { get; init; }

    /// <summary>What the student costs; null where it was not measured.</summary>
    public ModelCost? StudentCost { get; init; }

    /// <summary>What the student alone costs; null where it was not measured.</summary>
    public ModelCost? AloneCost { get; init; }

    /// <summary>What the student must be to be released; null for no judgement.</summary>
    public AcceptanceCriteria? Criteria { get; init; }

    /// <summary>How student and teacher are compared.</summary>
    public DistillationEvaluationOptions Evaluation { get; init; } = new();

    /// <summary>Its settings, in a line where they fit in one.</summary>
    public override string ToString() => SettingText.Describe(this);
}
