using MlNetDistill.Core;
using MlNetDistill.Data;
using MlNetDistill.Losses;
using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace MlNetDistill.Training;

/// <summary>
/// An embedding: D values, no classes. It is judged by the teacher: by the mean cosine with the teacher's embedding, if training makes the two agree value by value; if
/// not (another length, or a loss over relations, which leaves the rotation free), by the correlation of the cosines of all pairs of rows with the teacher's.
/// </summary>
/// <param name="length">Length D.</param>
/// <param name="isAligned">Whether the values of student and teacher correspond.</param>
internal sealed class EmbeddingTask(int length, bool isAligned) : StudentTask
{
    // Pairs grow with the square of the rows.
    private const long MostRows = 2048;

    public override int LogitCount => length;

    // A correlation over pairs of rows is not.
    public override bool IsMeanOverRows => isAligned;

    public override ModelOutputs JudgedOutput => ModelOutputs.Embedding;

    // A training head over labels is a term of the loss.
    public override DistillationLoss? LabelLoss => null;

    // Labels are those of a key column, and the head has as many classes as the key.
    public override void CheckLabels(IRowSource set) { }

    public override ValidationResult Evaluate(Tensor logits, Tensor labels, Tensor? weights) =>
        throw new InvalidOperationException("A student of embeddings is judged by its teacher's embeddings, not by labels.");

    public override ValidationResult EvaluateAgainstTeacher(Tensor logits, Tensor teacher, Tensor? weights)
    {
        using var scope = NewDisposeScope();
        var (quality, measure) = isAligned ? (MeanCosine(logits, teacher, weights), "cosine") : (SimilarityCorrelation(logits, teacher), "similarity");
        return new(measure, quality, 1 - quality);
    }

    private static double MeanCosine(Tensor student, Tensor teacher, Tensor? weights)
    {
        var cosines = student.NormalizeRows().mul(teacher.NormalizeRows()).sum(1).to(float64);
        if (weights is null)
            return cosines.mean().item<double>();
        var total = weights.to(float64).sum().item<double>();
        // Of rows that do not count there is no mean; a fit refuses them before.
        return total > 0 ? cosines.mul(weights.to(float64)).sum().item<double>() / total : 0;
    }

    private static double SimilarityCorrelation(Tensor student, Tensor teacher)
    {
        var positions = SpreadPositions.Create(student.shape[0], (int)Math.Min(MostRows, student.shape[0]), student.device);
        var (a, b) = (PairCosines(student.index_select(0, positions)), PairCosines(teacher.index_select(0, positions)));
        // Of one pair, or of equal cosines, there is no correlation.
        var spread = a.norm().item<double>() * b.norm().item<double>();
        return spread > 0 ? a.mul(b).sum().item<double>() / spread : 0;
    }

    // Above the diagonal, minus their mean.
    private static Tensor PairCosines(Tensor rows)
    {
        var all = rows.Cosines().to(float64);
        var pairs = all.masked_select(ones_like(all).triu(1).to(ScalarType.Bool));
        return pairs.numel() == 0 ? pairs : pairs.sub(pairs.mean());
    }
}
