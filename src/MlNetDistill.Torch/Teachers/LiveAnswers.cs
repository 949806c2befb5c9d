using MlNetDistill.Data;
using MlNetDistill.Networks;
using MlNetDistill.Records;
using static TorchSharp.torch;

namespace MlNetDistill.Teachers;

/// <summary>Asks a teacher that answers any batch about all rows of a set.</summary>
internal static class LiveAnswers
{
    /// <summary>The answers in the order of the set, view after view, from entry <paramref name="from"/> on. Each chunk lives until the next is asked for.</summary>
    public static IEnumerable<AnswerChunk> From(
        TrainingSet set, OutputKinds kept, Func<Tensor, int, Batch>? view, Recording recording, long from, Func<Batch, OutputKinds, NetworkOutput> answer)
    {
        var views = view is null ? 1 : recording.Options.Views;
        for (var number = 1 + (int)(from / set.Count); number <= views; number++)
        {
            var first = number == 1 + (int)(from / set.Count) ? (int)(from % set.Count) : 0;
            // In the batches of a run that was not interrupted: with the batch size kernels change, and with them the last digits.
            var at = first - (first % recording.BatchSize);
            using var all = Arithmetic.UpTo(set.Count, set.Features.device).DetachFromDisposeScope();
            using var rest = all.narrow(0, at, set.Count - at).DetachFromDisposeScope();
            foreach (var positions in Chunks.Of(rest, recording.BatchSize))
            {
                var parts = Parts(answer, view is null ? Batch.Of : (s, p) => view(p, number), set, positions, kept, Math.Max(0, first - at));
                var ids = set.RowIds.Skip(Math.Max(at, first)).Take((int)parts[0].shape[0]).ToArray();
                at += (int)positions.shape[0];
                yield return new AnswerChunk(ids, parts);
                foreach (var part in parts)
                    part.Dispose();
            }
        }
    }

    private static Tensor[] Parts(
        Func<Batch, OutputKinds, NetworkOutput> answer, Func<TrainingSet, Tensor, Batch> batch, TrainingSet set, Tensor positions, OutputKinds kept, int known)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var output = answer(batch(set, positions), kept);
        Tensor[] parts =
        [
            output.Logits,
            .. kept.HasFlag(OutputKinds.Embedding) ? [output.Embedding] : Array.Empty<Tensor>(),
            .. kept.HasFlag(OutputKinds.StageFeatures) ? output.StageFeatures : [],
        ];
        return [.. parts.Select(Kept)];

        Tensor Kept(Tensor part)
        {
            var here = part.to(float32, CPU);
            // Of a small teacher every call counts.
            return (known == 0 ? here : here.narrow(0, known, here.shape[0] - known)).DetachFromDisposeScope();
        }
    }
}
