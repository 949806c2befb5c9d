using Microsoft.ML;
using MlNetDistill.Networks;
using MlNetDistill.Teachers;

namespace MlNetDistill;

/// <summary>
/// Whose knowledge is distilled. A description: it is asked during <c>Fit</c>, once for each training row, and never changed.
/// </summary>
public abstract class Teacher
{
    private protected Teacher() { }

    /// <summary>
    /// A fitted ML.NET model. It runs on the very data view that the trainer's <c>Fit</c> receives and reads its own raw columns there;
    /// classes are matched by their key values.
    /// </summary>
    /// <remarks>
    /// A model fitted beforehand has seen every row, so in <c>CrossValidate</c> it knows the held-out ones; use
    /// <see cref="FromEstimator"/> there.
    /// </remarks>
    /// <param name="transformer">A model over the raw columns; an error names any of them that an earlier step of the pipeline overwrote.</param>
    /// <param name="scoreColumnName">Its column of class scores, a vector of Single.</param>
    /// <param name="scoreKind">What the scores are; may be left out if they are probabilities.</param>
    /// <param name="classNames">Class of each score, for a model whose score column does not name them.</param>
    /// <param name="acceptOverwrittenInputs">
    /// Whether the model was fitted on the columns as the pipeline leaves them, overwritten ones included; that it was not is then not checked.
    /// </param>
    public static Teacher FromTransformer(
        ITransformer transformer,
        string scoreColumnName = "Score",
        ScoreKind scoreKind = ScoreKind.Auto,
        IReadOnlyList<string>? classNames = null,
        bool acceptOverwrittenInputs = false)
    {
        ArgumentNullException.ThrowIfNull(transformer);
        return new TransformerTeacher(transformer, new ScoreColumn(scoreColumnName, scoreKind, classNames), acceptOverwrittenInputs);
    }

    /// <summary>
    /// An ML.NET pipeline that is fitted first, inside the trainer's <c>Fit</c> and on the same rows, so that <c>CrossValidate</c> does not
    /// leak held-out rows to the teacher.
    /// </summary>
    /// <remarks>
    /// Rows that this trainer holds out for validation are among the rows the teacher is fitted on: the student's validation accuracy is then
    /// slightly optimistic. Measure on rows that the trainer never received.
    /// </remarks>
    /// <param name="estimator">A multiclass pipeline over the columns of the data that the trainer receives.</param>
    /// <param name="scoreColumnName">Its column of class scores, a vector of Single.</param>
    /// <param name="scoreKind">What the scores are; may be left out if they are probabilities.</param>
    /// <param name="folds">
    /// 0: one model, fitted on all rows, scores them. From 2 on: the rows are dealt into so many folds, and each row is scored by a model that
    /// has not seen it (out-of-fold), which keeps an overfitted teacher's overconfidence from the student at the price of as many fits.
    /// </param>
    /// <param name="classNames">Class of each score, for a pipeline whose score column does not name them.</param>
    public static Teacher FromEstimator(
        IEstimator<ITransformer> estimator,
        string scoreColumnName = "Score",
        ScoreKind scoreKind = ScoreKind.Auto,
        int folds = 0,
        IReadOnlyList<string>? classNames = null)
    {
        ArgumentNullException.ThrowIfNull(estimator);
        return new EstimatorTeacher(estimator, new ScoreColumn(scoreColumnName, scoreKind, classNames), folds);
    }

    /// <summary>A network, trained on the spot on the labels of the student's own features before the student is.</summary>
    /// <remarks>
    /// The options' batch size, gradient clipping, augmentations, validation rows and early stopping hold for it too. Cancelling while it trains
    /// throws, whatever <see cref="DistillationOptions.OnCancellation"/> says: half a teacher is no teacher.
    /// </remarks>
    /// <param name="network">The teacher's network; see <see cref="Student"/> for the kinds.</param>
    /// <param name="epochs">Passes over the training rows; the student's number if null.</param>
    /// <param name="optimizer">The optimiser; the student's if null.</param>
    /// <param name="schedule">The learning-rate schedule; the student's if null.</param>
    public static Teacher Train(NetworkSpec network, int? epochs = null, Optimizer? optimizer = null, LearningRateSchedule? schedule = null)
    {
        ArgumentNullException.ThrowIfNull(network);
        return new TrainedTeacher(new NetworkTraining(network, epochs, optimizer, schedule));
    }

    /// <summary>What a network can give.</summary>
    private protected const OutputKinds NetworkKinds = OutputKinds.Logits | OutputKinds.Embedding | OutputKinds.StageFeatures;

    /// <summary>Whether it is a route: several teachers in order.</summary>
    public virtual bool IsRoute => false;

    /// <summary>Whether it can answer for augmented rows: a network can, a model that reads the rows of a data view cannot.</summary>
    internal virtual bool SeesViews => false;

    /// <summary>What it gives at most; an ML.NET model gives class scores alone.</summary>
    internal virtual OutputKinds CanProvide => OutputKinds.Logits;

    /// <summary>The networks over the student's features that it has or trains.</summary>
    internal virtual IEnumerable<NetworkSpec> TrainedNetworks => [];

    /// <summary>The anchors it is going to have, as far as is known before it is asked.</summary>
    internal virtual IEnumerable<PlannedAnchor> PlannedAnchors(DistillationOptions options) => [new PlannedAnchor("teacher", 1, TrainedNetworks.FirstOrDefault())];

    /// <summary>The trained networks that are handed out as ML.NET models.</summary>
    internal virtual IEnumerable<NetworkSpec> ExportedNetworks => TrainedNetworks;

    internal abstract IEnumerable<string> Faults();

    internal abstract TeacherAnswer Ask(TeacherQuestion question);
}
