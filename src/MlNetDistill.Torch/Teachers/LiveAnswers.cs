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
            var first = number == 1 + (int)(from / set.Count) ? from % set.Count : 0;
            using var all = Arithmetic.UpTo(set.Count, set.Features.device).DetachFromDisposeScope();
            using var rest = all.narrow(0, first, set.Count - first).DetachFromDisposeScope();
            var at = (int)first;
            foreach (var positions in Chunks.Of(rest, recording.BatchSize))
            {
                var parts = Parts(answer, view is null ? Batch.Of : (s, p) => view(p, number), set, positions, kept);
                var ids = set.RowIds.Skip(at).Take((int)positions.shape[0]).ToArray();
                at += ids.Length;
                yield return new AnswerChunk(ids, parts);
                foreach (var part in parts)
                    part.Dispose();
            }
        }
    }

    /// <summary>Kept outputs in the order of a record: logits, embedding, stage features.</summary>
    public static IReadOnlyList<Tensor> PartsOf(NetworkOutput output, OutputKinds kept) =>
    [
        output.Logits,
        .. kept.HasFlag(OutputKinds.Embedding) ? [output.Embedding] : Array.Empty<Tensor>(),
        .. kept.HasFlag(OutputKinds.StageFeatures) ? output.StageFeatures : [],
    ];

    private static Tensor[] Parts(
        Func<Batch, OutputKinds, NetworkOutput> answer, Func<TrainingSet, Tensor, Batch> batch, TrainingSet set, Tensor positions, OutputKinds kept)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var output = answer(batch(set, positions), kept);
        return [.. PartsOf(output, kept).Select(part => part.to(float32).cpu().DetachFromDisposeScope())];
    }
}
