using MlNetDistill.Core;
using static TorchSharp.torch;

namespace MlNetDistill.Alignment;

/// <summary>For each class of the student, the classes of the teacher whose probabilities are added up for it; none where the teacher lacks it.</summary>
internal sealed record ClassOrder(IReadOnlyList<int[]> SourcesOf)
{
    /// <summary>
    /// The student's classes, from 0, of which the model saw no row when it was fitted, with their shares of all rows: each above 0, their sum below 1. The model
    /// cannot predict them, so their probability is their share for every row, and the probabilities of the other classes are scaled to what is left.
    /// </summary>
    public IReadOnlyDictionary<int, double> Unseen { get; init; } = new Dictionary<int, double>();

    /// <summary>Whether both have the same classes in the same order.</summary>
    public bool IsSame => SourcesOf.Select((sources, index) => sources is [var source] && source == index).All(same => same);

    /// <summary>Whether each class of the student is one class of the model: none is merged, none missing.</summary>
    public bool IsSelection => SourcesOf.All(sources => sources.Length == 1);

    /// <summary>Each class of the student from the same class of the teacher.</summary>
    public static ClassOrder Same(int classes) => new([.. Enumerable.Range(0, classes).Select(i => new[] { i })]);

    /// <summary>The teacher's class indices for each class of the student.</summary>
    public override string ToString() => string.Join(' ', SourcesOf.Select(sources => string.Join('+', sources)));

    /// <summary>Whether some of the teacher's classes belong to no class of the student.</summary>
    public bool LeavesOut(int teacherClasses) => SourcesOf.Sum(sources => sources.Length) < teacherClasses;

    /// <summary>Adds up one row of probabilities in the teacher's order to one in the student's.</summary>
    public void AddProbabilities(ReadOnlySpan<double> teacher, Span<double> student)
    {
        for (var c = 0; c < student.Length; c++)
        {
            student[c] = 0;
            foreach (var source in SourcesOf[c])
                student[c] += teacher[source];
        }
    }

    /// <summary>The same for one row of logits; see <see cref="Apply"/>.</summary>
    public void AddLogits(ReadOnlySpan<double> teacher, Span<double> student)
    {
        for (var c = 0; c < student.Length; c++)
        {
            student[c] = double.NegativeInfinity;
            foreach (var source in SourcesOf[c])
                student[c] = double.IsNegativeInfinity(student[c]) ? teacher[source] : LogSum(student[c], teacher[source]);
        }
    }

    /// <summary>Converts logits in the teacher's order, N×K', to the student's, N×K. Probabilities of merged classes are added.</summary>
    public Tensor Apply(Tensor logits)
    {
        if (Unseen.Count == 0)
            return Ordered(logits);
        using var scope = NewDisposeScope();
        return WithUnseen(Ordered(logits)).MoveToOuterDisposeScope();
    }

    private Tensor Ordered(Tensor logits)
    {
        if (IsSelection && SourcesOf.Select(sources => sources[0]).SequenceEqual(Enumerable.Range(0, (int)logits.shape[1])))
            return logits;
        using var scope = NewDisposeScope();
        if (IsSelection)
            return Columns([.. SourcesOf.Select(sources => sources[0])]).MoveToOuterDisposeScope();
        // log Σ exp z, up to the row's common term log Σ of all.
        return cat([.. SourcesOf.Select(sources => sources.Length == 0
            ? full([logits.shape[0], 1], float.NegativeInfinity, dtype: logits.dtype, device: logits.device)
            : Columns(sources).logsumexp(1, keepdim: true))], 1).MoveToOuterDisposeScope();

        Tensor Columns(int[] which) => logits.index_select(1, tensor([.. which.Select(i => (long)i)], device: logits.device));
    }

    private Tensor WithUnseen(Tensor logits)
    {
        var classes = (int)logits.shape[1];
        long[] seen = [.. Enumerable.Range(0, classes).Where(c => !Unseen.ContainsKey(c)).Select(c => (long)c)];
        var total = logits.index_select(1, tensor(seen, device: logits.device)).logsumexp(1, keepdim: true);
        var left = 1 - Unseen.Values.Sum();
        return cat([.. Enumerable.Range(0, classes).Select(c => Unseen.TryGetValue(c, out var share)
            ? total.Add(Math.Log(share / left))
            : logits.narrow(1, c, 1))], 1);
    }

    private static double LogSum(double a, double b) => Math.Max(a, b) + Math.Log(1 + Math.Exp(-Math.Abs(a - b)));
}
