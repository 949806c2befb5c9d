using MlNetDistill.Alignment;
using MlNetDistill.Core;
using MlNetDistill.Data;
using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace MlNetDistill.Teachers;

/// <summary>An imported model as teacher: its scores become logits in the order of the student's classes.</summary>
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
    /// <param name="shape">The shape of a row that it was opened for.</param>
    /// <param name="set">The rows of the fit.</param>
    /// <param name="own">The rows of its own column and their hash; null if it reads the student's features. The tensor is disposed with the teacher.</param>
    /// <param name="scores">What its scores mean.</param>
    /// <param name="classes">The student's classes.</param>
    /// <param name="caching">How its outputs are cached.</param>
    public ModelTeacher(TensorModel model, InputShape shape, IRowSource set, (Tensor Rows, string Hash)? own, ScoreSpec scores, ClassLabels classes, TeacherCaching caching)
        : base(caching)
    {
        (_model, _shape, _set, _spec) = (model, shape, set, scores);
        (_ownRowsOf, _ownRows, _ownData) = own is { } rows ? (set, rows.Rows, rows.Hash) : (null, null, "");
        _scores = scores.Align(model.Shapes.LogitCount, null, classes) with { Subject = $"The output of {model.Name}" };
        Shapes = model.Shapes with { LogitCount = _scores.Order.SourcesOf.Count };
    }

    /// <summary>Called once when scores of a kind that was not given are recognised as probabilities.</summary>
    public Action? ProbabilitiesFound { get; init; }

    public override OutputShapes Shapes { get; }

    public override bool SupportsAugmentation => _ownRows is null;

    // The cache begins with the rows of the preview.
    protected override bool QueriesSpreadRowsFirst => true;

    internal override void DecideScores(IRowSource set, ModelOutputs wanted, Func<Tensor, int, Batch>? view)
    {
        // A cache of an earlier run is checked when it is opened.
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
        var found = _model.ComputeOutputs(SelectRows(batch), wanted);
        var logits = !wanted.HasFlag(ModelOutputs.Logits) ? null : GetReader(found.Logits).ToLogits(found.Logits, row => DescribeRow(batch, row));
        return new NetworkOutput(
            logits,
            wanted.HasFlag(ModelOutputs.Embedding) ? found.Embedding : null,
            wanted.HasFlag(ModelOutputs.StageFeatures) ? found.StageFeatures : null);
    }

    private static string DescribeRow(Batch batch, int row)
    {
        var position = batch.Positions[row].item<long>();
        return $"training row {position} (row id {batch.Set.RowIds[position]}{(batch.View == 0 ? "" : ", augmented")})";
    }

    private Tensor SelectRows(Batch batch)
    {
        if (_ownRows is null)
            return batch.Features.reshape([batch.Features.shape[0], .. _shape.Dimensions]);
        if (ReferenceEquals(batch.Set, _ownRowsOf) && batch.View == 0)
            return _ownRows.index_select(0, batch.Positions.to(_ownRows.device));
        throw new InvalidOperationException($"{_model.Name} reads a column of its own, so it answers only for the unaugmented rows of the training data.");
    }

    private ScoreReader GetReader(Tensor scores)
    {
        if (_reader is null)
        {
            var kind = FindKind(scores);
            _reader = new ScoreReader(_scores with { Kind = kind });
            if (_spec.Kind == ScoreKind.Auto && kind != ScoreKind.Logits)
                ProbabilitiesFound?.Invoke();
        }

        return _reader;
    }

    /// <summary>Recognises the kind of its scores by the first rows that are queried, or by more rows if these are not enough.</summary>
    private ScoreKind FindKind(Tensor scores)
    {
        if (_spec.Kind != ScoreKind.Auto)
            return _spec.Kind;
        if (scores.shape[0] >= Math.Min(FewestRows, _set.Count) && ScoreReader.Recognise(scores) is { } kind)
            return kind;
        using var scope = NewDisposeScope();
        var batch = Batch.Gather(_set, SpreadPositions.Create(_set.Count, SampleRows, _set.Device));
        return ScoreReader.Resolve(_scores.Subject, _spec.Kind, _model.ComputeOutputs(SelectRows(batch), ModelOutputs.Logits).Logits);
    }
}
