using Microsoft.ML;
using MlNetDistill.Alignment;
using MlNetDistill.Teachers;

namespace MlNetDistill;

/// <content>ML.NET models, pipelines and columns, which score the rows of a data view.</content>
public abstract partial class Teacher
{
    /// <summary>
    /// A fitted ML.NET model. It runs on the data view that the trainer's <c>Fit</c> receives, and reads its own input columns there; classes are matched by their key
    /// values.
    /// </summary>
    /// <remarks>
    /// A model fitted beforehand has seen every row, so in <c>CrossValidate</c> it knows the held-out ones; use
    /// <see cref="FromEstimator"/> there.
    /// </remarks>
    /// <param name="transformer">A model over the raw columns; an error names any of them that an earlier step of the pipeline overwrote.</param>
    /// <param name="scoreColumnName">
    /// Its column of class scores, a vector of Single; or the score of a binary model, a Single, whose calibrated probability is then taken where it has one. The
    /// classes of a binary model are <c>false</c> and <c>true</c> (or <c>0</c> and <c>1</c>), or those that <paramref name="classNames"/> names, in this order.
    /// </param>
    /// <param name="scoreKind">The kind of the scores; not needed for probabilities.</param>
    /// <param name="classNames">Class of each score, for a model whose score column does not name them.</param>
    /// <param name="acceptOverwrittenInputs">
    /// Whether the model was fitted on the columns as the pipeline leaves them, including overwritten ones, so that overwritten columns are no error.
    /// </param>
    /// <param name="classMap">How its classes become the student's, if they are not the same.</param>
    /// <param name="embeddingColumnName">Its column of embeddings, a vector of Single, for methods that read them; null for none.</param>
    /// <param name="cacheKey">
    /// A name that changes whenever the model does, by which a teacher cache in a folder is recognised; null for a hash of what <c>Model.Save</c> writes.
    /// </param>
    public static Teacher FromTransformer(
        ITransformer transformer,
        string scoreColumnName = "Score",
        ScoreKind scoreKind = ScoreKind.Auto,
        IReadOnlyList<string>? classNames = null,
        bool acceptOverwrittenInputs = false,
        ClassMap? classMap = null,
        string? embeddingColumnName = null,
        string? cacheKey = null)
    {
        ArgumentNullException.ThrowIfNull(transformer);
        var scores = new ScoreSpec(scoreKind, classNames, classMap) { Column = scoreColumnName, Embedding = embeddingColumnName };
        return new TransformerTeacher(transformer, scores, acceptOverwrittenInputs, cacheKey);
    }

    /// <summary>
    /// An ML.NET pipeline that is fitted first, inside the trainer's <c>Fit</c> and on the same rows, so that <c>CrossValidate</c> does not
    /// leak held-out rows to the teacher.
    /// </summary>
    /// <remarks>
    /// It is not fitted on the rows that this trainer holds out for validation (<see cref="DistillationOptions.ValidationFraction"/>,
    /// <see cref="DistillationOptions.ValidationColumnName"/>), so that they judge it and the student fairly. With <paramref name="folds"/> they are divided into the
    /// folds like all rows: each is scored by a model that was not fitted on it, but the answers for training rows come from models that were.
    /// </remarks>
    /// <param name="estimator">A pipeline of multiclass or binary classification over the columns of the data that the trainer receives.</param>
    /// <param name="scoreColumnName">
    /// Its column of class scores, a vector of Single; or the score of a binary model, a Single, whose calibrated probability is then taken where it has one. The
    /// classes of a binary model are <c>false</c> and <c>true</c> (or <c>0</c> and <c>1</c>), or those that <paramref name="classNames"/> names, in this order.
    /// </param>
    /// <param name="scoreKind">The kind of the scores; not needed for probabilities.</param>
    /// <param name="folds">
    /// 0: one model is fitted on all rows that are not held out, and scores all. From 2 on: the rows are divided into this number of folds, and each row is scored by a model that was not
    /// fitted on it (out-of-fold). The student then does not learn the overconfidence of an overfitted teacher, but the pipeline is fitted once for each fold. Each
    /// class is spread over the folds. A class with a single row gets, in the fold of that row, its share of the labelled rows as probability, with a warning.
    /// </param>
    /// <param name="classNames">Class of each score, for a pipeline whose score column does not name them.</param>
    /// <param name="classMap">How its classes become the student's, if they are not the same.</param>
    /// <param name="embeddingColumnName">Its column of embeddings, a vector of Single, for methods that read them; null for none.</param>
    /// <param name="cacheKey">
    /// A name that changes whenever the pipeline or its settings do. If the teacher cache is in a folder, the pipeline is then fitted only if the cache does not have
    /// its outputs yet (if it has, <see cref="DistillationTransformer.Teacher"/> is null), and an interrupted run continues with the remaining folds. If null, the
    /// pipeline is fitted in every run, and its outputs are cached for that run only.
    /// </param>
    public static Teacher FromEstimator(
        IEstimator<ITransformer> estimator,
        string scoreColumnName = "Score",
        ScoreKind scoreKind = ScoreKind.Auto,
        int folds = 0,
        IReadOnlyList<string>? classNames = null,
        ClassMap? classMap = null,
        string? embeddingColumnName = null,
        string? cacheKey = null)
    {
        ArgumentNullException.ThrowIfNull(estimator);
        var scores = new ScoreSpec(scoreKind, classNames, classMap) { Column = scoreColumnName, Embedding = embeddingColumnName };
        return new EstimatorTeacher(estimator, scores, folds, cacheKey);
    }

    /// <summary>Scores in a column of the data, from any source.</summary>
    /// <param name="scoreColumnName">
    /// A column of the training data: a vector of Single with one score for each class; or, for two classes, a Single for the second class, which by
    /// <paramref name="scoreKind"/> is a probability, log-odds (logits) or a margin.
    /// </param>
    /// <param name="scoreKind">The kind of the scores; not needed for probabilities.</param>
    /// <param name="classNames">Class of each score, for a column without slot names.</param>
    /// <param name="classMap">How its classes become the student's, if they are not the same.</param>
    /// <param name="embeddingColumnName">A column of embeddings, a vector of Single, for methods that read them; null for none.</param>
    public static Teacher FromColumn(
        string scoreColumnName,
        ScoreKind scoreKind = ScoreKind.Auto,
        IReadOnlyList<string>? classNames = null,
        ClassMap? classMap = null,
        string? embeddingColumnName = null) =>
        new ColumnTeacher(new ScoreSpec(scoreKind, classNames, classMap) { Column = scoreColumnName, Embedding = embeddingColumnName });
}
