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

    internal override bool GivesLogits => scores.Kind == ScoreKind.Logits;

    internal override IEnumerable<string> Validate()
    {
        foreach (var fault in scores.ValidateColumns())
            yield return fault;
        if (folds is 1 or < 0)
            yield return Invariant($"The teacher's folds must be 0 (none) or at least 2; was {folds}.");
        if (scores.Embedding is not null && folds > 0)
            yield return "The teacher's embeddings cannot be taken out-of-fold: each fold's model has a space of its own. Leave out folds or embeddingColumnName.";
    }

    // The length of embeddings is known only after fitting.
    internal override IEnumerable<Anchor> PlanAnchors(TeacherRequest request) =>
        [PlanAnchor("teacher", 1, new OutputShapes(request.Columns.Classes.Count, scores.Embedding is null ? null : 1, []))];

    // Fitting may read any column.
    internal override IEnumerable<DataViewSchema.Column> ColumnsRead(DataViewSchema schema) => cacheKey is null ? [] : schema.Where(c => !c.IsHidden);

    // The class names of the fitted model are not known yet.
    internal override DataViewSchema.Column? ClassesIn(DataViewSchema schema) => scores.Classes();

    internal override SeenRows Seen => folds > 0 ? SeenRows.None : SeenRows.Training;

    internal override bool ReadsRowsLeftOut => cacheKey is not null;

    internal override PreparedTeacher PrepareForFit(TeacherRequest request)
    {
        // Without a key the model of each run is a new one, so its outputs are cached for this run only.
        var caching = cacheKey is null ? request.TeacherCaching.WithoutFolder() : request.TeacherCaching;
        if (folds > 0)
            return CreateTeacher((wanted, kept, skip) => ReadFolds(request, wanted, kept, skip), null, null);
        if (cacheKey is not null && caching.IsPersistent && scores.Embedding is null)
        {
            // The pipeline is fitted only if the cache does not have its outputs.
            return CreateTeacher((wanted, kept, skip) => ScoreAll(FitOnAll(request), request).Read(wanted, kept, skip), null, null);
        }

        var model = FitOnAll(request);
        var view = ScoreAll(model, request);
        return CreateTeacher(view.Read, view.EmbeddingLength, model);

        PreparedTeacher CreateTeacher(Func<RowIdIndex, ModelOutputs, long, IEnumerable<OutputChunk>> read, int? embeddingLength, ITransformer? model) => new(
            [new Anchor("teacher", 1, new ScoredTeacher(
                read, new OutputShapes(request.Columns.Classes.Count, embeddingLength, []), ComputeContentHash, request, caching,
                // Fitted again, a pipeline gives another model. The folds have several models in any case, and fitting them again would take long.
                isResumable: folds > 0))],
            model);

        string ComputeContentHash() =>
            Fingerprint.Compute(Invariant($"{cacheKey}|{folds} stratified|{(folds > 0 ? FoldSeed(request) : 0)}|{scores.Description}{DescribeHeldOut(request)}"));
    }

    private ScoredView ScoreAll(ITransformer model, TeacherRequest request)
    {
        var unseen = UnseenClasses.FindHeldOut(request);
        UnseenClasses.WarnOfHeldOut(unseen, request);
        return CreateView(model, request.Data, request, unseen: unseen);
    }

    private ITransformer FitOnAll(TeacherRequest request)
    {
        var held = request.HeldOut;
        if (held.Count == 0)
        {
            request.Channel.Info($"Fitting the teacher.");
            return Fit(request.Given);
        }

        request.Channel.Info($"Fitting the teacher, without the {held.Count} held-out rows.");
        return Fit(request.WithoutHeldOut(request.Given));
    }

    /// <summary>Fits the pipeline. If a step fails on a row, the exception names the row; ML.NET's own says only that a thread ended.</summary>
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

    /// <summary>What the fitted model depends on beside its pipeline and all rows: the rows that it is not fitted on. Nothing where there are none.</summary>
    private string DescribeHeldOut(TeacherRequest request) => request.HeldOut.Count == 0
        ? ""
        : $"|without {Fingerprint.Compute(string.Join(' ', request.HeldOut.OrderBy(id => (id.High, id.Low))))}";

    private static int FoldSeed(TeacherRequest request) => request.Seeds.DeriveInteger("folds");

    private ScoredView CreateView(
        ITransformer model, IDataView data, TeacherRequest request, string place = "", IReadOnlyDictionary<int, double>? unseen = null)
    {
        var scored = model.Transform(data);
        BinaryColumn.LogChoice(scored.Schema, scores, request.Channel);
        return ScoredView.Find(scored, scores.AdaptTo(model), request.Columns.Classes, request.Options, place, unseen, Name);
    }

    private IEnumerable<OutputChunk> ReadFolds(TeacherRequest request, RowIdIndex wanted, ModelOutputs kept, long skip)
    {
        var stratified = new StratifiedFolds(request.Given, request.Columns.Label, folds, FoldSeed(request), request.HeldOut);
        UnseenClasses.WarnOfHeldOut(stratified.HeldOutClasses, request);
        var models = new ITransformer?[folds];
        for (var fold = 0; fold < folds; fold++)
        {
            request.Options.CancellationToken.ThrowIfCancellationRequested();
            if (skip > 0 && stratified.Count(fold, wanted) is var rows && rows <= skip)
            {
                skip -= rows;
                continue;
            }

            request.Channel.Info($"Fitting the teacher on fold {fold + 1} of {folds}.");
            var unseen = stratified.GetUnseenClasses(fold);
            UnseenClasses.WarnOfSingle(stratified.GetSingleClasses(fold), request, fold);
            var model = Fit(request.WithoutHeldOut(stratified.GetTrainingRows(fold)));
            // Only transfer rows need the models again.
            models[fold] = request.Transfer is null ? null : model;
            foreach (var chunk in CreateView(model, stratified.GetScoredRows(fold), request, $" of fold {fold + 1}", unseen).Read(wanted, kept, skip))
                yield return chunk;
            skip = 0;
        }

        foreach (var chunk in request.Transfer is null ? [] : ReadMean(request, stratified, models, wanted, skip))
            yield return chunk;
    }

    /// <summary>For transfer rows, which are in no fold: the mean of the probabilities of the folds' models, as for rows that none of them has seen.</summary>
    private IEnumerable<OutputChunk> ReadMean(TeacherRequest request, StratifiedFolds stratified, ITransformer?[] models, RowIdIndex wanted, long skip)
    {
        var views = models.Select((model, fold) => CreateView(
            model ?? Fit(request.WithoutHeldOut(stratified.GetTrainingRows(fold))), request.Transfer!, request, " of the transfer rows", stratified.GetUnseenClasses(fold)));
        var readers = views.Select(view => view.Read(wanted, ModelOutputs.Logits, skip).GetEnumerator()).ToList();
        try
        {
            while (readers.Count(reader => reader.MoveNext()) == readers.Count)
            {
                using var mean = new OutputChunk(
                    readers[0].Current.Ids, [EnsembleTeacher.LogMean([.. readers.Select(reader => reader.Current.Parts[0])], [.. readers.Select(_ => 1.0)]).DetachFromDisposeScope()]);
                yield return mean;
            }
        }
        finally
        {
            readers.ForEach(reader => reader.Dispose());
        }
    }
}
