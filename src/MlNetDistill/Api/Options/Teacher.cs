using Microsoft.ML;
using MlNetDistill.Alignment;
using MlNetDistill.Fitting;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Reading;
using MlNetDistill.Teachers;

namespace MlNetDistill;

/// <summary>
/// Whose knowledge is distilled. A description: it is asked during <c>Fit</c>, once for each training row, and never changed.
/// </summary>
public abstract partial class Teacher
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
    /// <param name="scoreColumnName">
    /// Its column of class scores, a vector of Single; or the score of a binary model, a Single, whose calibrated probability is then taken where it has one. The
    /// classes of a binary model are <c>false</c> and <c>true</c> (or <c>0</c> and <c>1</c>), or those that <paramref name="classNames"/> names, in this order.
    /// </param>
    /// <param name="scoreKind">What the scores are; may be left out if they are probabilities.</param>
    /// <param name="classNames">Class of each score, for a model whose score column does not name them.</param>
    /// <param name="acceptOverwrittenInputs">
    /// Whether the model was fitted on the columns as the pipeline leaves them, overwritten ones included; that it was not is then not checked.
    /// </param>
    /// <param name="classMap">How its classes become the student's, where they are not the same.</param>
    /// <param name="embeddingColumnName">Its column of embeddings, a vector of Single, for methods that read them; null for none.</param>
    /// <param name="cacheKey">
    /// A name that changes whenever the model does, by which a record of its answers in a folder is known; null for a hash of what <c>Model.Save</c> writes.
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
        var columns = new ScoreColumns(scoreColumnName, embeddingColumnName, new ScoreSettings(scoreKind, classNames, classMap));
        return new TransformerTeacher(transformer, columns, acceptOverwrittenInputs, cacheKey);
    }

    /// <summary>
    /// An ML.NET pipeline that is fitted first, inside the trainer's <c>Fit</c> and on the same rows, so that <c>CrossValidate</c> does not
    /// leak held-out rows to the teacher.
    /// </summary>
    /// <remarks>
    /// Rows that this trainer holds out for validation are among the rows the teacher is fitted on: the student's validation accuracy is then
    /// slightly optimistic. Measure on rows that the trainer never received.
    /// </remarks>
    /// <param name="estimator">A pipeline of multiclass or binary classification over the columns of the data that the trainer receives.</param>
    /// <param name="scoreColumnName">
    /// Its column of class scores, a vector of Single; or the score of a binary model, a Single, whose calibrated probability is then taken where it has one. The
    /// classes of a binary model are <c>false</c> and <c>true</c> (or <c>0</c> and <c>1</c>), or those that <paramref name="classNames"/> names, in this order.
    /// </param>
    /// <param name="scoreKind">What the scores are; may be left out if they are probabilities.</param>
    /// <param name="folds">
    /// 0: one model, fitted on all rows, scores them. From 2 on: the rows are dealt into so many folds, and each row is scored by a model that
    /// has not seen it (out-of-fold), which keeps an overfitted teacher's overconfidence from the student at the price of as many fits. Each class is spread
    /// over the folds; one with a single row has, in the fold of that row, its share of the labelled rows as probability, and the log says so.
    /// </param>
    /// <param name="classNames">Class of each score, for a pipeline whose score column does not name them.</param>
    /// <param name="classMap">How its classes become the student's, where they are not the same.</param>
    /// <param name="embeddingColumnName">Its column of embeddings, a vector of Single, for methods that read them; null for none.</param>
    /// <param name="cacheKey">
    /// A name that changes whenever the pipeline or its settings do. Where answers are recorded in a folder, the pipeline is then fitted only if they are not
    /// there yet (and <see cref="DistillationTransformer.Teacher"/> is null); a record that was cut off goes on with the folds that are left. Null: it is fitted in every run, and its answers are kept for that run.
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
        var columns = new ScoreColumns(scoreColumnName, embeddingColumnName, new ScoreSettings(scoreKind, classNames, classMap));
        return new EstimatorTeacher(estimator, columns, folds, cacheKey);
    }

    /// <summary>Scores in a column of the data, from any source.</summary>
    /// <param name="scoreColumnName">
    /// A column of the training data, a vector of Single with one score for each class; or, of two classes, a Single, of which <paramref name="scoreKind"/> says what
    /// it is of the second: a probability, log-odds (logits) or a margin.
    /// </param>
    /// <param name="scoreKind">What the scores are; may be left out if they are probabilities.</param>
    /// <param name="classNames">Class of each score, for a column without slot names.</param>
    /// <param name="classMap">How its classes become the student's, where they are not the same.</param>
    /// <param name="embeddingColumnName">A column of embeddings, a vector of Single, for methods that read them; null for none.</param>
    public static Teacher FromColumn(
        string scoreColumnName,
        ScoreKind scoreKind = ScoreKind.Auto,
        IReadOnlyList<string>? classNames = null,
        ClassMap? classMap = null,
        string? embeddingColumnName = null) =>
        new ColumnTeacher(new ScoreColumns(scoreColumnName, embeddingColumnName, new ScoreSettings(scoreKind, classNames, classMap)));

    /// <summary>Several teachers of whatever kinds as one, with equal weights; see the other overload.</summary>
    /// <param name="members">At least one; no routes.</param>
    public static Teacher Ensemble(params IReadOnlyList<Teacher> members)
    {
        ArgumentNullException.ThrowIfNull(members);
        return Ensemble([.. members.Select(m => (m, 1.0))]);
    }

    /// <summary>
    /// Several teachers of whatever kinds as one: the logarithm of the weighted mean of their probabilities. A temperature softens the mean, not the members.
    /// Gives class scores alone.
    /// </summary>
    /// <param name="members">At least one, each with its weight, at least 0 and some above; scaled to sum to 1. No routes.</param>
    public static Teacher Ensemble(params IReadOnlyList<(Teacher Teacher, double Weight)> members)
    {
        ArgumentNullException.ThrowIfNull(members);
        return new EnsembleOfTeachers([.. members]);
    }

    /// <summary>A network, trained on the spot on the labels of the student's own features before the student is.</summary>
    /// <remarks>
    /// The options' batch size, gradient clipping, augmentations, validation rows and early stopping hold for it too. Cancelling while it trains
    /// throws, whatever <see cref="DistillationOptions.OnCancellation"/> says: half a teacher is no teacher.
    /// </remarks>
    /// <param name="network">The teacher's network; see <see cref="NetworkSpec"/> for the kinds.</param>
    /// <param name="epochs">Passes over the training rows; the student's number if null.</param>
    /// <param name="optimizer">The optimiser; the student's if null.</param>
    /// <param name="schedule">The learning-rate schedule; the student's if null.</param>
    public static Teacher Train(NetworkSpec network, int? epochs = null, Optimizer? optimizer = null, LearningRateSchedule? schedule = null)
    {
        ArgumentNullException.ThrowIfNull(network);
        return new TrainedTeacher(new NetworkTraining(network, epochs, optimizer, schedule));
    }

    /// <summary>What a network can give.</summary>
    private protected const ModelOutputs NetworkKinds = ModelOutputs.Logits | ModelOutputs.Embedding | ModelOutputs.StageFeatures;

    /// <summary>Whether it is a route: several teachers in order.</summary>
    public virtual bool IsRoute => false;

    /// <summary>What it is called in logs.</summary>
    public override string ToString() => Name;

    /// <summary>Whether it is there before the fit: it can be asked at once, and nothing is trained for it.</summary>
    internal virtual bool IsReady => false;

    /// <summary>What it is called in logs.</summary>
    internal virtual string Name => string.Join(", ", TrainedNetworks.Select(n => n.Name));

    /// <summary>Whether it can answer for augmented rows: a network can, a model that reads the rows of a data view cannot.</summary>
    internal virtual bool SupportsAugmentation => false;

    /// <summary>What it gives at most; an ML.NET model gives class scores alone.</summary>
    internal virtual ModelOutputs CanProvide => ModelOutputs.Logits;

    /// <summary>The networks over the student's features that it has or trains.</summary>
    internal virtual IEnumerable<NetworkSpec> TrainedNetworks => [];

    /// <summary>The anchors it is going to have, as far as is known before it is asked. One that is there already shows its shapes.</summary>
    internal virtual IEnumerable<PlannedAnchor> PlannedAnchors(TeacherRequest question)
    {
        if (!IsReady)
            return [new PlannedAnchor("teacher", 1, TrainedNetworks.FirstOrDefault())];
        using var answer = Ask(question);
        return [.. answer.Anchors.Select(anchor => new PlannedAnchor(anchor.Label, anchor.Epoch, null) { Shapes = anchor.Teacher.Shapes })];
    }

    /// <summary>The trained networks that are handed out as ML.NET models.</summary>
    internal virtual IEnumerable<NetworkSpec> ExportedNetworks => TrainedNetworks;

    /// <summary>The columns, beside the student's features, that its answers depend on: a record of them is known by their values.</summary>
    internal virtual IEnumerable<DataViewSchema.Column> ColumnsRead(DataViewSchema schema) => [];

    /// <summary>The vectors of the data that it reads for each row; rows without them are left out where rows without features are.</summary>
    internal virtual IEnumerable<TeacherVector> VectorsRead(DataViewSchema schema) => [];

    /// <summary>
    /// Its classes as a key column, which takes the place of the label where the data have none: in the order of its scores, renamed as its ClassMap says. Null
    /// where it does not say them before the fit.
    /// </summary>
    internal virtual DataViewSchema.Column? ClassesIn(DataViewSchema schema) => null;

    /// <summary>Whether it is trained here on the labels of the rows.</summary>
    internal virtual bool NeedsLabels => false;

    /// <summary>Whether those columns matter in rows that are left out of training too: whether it is fitted on all rows of the data.</summary>
    internal virtual bool ReadsRowsLeftOut => false;

    internal abstract IEnumerable<string> Validate();

    internal abstract PreparedTeacher Ask(TeacherRequest question);
}
