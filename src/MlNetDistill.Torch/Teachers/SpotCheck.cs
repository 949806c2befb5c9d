using MlNetDistill.Cache;
using MlNetDistill.Data;
using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace MlNetDistill.Teachers;

/// <summary>Asks a teacher a few rows again, to see whether a record of an earlier run is of this teacher: what no hash of files or weights can tell.</summary>
internal static class SpotCheck
{
    private const int Rows = 16;

    // Between machines and devices float arithmetic differs by about 1e-4; another teacher differs in the first digits somewhere.
    private const double Tolerance = 0.01;

    /// <summary>Null where the record holds what the teacher says now, else what differs.</summary>
    public static string? FindDifference(CachedOutputs answers, IRowSource set, Func<Tensor, int, Batch>? view, Func<Batch, ModelOutputs, NetworkOutput> live)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var positions = SpreadPositions.Create(set.Count, Rows, set.Device);
        var batch = view is null ? Batch.Of(set, positions) : view(positions, 1);
        // As the record would have them: of large logits 16-bit floats lose more than the tolerance.
        var now = answers.LogitsAsKept(live(batch, ModelOutputs.Logits).Logits.to(float32)).softmax(1);
        var kept = answers.Of(positions, ModelOutputs.Logits, batch.View).Logits.cpu().softmax(1);
        // Of the most probable class: the others may be kept in short.
        var best = kept.argmax(1, keepdim: true);
        var difference = now.gather(1, best).sub(kept.gather(1, best)).abs().max().item<float>();
        return difference <= Tolerance
            ? null
            : FormattableString.Invariant($"asked again about {positions.shape[0]} rows, the teacher gives probabilities that differ by up to {difference:0.###} from those recorded");
    }
}
