using MlNetDistill.Alignment;
using MlNetDistill.Core;
using MlNetDistill.Data;
using MlNetDistill.Networks;
using static System.FormattableString;
using static TorchSharp.torch;

namespace MlNetDistill.Teachers;

/// <summary>A teacher that an application wrote: its answers are checked, brought into the order of the student's classes, and kept.</summary>
internal sealed class CustomStageTeacher(string name, StageTeacher teacher, ClassOrder order, bool supportsAugmentation, string? cacheKey, TeacherCaching caching)
    : CacheableTeacher(caching)
{
    // Of a probability, between two answers to the same row: far above rounding, far below another row's answer.
    private const double Tolerance = 0.01;
    private bool _isTried;
    private bool _isAsked;

    public override OutputShapes Shapes { get; } = teacher.Shapes with { LogitCount = order.SourcesOf.Count };

    public override bool SupportsAugmentation => supportsAugmentation;

    // What a look at some rows learns need not be asked again.
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
        var watch = _isAsked ? null : new LabelWatch(batch.Set);
        _isAsked = true;
        var found = Ask(batch, wanted);
        watch?.Check($"Outputs of the teacher '{name}'");
        var missing = wanted & ~found.Available;
        if (missing != ModelOutputs.None)
            throw new InvalidOperationException($"The teacher '{name}' was asked for {wanted} and gave {found.Available}. Its Shapes promise {teacher.Provides}; Outputs must give all that is wanted.");
        var logits = wanted.HasFlag(ModelOutputs.Logits) ? Logits(found.Logits, batch) : null;
        if (logits is not null)
            TryAnotherOrder(batch, logits);
        return new NetworkOutput(
            logits is null ? null : order.Apply(logits),
            wanted.HasFlag(ModelOutputs.Embedding) ? Checked(found.Embedding, batch, "embedding", [teacher.Shapes.EmbeddingLength!.Value]) : null,
            wanted.HasFlag(ModelOutputs.StageFeatures) ? StageFeatures(found.StageFeatures, batch) : null);
    }

    /// <summary>A teacher is given copies, as it may write into them: the step and other teachers read the batch after it.</summary>
    private NetworkOutput Ask(Batch batch, ModelOutputs wanted) => teacher.Outputs(Changed(batch, tensor => tensor.clone()), wanted)
        ?? throw new InvalidOperationException($"Outputs of the teacher '{name}' returned null; it must return a NetworkOutput.");

    /// <summary>
    /// Asks once more about the first batch of several rows, in another order: answers by place in the batch, in an order of the teacher's own or by chance would train
    /// a wrong student without a word.
    /// </summary>
    private void TryAnotherOrder(Batch batch, Tensor logits)
    {
        if (_isTried || batch.Positions.shape[0] < 2)
            return;
        _isTried = true;
        using var scope = NewDisposeScope();
        var moved = Changed(batch, tensor => tensor.roll(1, 0));
        var again = Logits(Ask(moved, ModelOutputs.Logits).Logits, moved);
        var difference = again.softmax(1).sub(logits.roll(1, 0).softmax(1)).abs().max().item<float>();
        if (!(difference <= Tolerance))
        {
            throw new InvalidOperationException(Invariant($"The teacher '{name}' gave other logits for the same rows in another order: a probability differs by {difference:0.####}. ") +
                "Its Outputs must answer for each row of the batch by itself, in the order of the batch, and without random numbers (dropout off).");
        }
    }

    private static Batch Changed(Batch batch, Func<Tensor, Tensor> change) => batch with
    {
        Positions = change(batch.Positions),
        Features = change(batch.Features),
        Labels = change(batch.Labels),
        Weights = batch.Weights is { } weights ? change(weights) : null,
        SoftLabels = batch.SoftLabels is { } shares ? change(shares) : null,
    };

    private Tensor Logits(Tensor logits, Batch batch)
    {
        var found = Checked(logits, batch, "logits", [teacher.Shapes.LogitCount]);
        using var scope = NewDisposeScope();
        var isFinite = found.isfinite().all(1);
        if (isFinite.all().item<bool>())
            return found;
        var row = isFinite.to(int64).argmin().item<long>();
        throw new InvalidOperationException(
            $"The teacher '{name}' gave the logits {string.Join(", ", found[row].cpu().data<float>().ToArray().Take(5).Select(value => Invariant($"{value}")))} … for the row with id " +
            $"{batch.Set.RowIds[batch.Positions[row].item<long>()]}; they must be finite. Of probabilities take the logarithm of at least 1e-6, as 0 has none.");
    }

    private Tensor[] StageFeatures(IReadOnlyList<Tensor> features, Batch batch)
    {
        var shapes = teacher.Shapes.StageFeatures;
        return features.Count == shapes.Count
            ? [.. features.Select((feature, i) => Checked(feature, batch, $"stage feature {i}", shapes[i]))]
            : throw new InvalidOperationException($"The teacher '{name}' gave {features.Count} stage features; its Shapes promise {shapes.Count}.");
    }

    private Tensor Checked(Tensor? value, Batch batch, string what, long[] shape)
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

        // A copy: the teacher may use its tensor again for the next rows.
        return value.to(float32, batch.Features.device).clone();
    }
}
