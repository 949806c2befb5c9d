using MlNetDistill.Cache;
using MlNetDistill.Data;
using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace MlNetDistill.Teachers;

/// <summary>Recomputes a teacher's outputs for a few rows, to check that a cache of an earlier run belongs to this teacher; hashes of files or weights do not detect every difference.</summary>
internal static class SpotCheck
{
    private const int Rows = 16;

    // Between machines and devices float arithmetic differs by about 1e-4; another teacher differs in the first digits somewhere.
    private const double Tolerance = 0.01;

    /// <summary>Describes how the cached outputs differ from what the teacher computes now; null if they agree.</summary>
    public static string? FindDifference(CachedOutputs cached, IRowSource set, Func<Tensor, int, Batch>? view, Func<Batch, ModelOutputs, NetworkOutput> live)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var positions = SpreadPositions.Create(set.Count, Rows, set.Device);
        var batch = view is null ? Batch.Gather(set, positions) : view(positions, 1);
        // Rounded as in the cache: for large logits 16-bit floats lose more than the tolerance.
        var now = cached.RoundLogits(live(batch, ModelOutputs.Logits).Logits.to(float32)).softmax(1);
        var kept = cached.Read(positions, ModelOutputs.Logits, batch.View).Logits.cpu().softmax(1);
        // Only the most probable class: the cache may keep the others in a shortened form.
        var best = kept.argmax(1, keepdim: true);
        var difference = now.gather(1, best).sub(kept.gather(1, best)).abs().max().item<float>();
        return difference <= Tolerance
            ? null
            : FormattableString.Invariant($"for {positions.shape[0]} {(positions.shape[0] == 1 ? "row" : "rows")} that were computed again, the teacher's probabilities differ by up to {difference:0.###} from the cached ones");
    }
}
