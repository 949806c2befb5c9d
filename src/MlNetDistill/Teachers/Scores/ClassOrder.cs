using static TorchSharp.torch;

namespace MlNetDistill.Teachers;

/// <summary>For each class of the student the classes of the teacher that it is made of, at least one.</summary>
internal sealed record ClassOrder(IReadOnlyList<int[]> SourcesOf)
{
    private bool IsSelection => SourcesOf.All(sources => sources.Length == 1);

    /// <summary>Rows of logits in the teacher's order, N×K', to rows in the student's, N×K. Where classes are one to the student, their probabilities are added.</summary>
    public Tensor Apply(Tensor logits)
    {
        if (IsSelection && SourcesOf.Select(sources => sources[0]).SequenceEqual(Enumerable.Range(0, (int)logits.shape[1])))
            return logits;
        using var scope = NewDisposeScope();
        if (IsSelection)
            return Columns([.. SourcesOf.Select(sources => sources[0])]).MoveToOuterDisposeScope();
        // log Σ exp z, up to the row's common term log Σ of all.
        return cat([.. SourcesOf.Select(sources => Columns(sources).logsumexp(1, keepdim: true))], 1).MoveToOuterDisposeScope();

        Tensor Columns(int[] which) => logits.index_select(1, tensor([.. which.Select(i => (long)i)], device: logits.device));
    }
}
