using Microsoft.ML;
using MlNetDistill.Core;
using MlNetDistill.Evaluation;

namespace MlNetDistill.Reporting;

/// <summary>The input of a <see cref="DistillationReport"/>: models, rows and measured costs.</summary>
public sealed record ReportInput
{
    /// <summary>Title of the report.</summary>
    public required string Title { get; init; }

    /// <summary>Your description under the title; null for none.</summary>
    public string? Description { get; init; }

    /// <summary>Rows that no model was trained on, with the columns that the models read and the label.</summary>
    public required IDataView Test { get; init; }

    /// <summary>The rows that the student was trained on, to distinguish what it did not learn from what it did not generalise; null to leave that out.</summary>
    public IDataView? Training { get; init; }

    /// <summary>The distilled student: the whole model, from the columns of the rows to its scores.</summary>
    public required ITransformer Student { get; init; }

    /// <summary>The teacher as an ML.NET model for the same rows; null if its scores are a column of the rows.</summary>
    public ITransformer? Teacher { get; init; }

    /// <summary>
    /// The teacher's scores: a column of <see cref="Teacher"/>'s output, or of the rows if there is no such model (see
    /// <see cref="DistillationTrainer.ScoreTeacher"/>).
    /// </summary>
    public string TeacherScoreColumnName { get; init; } = "Score";

    /// <summary>
    /// The same student trained without a teacher; null for the one that <see cref="Student"/> carries (<see cref="DistillationOptions.CompareAlone"/>), or none.
    /// </summary>
    public ITransformer? Alone { get; init; }

    /// <summary>The label: a column of the student's output, a key or text; null if there is none, then accuracy and calibration are unknown.</summary>
    public string? LabelColumnName { get; init; } = "Label";

    /// <summary>The students' scores.</summary>
    public string ScoreColumnName { get; init; } = "Score";

    /// <summary>The teacher's name in the report.</summary>
    public string TeacherName { get; init; } = "Teacher";

    /// <summary>The teacher's cost from <c>mlContext.Model.MeasureCost</c>; null if not measured.</summary>
    public ModelCost? TeacherCost { get; init; }

    /// <summary>The student's cost; null if not measured.</summary>
    public ModelCost? StudentCost { get; init; }

    /// <summary>The cost of the student alone; null if not measured.</summary>
    public ModelCost? AloneCost { get; init; }

    /// <summary>
    /// The student in other precisions (<c>model.WithPrecision(...)</c>), for the charts of accuracy against size and time, and the table; empty for none. They are compared on <see cref="Test"/>.
    /// </summary>
    public IReadOnlyList<PrecisionInput> Precisions { get; init; } = [];

    /// <summary>
    /// How KD rescales the gradient of each row, from <c>mlContext.MulticlassClassification.DiagnoseKnowledge</c>, with the temperature and the alpha of the student's training,
    /// on training rows or others; null to leave that out.
    /// </summary>
    public KnowledgeDiagnosis? Knowledge { get; init; }

    /// <summary>Criteria that the student must meet to be released; null for none.</summary>
    public AcceptanceCriteria? Criteria { get; init; }

    /// <summary>Settings of the comparison of student and teacher.</summary>
    public DistillationEvaluationOptions Evaluation { get; init; } = new();

    /// <summary>Its settings, in a line where they fit in one.</summary>
    public override string ToString() => SettingText.Describe(this);
}
