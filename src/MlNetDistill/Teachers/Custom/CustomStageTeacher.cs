using MlNetDistill.Alignment;
using MlNetDistill.Core;
using MlNetDistill.Data;
using MlNetDistill.Networks;
using static System.FormattableString;
using static TorchSharp.torch;

namespace MlNetDistill.Teachers;

/// <summary>A teacher that the application implements: its outputs are checked, put into the order of the student's classes, and cached.</summary>
internal sealed class CustomStageTeacher(string name, StageTeacher teacher, ClassOrder order, bool supportsAugmentation, string? cacheKey, TeacherCaching caching)
    : CacheableTeacher(caching)
{
    // Of a probability, between two queries for the same row: far above rounding, far below the difference to another row.
    private const double Tolerance = 0.01;
    private bool _isOrderChecked;
    private bool _isQueried;

    public override OutputShapes Shapes { get; } = teacher.Shapes with { LogitCount = order.SourcesOf.Count };

    public override bool SupportsAugmentation => supportsAugmentation;

    // The cache begins with the rows of the preview, so that these are not queried again.
    protected override bool QueriesSpreadRowsFirst => true;

    public override void Begin(IRowSource set, ModelOutputs wanted, Func<Tensor, int, Batch>? view)
    {
        teacher.Begin(set, wanted, view);
        base.Begin(set, wanted, view);
    }

    public override void BeginEpoch(int epoch) => teacher.BeginEpoch(epoch);

    public override void End()
    {
        base.End();
        teacher.End();
    }

    public override void Dispose()
    {
        base.Dispose();
        (teacher as IDisposable)?.Dispose();
    }

    protected override string ComputeContentHash() => Fingerprint.Compute($"{cacheKey}|{order}");

    protected override NetworkOutput ComputeOutputs(Batch batch, ModelOutputs wanted)
    {
        using var noGrad = no_grad();
        var guard = _isQueried ? null : new LabelGuard(batch.Set);
        _isQueried = true;
        var found = Query(batch, wanted);
        guard?.Check($"Outputs of the teacher '{name}'");
        var missing = wanted & ~found.Available;
        if (missing != ModelOutputs.None)
            throw new InvalidOperationException($"The teacher '{name}' was asked for {wanted} and gave {found.Available}. Its Shapes promise {teacher.Provides}; Outputs must give all that is wanted.");
        var logits = wanted.HasFlag(ModelOutputs.Logits) ? CheckLogits(found.Logits, batch) : null;
        if (logits is not null)
            CheckOrder(batch, logits);
        return new NetworkOutput(
            logits is null ? null : order.Apply(logits),
            wanted.HasFlag(ModelOutputs.Embedding) ? Check(found.Embedding, batch, "embedding", [teacher.Shapes.EmbeddingLength!.Value]) : null,
            wanted.HasFlag(ModelOutputs.StageFeatures) ? CheckStageFeatures(found.StageFeatures, batch) : null);
    }

    /// <summary>Queries the teacher with copies, as it may write into them: the training step and other teachers read the batch later.</summary>
    private NetworkOutput Query(Batch batch, ModelOutputs wanted) => teacher.Outputs(Copy(batch, tensor => tensor.clone()), wanted)
        ?? throw new InvalidOperationException($"Outputs of the teacher '{name}' returned null; it must return a NetworkOutput.");

    /// <summary>
    /// Queries the first batch of several rows again in another order. A teacher whose outputs depend on the position in the batch or on random numbers would otherwise
    /// train a wrong student without an error.
    /// </summary>
    private void CheckOrder(Batch batch, Tensor logits)
    {
        if (_isOrderChecked || batch.Positions.shape[0] < 2)
            return;
        _isOrderChecked = true;
        using var scope = NewDisposeScope();
        var rolled = Copy(batch, tensor => tensor.roll(1, 0));
        var again = CheckLogits(Query(rolled, ModelOutputs.Logits).Logits, rolled);
        var difference = again.softmax(1).sub(logits.roll(1, 0).softmax(1)).abs().max().item<float>();
        if (!(difference <= Tolerance))
        {
            throw new InvalidOperationException(Invariant($"The teacher '{name}' gave other logits for the same rows in another order: a probability differs by {difference:0.####}. ") +
                "Its Outputs must answer for each row of the batch by itself, in the order of the batch, and without random numbers (dropout off).");
        }
    }

    private static Batch Copy(Batch batch, Func<Tensor, Tensor> change) => batch with
    {
        Positions = change(batch.Positions),
        Features = change(batch.Features),
        Labels = change(batch.Labels),
        Weights = batch.Weights is { } weights ? change(weights) : null,
        SoftLabels = batch.SoftLabels is { } shares ? change(shares) : null,
    };

    private Tensor CheckLogits(Tensor logits, Batch batch)
    {
        var found = Check(logits, batch, "logits", [teacher.Shapes.LogitCount]);
        using var scope = NewDisposeScope();
        var isFinite = found.isfinite().all(1);
        if (isFinite.all().item<bool>())
            return found;
        var row = isFinite.to(int64).argmin().item<long>();
        throw new InvalidOperationException(
            $"The teacher '{name}' gave the logits {string.Join(", ", found[row].cpu().data<float>().ToArray().Take(5).Select(value => Invariant($"{value}")))} … for the row with id " +
            $"{batch.Set.RowIds[batch.Positions[row].item<long>()]}; they must be finite. Of probabilities take the logarithm of at least 1e-6, as 0 has none.");
    }

    private Tensor[] CheckStageFeatures(IReadOnlyList<Tensor> features, Batch batch)
    {
        var shapes = teacher.Shapes.StageFeatures;
        return features.Count == shapes.Count
            ? [.. features.Select((feature, i) => Check(feature, batch, $"stage feature {i}", shapes[i]))]
            : throw new InvalidOperationException($"The teacher '{name}' gave {features.Count} stage features; its Shapes promise {shapes.Count}.");
    }

    private Tensor Check(Tensor? value, Batch batch, string what, long[] shape)
    {
        long[] expected = [batch.Positions.shape[0], .. shape];
        if (value is null || value.IsInvalid)
            throw new InvalidOperationException($"The teacher '{name}' gave {(value is null ? "null" : "a tensor that it has disposed of")} as {what}; it must give a tensor.");
        if (!value.is_floating_point() || !value.shape.SequenceEqual(expected))
        {
            throw new InvalidOperationException(
                $"The teacher '{name}' gave as {what} {value.dtype} [{string.Join(", ", value.shape)}] for {expected[0]} {(expected[0] == 1 ? "row" : "rows")}; " +
                $"by its Shapes it must be floating-point numbers [{string.Join(", ", expected)}].");
        }

        // A copy, because the teacher may use its tensor again for the next rows.
        return value.to(float32, batch.Features.device).clone();
    }
}
