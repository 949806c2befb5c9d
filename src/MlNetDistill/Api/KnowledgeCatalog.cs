using MlNetDistill;
using MlNetDistill.Core;
using MlNetDistill.Evaluation;

namespace Microsoft.ML;

/// <summary>What a teacher's knowledge does to a student's training, from ML.NET's catalogs.</summary>
public static class KnowledgeCatalog
{
    /// <summary>
    /// Computes how KD rescales the gradient of each row that teacher and student have scored: mean, quantiles and sign, and its rank correlation with the teacher's
    /// confidence. It takes one pass over the data, and its memory does not grow with the number of rows: quantiles and correlations of many rows are those of a sample.
    /// </summary>
    /// <param name="catalog">The multiclass operations.</param>
    /// <param name="data">Rows with both score columns; for their classes see <c>EvaluateDistillation</c>.</param>
    /// <param name="teacherScoreColumnName">The teacher's scores, <c>Vector&lt;Single, K'&gt;</c>, or the one score of a binary model; probabilities unless the options say otherwise.</param>
    /// <param name="studentScoreColumnName">The student's scores, <c>Vector&lt;Single, K&gt;</c>, probabilities unless the options say otherwise.</param>
    /// <param name="labelColumnName">The true class: a key column, whose values are matched by name, or text. Rows without it are counted and left out.</param>
    /// <param name="temperature">The temperature of KD, above 0.</param>
    /// <param name="alpha">The teacher's share of the loss, in [0, 1].</param>
    /// <param name="options">What the scores mean; the defaults if null. Only the kinds of scores and the classes are used.</param>
    /// <exception cref="ArgumentException">Both score columns are the same.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or of the wrong type, or a setting is out of range.</exception>
    /// <exception cref="InvalidOperationException">
    /// Classes cannot be matched, scores are not of their kind, a label is not one of the classes, or no row has a label and a gradient.
    /// </exception>
    public static KnowledgeDiagnosis DiagnoseKnowledge(
        this MulticlassClassificationCatalog catalog,
        IDataView data,
        string teacherScoreColumnName,
        string studentScoreColumnName,
        string labelColumnName = "Label",
        double temperature = 1,
        double alpha = 0.5,
        DistillationEvaluationOptions? options = null)
    {
        Check(catalog, labelColumnName, temperature, alpha);
        return PairedScores.Read(
            data, teacherScoreColumnName, studentScoreColumnName, labelColumnName, options ?? new(), columns => Diagnose(columns, temperature, alpha));
    }

    /// <summary>
    /// Scores rows with a teacher and a student, and computes how KD rescales the gradient of each: mean, quantiles and sign, and its rank correlation with the
    /// teacher's confidence.
    /// </summary>
    /// <param name="catalog">The multiclass operations.</param>
    /// <param name="data">The rows, with the columns that both models read.</param>
    /// <param name="teacher">The teacher. The scores of a naive Bayes model are read as logits.</param>
    /// <param name="student">The student.</param>
    /// <param name="labelColumnName">The true class: a key column, whose values are matched by name, or text. Rows without it are counted and left out.</param>
    /// <param name="temperature">The temperature of KD, above 0.</param>
    /// <param name="alpha">The teacher's share of the loss, in [0, 1].</param>
    /// <param name="scoreColumnName">The student's scores, <c>Vector&lt;Single, K&gt;</c>.</param>
    /// <param name="teacherScoreColumnName">The teacher's scores, <c>Vector&lt;Single, K'&gt;</c>, or the one score of a binary model.</param>
    /// <param name="options">What the scores mean; the defaults if null. Only the kinds of scores and the classes are used.</param>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or of the wrong type, or a setting is out of range.</exception>
    /// <exception cref="InvalidOperationException">
    /// Classes cannot be matched, scores are not of their kind, a label is not one of the classes, no row has a label and a gradient, or the two models return
    /// different rows.
    /// </exception>
    public static KnowledgeDiagnosis DiagnoseKnowledge(
        this MulticlassClassificationCatalog catalog,
        IDataView data,
        ITransformer teacher,
        ITransformer student,
        string labelColumnName = "Label",
        double temperature = 1,
        double alpha = 0.5,
        string scoreColumnName = "Score",
        string teacherScoreColumnName = "Score",
        DistillationEvaluationOptions? options = null)
    {
        Check(catalog, labelColumnName, temperature, alpha);
        return PairedScores.Read(
            data, teacher, student, labelColumnName, scoreColumnName, teacherScoreColumnName, options ?? new(), columns => Diagnose(columns, temperature, alpha));
    }

    private static void Check(MulticlassClassificationCatalog catalog, string labelColumnName, double temperature, double alpha)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        ArgumentException.ThrowIfNullOrEmpty(labelColumnName);
        Faults.ThrowIfAny(Faults.Above0("The temperature", temperature).Concat(Faults.Share("The alpha", alpha)), nameof(temperature));
    }

    private static (ScoredRowReader Read, Func<KnowledgeDiagnosis> Finish) Diagnose(EvaluationColumns columns, double temperature, double alpha)
    {
        var rows = new RescalingRows(columns.Scores.Teacher, columns.Scores.Student, temperature, alpha);
        return (rows.Add, () => rows.Diagnose() with { Classes = columns.Classes });
    }
}
