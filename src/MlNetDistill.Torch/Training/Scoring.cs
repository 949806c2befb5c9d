using MlNetDistill.Core;
using MlNetDistill.Data;
using MlNetDistill.Networks;
using MlNetDistill.Teachers;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MlNetDistill.Training;

/// <summary>Eval-mode passes over rows of a training set.</summary>
internal static class Scoring
{
    /// <summary>Logits of the rows at <paramref name="positions"/>, on the network's device. Leaves the network in eval mode.</summary>
    public static Tensor Logits(Network network, IRowSource set, Tensor positions, int batchSize)
    {
        network.eval();
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        var parts = new List<Tensor>();
        foreach (var rows in Chunks.Of(positions, batchSize))
        {
            using var inner = NewDisposeScope();
            parts.Add(network.forward(set.Gather(rows, set.Device)).Logits.MoveToOuterDisposeScope());
        }

        return cat(parts).MoveToOuterDisposeScope();
    }

    /// <summary>The mean over the rows at <paramref name="positions"/> of KL(teacher ‖ student) at temperature 1. Leaves the network in eval mode.</summary>
    public static double Divergence(Network network, StageTeacher teacher, IRowSource set, Tensor positions, int batchSize)
    {
        network.eval();
        using var noGrad = no_grad();
        var sum = 0.0;
        foreach (var rows in Chunks.Of(positions, batchSize))
        {
            using var scope = NewDisposeScope();
            var batch = Batch.Of(set, rows);
            var student = network.forward(batch.Features).Logits.LogSoftmax(1);
            var expected = teacher.LogProbabilities(batch, teacher.Outputs(batch, ModelOutputs.Logits), 1);
            sum += expected.exp().mul(expected.sub(student)).sum().to(float64).item<double>();
        }

        return sum / positions.shape[0];
    }

    /// <summary>A teacher's logits or embeddings of the rows at <paramref name="positions"/>.</summary>
    public static Tensor Answers(StageTeacher teacher, ModelOutputs kind, IRowSource set, Tensor positions, int batchSize)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        var parts = new List<Tensor>();
        foreach (var rows in Chunks.Of(positions, batchSize))
        {
            using var inner = NewDisposeScope();
            var output = teacher.Outputs(Batch.Of(set, rows), kind);
            parts.Add((kind == ModelOutputs.Embedding ? output.Embedding : output.Logits).MoveToOuterDisposeScope());
        }

        return cat(parts).MoveToOuterDisposeScope();
    }

    /// <summary>Accuracy and cross-entropy over the labelled rows at <paramref name="positions"/>, weighted where rows have weights.</summary>
    public static (double Accuracy, double Loss) Quality(Network network, IRowSource set, Tensor positions, int batchSize)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var logits = Logits(network, set, positions, batchSize);
        return Quality(logits, set, positions);
    }

    /// <summary>
    /// Agreement with a teacher, the share of the rows at <paramref name="positions"/> for which both name the same class, and cross-entropy with its
    /// probabilities, weighted where rows have weights.
    /// </summary>
    /// <param name="network">The student.</param>
    /// <param name="set">The rows.</param>
    /// <param name="positions">Which of them.</param>
    /// <param name="teacher">The teacher's logits, a row for each position.</param>
    /// <param name="batchSize">Rows at a time.</param>
    public static (double Agreement, double Loss) Fidelity(Network network, IRowSource set, Tensor positions, Tensor teacher, int batchSize)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var student = Logits(network, set, positions, batchSize);
        var weights = set.Weights?.index_select(0, positions).to(float64);
        var alike = student.argmax(1).eq(teacher.argmax(1)).to(float64);
        var losses = teacher.softmax(1).mul(student.log_softmax(1)).sum([1]).neg().to(float64);
        return (Mean(alike), Mean(losses));

        double Mean(Tensor rows) => weights is null ? rows.mean().item<double>() : (rows.mul(weights).sum().item<double>() / weights.sum().item<double>());
    }

    /// <summary>Accuracy and cross-entropy of given logits over the labelled rows at <paramref name="positions"/>.</summary>
    public static (double Accuracy, double Loss) Quality(Tensor logits, IRowSource set, Tensor positions)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var labels = set.Labels.index_select(0, positions);
        var counts = labels.IsNotEqualTo(IRowSource.MissingLabel).to(float64);
        if (set.Weights is not null)
            counts = counts.mul(set.Weights.index_select(0, positions));
        var total = counts.sum().item<double>();
        var right = logits.argmax(1).eq(labels).to(float64).mul(counts).sum().item<double>();
        var loss = functional.nll_loss(functional.log_softmax(logits, 1), labels, null, Reduction.None).to(float64).mul(counts).sum().item<double>();
        return (right / total, loss / total);
    }
}
