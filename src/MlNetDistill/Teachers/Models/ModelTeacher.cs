using MlNetDistill.Alignment;
using MlNetDistill.Core;
using MlNetDistill.Data;
using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace MlNetDistill.Teachers;

/// <summary>A model from elsewhere as teacher: its scores become logits in the student's class order.</summary>
internal sealed class ModelTeacher : CacheableTeacher
{
    private const int SampleRows = 64;
    private const int FewestRows = 16;
    private readonly TensorModel _model;
    private readonly IRowSource? _ownRowsOf;
    private readonly Tensor? _ownRows;
    private readonly string _ownData;
    private readonly ScoreSpec _spec;
    private readonly AlignedScores _scores;
    private readonly IRowSource _set;
    private readonly InputShape _shape;
    private ScoreReader? _reader;

    /// <param name="model">The model; disposed with the teacher.</param>
    /// <param name="shape">Shape of a row as it was opened for.</param>
    /// <param name="set">The rows of the fit.</param>
    /// <param name="own">What it reads of each of them where that is not the student's features, and its hash; the tensor is disposed with the teacher.</param>
    /// <param name="scores">What the caller says of its scores.</param>
    /// <param name="classes">The student's classes.</param>
    /// <param name="caching">How its answers are kept.</param>
    public ModelTeacher(TensorModel model, InputShape shape, IRowSource set, (Tensor Rows, string Hash)? own, ScoreSpec scores, ClassLabels classes, TeacherCaching caching)
        : base(caching)
    {
        (_model, _shape, _set, _spec) = (model, shape, set, scores);
        (_ownRowsOf, _ownRows, _ownData) = own is { } rows ? (set, rows.Rows, rows.Hash) : (null, null, "");
        _scores = scores.Align(model.Shapes.LogitCount, null, classes) with { Subject = $"The output of {model.Name}" };
        Shapes = model.Shapes with { LogitCount = _scores.Order.SourcesOf.Count };
    }

    public override OutputShapes Shapes { get; }

    public override bool SupportsAugmentation => _ownRows is null;

    // A look at it is the beginning of its record.
    protected override bool QueriesSpreadRowsFirst => true;

    internal override void DecideScores(IRowSource set, ModelOutputs wanted, Func<Tensor, int, Batch>? view)
    {
        // What an earlier run recorded shows it when the record is opened.
        if (_reader is not null || (view is null && IsCached(set, wanted)))
            return;
        BeginPreview(set, wanted, view);
        using var scope = NewDisposeScope();
        Outputs(FirstBatch(set), ModelOutputs.Logits);
    }

    public override void Dispose()
    {
        base.Dispose();
        _model.Dispose();
        _ownRows?.Dispose();
    }

    protected override string ComputeContentHash() => Fingerprint.Compute($"{_model.ContentHash}|{_spec.Meaning}");

    protected override string ComputeDataHash(IRowSource set) => _ownRows is null ? base.ComputeDataHash(set) : _ownData;

    protected override NetworkOutput ComputeOutputs(Batch batch, ModelOutputs wanted)
    {
        using var noGrad = no_grad();
        var found = _model.ComputeOutputs(RowsOf(batch), wanted);
        var logits = !wanted.HasFlag(ModelOutputs.Logits) ? null : Reader(found.Logits).ToLogits(found.Logits, row => RowName(batch, row));
        return new NetworkOutput(
            logits,
            wanted.HasFlag(ModelOutputs.Embedding) ? found.Embedding : null,
            wanted.HasFlag(ModelOutputs.StageFeatures) ? found.StageFeatures : null);
    }

    private static string RowName(Batch batch, int row)
    {
        var position = batch.Positions[row].item<long>();
        return $"training row {position} (row id {batch.Set.RowIds[position]}{(batch.View == 0 ? "" : ", augmented")})";
    }

    private Tensor RowsOf(Batch batch)
    {
        if (_ownRows is null)
            return batch.Features.reshape([batch.Features.shape[0], .. _shape.Dimensions]);
        if (ReferenceEquals(batch.Set, _ownRowsOf) && batch.View == 0)
            return _ownRows.index_select(0, batch.Positions.to(_ownRows.device));
        throw new InvalidOperationException($"{_model.Name} reads a column of its own, so it answers only for the unaugmented rows of the training data.");
    }

    private ScoreReader Reader(Tensor scores) => _reader ??= new ScoreReader(_scores with { Kind = KindOf(scores) });

    /// <summary>What its scores are, by the first rows that it is asked about, or by more where these do not tell.</summary>
    private ScoreKind KindOf(Tensor scores)
    {
        if (_spec.Kind != ScoreKind.Auto)
            return _spec.Kind;
        if (scores.shape[0] >= Math.Min(FewestRows, _set.Count) && ScoreReader.Recognise(scores) is { } kind)
            return kind;
        using var scope = NewDisposeScope();
        var batch = Batch.Gather(_set, SpreadPositions.Create(_set.Count, SampleRows, _set.Device));
        return ScoreReader.Resolve(_scores.Subject, _spec.Kind, _model.ComputeOutputs(RowsOf(batch), ModelOutputs.Logits).Logits);
    }
}
