using MlNetDistill.Core;
using static TorchSharp.torch;

namespace MlNetDistill.Alignment;

/// <summary>
/// Classes of the student that a model was fitted without a row of: it cannot tell them, and may not even name them. Their probability is their share of the rows,
/// whatever the row, and the others keep their proportions in what is left.
/// </summary>
/// <param name="Shares">Classes, from 0, with the share of each, above 0; their sum is below 1.</param>
internal sealed record UnseenClasses(IReadOnlyDictionary<int, double> Shares)
{
    /// <summary>Every class was seen.</summary>
    public static UnseenClasses None { get; } = new(new Dictionary<int, double>());

    /// <summary>Logits N×K with those of the unseen classes set, in the current dispose scope; where there are none the same tensor.</summary>
    public Tensor Fill(Tensor logits)
    {
        if (Shares.Count == 0)
            return logits;
        using var scope = NewDisposeScope();
        var classes = (int)logits.shape[1];
        long[] seen = [.. Enumerable.Range(0, classes).Where(c => !Shares.ContainsKey(c)).Select(c => (long)c)];
        var total = logits.index_select(1, tensor(seen, device: logits.device)).logsumexp(1, keepdim: true);
        var left = 1 - Shares.Values.Sum();
        return cat([.. Enumerable.Range(0, classes).Select(c => Shares.TryGetValue(c, out var share)
            ? total.Plus(Math.Log(share / left))
            : logits.narrow(1, c, 1))], 1).MoveToOuterDisposeScope();
    }
}
