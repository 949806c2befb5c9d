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
    internal override IEnumerable<Anchor> PlanAnchors(TeacherRequest request) =>
        [PlanAnchor("teacher", 1, new OutputShapes(request.Columns.Classes.Count, scores.Embedding is null ? null : 1, []))];

    // Fitting may look at any column.
    internal override IEnumerable<DataViewSchema.Column> ColumnsRead(DataViewSchema schema) => cacheKey is null ? [] : schema.Where(c => !c.IsHidden);

    // What the fitted model will call its classes is not known yet.
    internal override DataViewSchema.Column? ClassesIn(DataViewSchema schema) => scores.Classes();

    internal override bool ReadsRowsLeftOut => cacheKey is not null;

    internal override PreparedTeacher PrepareForFit(TeacherRequest request)
    {
        // Without a name it is a new model in every run, so its answers are for this run.
        var caching = cacheKey is null ? request.TeacherCaching.WithoutFolder() : request.TeacherCaching;
        string ComputeContentHash() => Fingerprint.Compute(Invariant($"{cacheKey}|{folds} stratified|{(folds > 0 ? FoldSeed(request) : 0)}|{scores.Description}"));
        if (folds == 0 && (cacheKey is null || !caching.IsPersistent || scores.Embedding is not null))
        {
            request.Channel.Info($"Fitting the teacher.");
            var model = Fit(request.Data);
            var view = CreateView(model, request.Data, request, "");
            return CreateTeacher(view.Read, view.EmbeddingLength, model);
        }

        return CreateTeacher(folds == 0 ? FittedOnAll(request) : OutOfFold(request), null, null);

        PreparedTeacher CreateTeacher(Func<IReadOnlySet<RowId>, ModelOutputs, long, IEnumerable<OutputChunk>> answers, int? embeddingLength, ITransformer? model) => new(
            [new Anchor("teacher", 1, new ScoredTeacher(
                answers, new OutputShapes(request.Columns.Classes.Count, embeddingLength, []), ComputeContentHash, request, caching,
                // Two fits of a pipeline are two models. In folds there are several anyhow, and a fit of each is much to lose.
                isResumable: folds > 0))],
            model);
    }

    /// <summary>Where a step fails on a row, ML.NET's threads say only that one of them ended.</summary>
    private ITransformer Fit(IDataView rows)
    {
        try
        {
            return estimator.Fit(rows);
        }
        catch (Exception e) when (e is not OperationCanceledException and { InnerException: not null } && ChangedRowsException.FindIn(e) is null)
        {
            var source = new ViewColumns(
                rows, [.. rows.Schema.Where(c => !c.IsHidden && RowBytes.CanHash(c))], row => $"Row {row} (counted from 0) of the data that the teacher is fitted on cannot be read");
            throw UnreadableRow.Find(source, e) ?? new InvalidOperationException(
                $"The teacher ({Name}) cannot be fitted: one of its steps fails on a row with \"{e.GetBaseException().Message}\". Correct or leave out what that row is made from; " +
                "the row shows where the steps before its trainer are fitted and their columns read one row at a time.",
                e);
        }
    }

    private static int FoldSeed(TeacherRequest request) => request.Seeds.DeriveInteger("folds");

    private ScoredView CreateView(ITransformer model, IDataView data, TeacherRequest request, string place, IReadOnlyDictionary<int, double>? unseen = null)
    {
        var scored = model.Transform(data);
        BinaryColumn.Note(scored.Schema, scores, request.Channel);
        return ScoredView.Find(scored, scores.Of(model), request.Columns.Classes, request.Options, place, unseen, Name);
    }

    /// <summary>Fits only where the record does not hold the answers already.</summary>
    private Func<IReadOnlySet<RowId>, ModelOutputs, long, IEnumerable<OutputChunk>> FittedOnAll(TeacherRequest request) => (wanted, kept, from) =>
    {
        request.Channel.Info($"Fitting the teacher.");
        return CreateView(Fit(request.Data), request.Data, request, "").Read(wanted, kept, from);
    };

    private Func<IReadOnlySet<RowId>, ModelOutputs, long, IEnumerable<OutputChunk>> OutOfFold(TeacherRequest request)
    {
        return Folds;

        IEnumerable<OutputChunk> Folds(IReadOnlySet<RowId> wanted, ModelOutputs kept, long skip)
        {
            var folded = new StratifiedFolds(request.Data, request.Columns.Label, folds, FoldSeed(request));
            for (var fold = 0; fold < folds; fold++)
            {
                request.Options.CancellationToken.ThrowIfCancellationRequested();
                var answered = folded.GetScoredRows(fold);
                if (skip > 0 && folded.Count(fold, wanted) is var rows && rows <= skip)
                {
                    skip -= rows;
                    continue;
                }

                request.Channel.Info($"Fitting the teacher on fold {fold + 1} of {folds}.");
                var unseen = folded.GetUnseenClasses(fold);
                WarnOf(unseen, request, fold);
                var model = Fit(folded.GetTrainingRows(fold));
                foreach (var chunk in CreateView(model, answered, request, $" of fold {fold + 1}", unseen).Read(wanted, kept, skip))
                    yield return chunk;
                skip = 0;
            }
        }
    }

    private static void WarnOf(IReadOnlyDictionary<int, double> unseen, TeacherRequest request, int fold)
    {
        foreach (var (unseenClass, share) in unseen)
        {
            request.Channel.Warning(
                $"The class '{request.Columns.Classes.NameOf(unseenClass)}' has one row, in fold {fold + 1}, so the teacher of that fold has never seen it: its probability there is its share of the labelled rows, {share:0.######}. Add rows of it, or leave out folds.");
        }
    }
}
