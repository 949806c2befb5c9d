using Microsoft.ML;
using MlNetDistill.Alignment;
using MlNetDistill.Cache;
using MlNetDistill.Core;
using MlNetDistill.Diagnostics;
using MlNetDistill.Networks;
using MlNetDistill.Reading;
using static System.FormattableString;

namespace MlNetDistill.Teachers;

internal sealed class EstimatorTeacher(IEstimator<ITransformer> estimator, ScoreSpec scores, int folds, string? cacheKey) : Teacher
{
    internal override string Name => folds == 0 ? "an ML.NET pipeline, fitted here" : $"an ML.NET pipeline, fitted here on {folds} folds";

    internal override ModelOutputs CanProvide => scores.Outputs;

    internal override IEnumerable<string> Validate()
    {
        foreach (var fault in scores.ValidateColumns())
            yield return fault;
        if (folds is 1 or < 0)
            yield return Invariant($"The teacher's folds must be 0 (none) or at least 2; was {folds}.");
        if (scores.Embedding is not null && folds > 0)
            yield return "The teacher's embeddings cannot be taken out-of-fold: each fold's model has a space of its own. Leave out folds or embeddingColumnName.";
    }

    // How long embeddings are shows only when it is fitted.
    internal override IEnumerable<Anchor> PlanAnchors(TeacherRequest question) =>
        [PlanAnchor("teacher", 1, new OutputShapes(question.Columns.Classes.Count, scores.Embedding is null ? null : 1, []))];

    // Fitting may look at any column.
    internal override IEnumerable<DataViewSchema.Column> ColumnsRead(DataViewSchema schema) => cacheKey is null ? [] : schema.Where(c => !c.IsHidden);

    // What the fitted model will call its classes is not known yet.
    internal override DataViewSchema.Column? ClassesIn(DataViewSchema schema) => scores.Classes();

    internal override bool ReadsRowsLeftOut => cacheKey is not null;

    internal override PreparedTeacher Ask(TeacherRequest question)
    {
        // Without a name it is a new model in every run, so its answers are for this run.
        var recording = cacheKey is null ? question.TeacherCaching.WithoutFolder() : question.TeacherCaching;
        string Identity() => Fingerprint.Compute(Invariant($"{cacheKey}|{folds} stratified|{(folds > 0 ? FoldSeed(question) : 0)}|{scores.Description}"));
        if (folds == 0 && (cacheKey is null || !recording.IsPersistent || scores.Embedding is not null))
        {
            question.Channel.Info($"Fitting the teacher.");
            var model = Fitted(question.Data);
            var view = View(model, question.Data, question, "");
            return Answer(view.Read, view.EmbeddingLength, model);
        }

        return Answer(folds == 0 ? FittedOnAll(question) : OutOfFold(question), null, null);

        PreparedTeacher Answer(Func<IReadOnlySet<RowId>, ModelOutputs, long, IEnumerable<OutputChunk>> answers, int? embeddingLength, ITransformer? model) => new(
            [new Anchor("teacher", 1, new ScoredTeacher(
                answers, new OutputShapes(question.Columns.Classes.Count, embeddingLength, []), Identity, question, recording,
                // Two fits of a pipeline are two models. In folds there are several anyhow, and a fit of each is much to lose.
                isResumable: folds > 0))],
            model);
    }

    /// <summary>Where a step fails on a row, ML.NET's threads say only that one of them ended.</summary>
    private ITransformer Fitted(IDataView rows)
    {
        try
        {
            return estimator.Fit(rows);
        }
        catch (Exception e) when (e is not OperationCanceledException and { InnerException: not null } && ChangedRowsException.In(e) is null)
        {
            var source = new ViewColumns(
                rows, [.. rows.Schema.Where(c => !c.IsHidden && RowBytes.CanHash(c))], row => $"Row {row} (counted from 0) of the data that the teacher is fitted on cannot be read");
            throw UnreadableRow.Find(source, e) ?? new InvalidOperationException(
                $"The teacher ({Name}) cannot be fitted: one of its steps fails on a row with \"{e.GetBaseException().Message}\". Correct or leave out what that row is made from; " +
                "the row shows where the steps before its trainer are fitted and their columns read one row at a time.",
                e);
        }
    }

    private static int FoldSeed(TeacherRequest question) => question.Seeds.DeriveInteger("folds");

    private ScoredView View(ITransformer model, IDataView data, TeacherRequest question, string place, IReadOnlyDictionary<int, double>? unseen = null)
    {
        var scored = model.Transform(data);
        BinaryColumn.Note(scored.Schema, scores, question.Channel);
        return ScoredView.Find(scored, scores.Of(model), question.Columns.Classes, question.Options, place, unseen, Name);
    }

    /// <summary>Fits only where the record does not hold the answers already.</summary>
    private Func<IReadOnlySet<RowId>, ModelOutputs, long, IEnumerable<OutputChunk>> FittedOnAll(TeacherRequest question) => (asked, kept, from) =>
    {
        question.Channel.Info($"Fitting the teacher.");
        return View(Fitted(question.Data), question.Data, question, "").Read(asked, kept, from);
    };

    private Func<IReadOnlySet<RowId>, ModelOutputs, long, IEnumerable<OutputChunk>> OutOfFold(TeacherRequest question)
    {
        return Folds;

        IEnumerable<OutputChunk> Folds(IReadOnlySet<RowId> asked, ModelOutputs kept, long skip)
        {
            var dealt = new StratifiedFolds(question.Data, question.Columns.Label, folds, FoldSeed(question));
            for (var fold = 0; fold < folds; fold++)
            {
                question.Options.CancellationToken.ThrowIfCancellationRequested();
                var answered = dealt.Answered(fold);
                if (skip > 0 && dealt.Count(fold, asked) is var rows && rows <= skip)
                {
                    skip -= rows;
                    continue;
                }

                question.Channel.Info($"Fitting the teacher on fold {fold + 1} of {folds}.");
                var unseen = dealt.Unseen(fold);
                WarnOf(unseen, question, fold);
                var model = Fitted(dealt.Training(fold));
                foreach (var chunk in View(model, answered, question, $" of fold {fold + 1}", unseen).Read(asked, kept, skip))
                    yield return chunk;
                skip = 0;
            }
        }
    }

    private static void WarnOf(IReadOnlyDictionary<int, double> unseen, TeacherRequest question, int fold)
    {
        foreach (var (unseenClass, share) in unseen)
        {
            question.Channel.Warning(
                $"The class '{question.Columns.Classes.NameOf(unseenClass)}' has one row, in fold {fold + 1}, so the teacher of that fold has never seen it: its probability there is its share of the labelled rows, {share:0.######}. Add rows of it, or leave out folds.");
        }
    }
}
