using MlNetDistill.Core;
using MlNetDistill.Data;
using MlNetDistill.Networks;
using MlNetDistill.Teachers;
using static TorchSharp.torch;

namespace MlNetDistill.Training;

/// <summary>Runs students and teachers over rows in batches, without training.</summary>
internal static class Scoring
{
    /// <summary>Logits of the rows at <paramref name="positions"/>, on the network's device. Leaves the network in eval mode.</summary>
    public static Tensor Logits(Network network, IRowSource set, Tensor positions, int batchSize)
    {
        network.eval();
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        var parts = new List<Tensor>();
        foreach (var rows in Chunks.Split(positions, batchSize))
        {
            using var inner = NewDisposeScope();
            parts.Add(network.forward(set.Gather(rows, set.Device)).Logits.MoveToOuterDisposeScope());
        }

        return cat(parts).MoveToOuterDisposeScope();
    }

    /// <summary>The class of the largest logit of each of the rows at <paramref name="positions"/>; logits of one batch at a time are in memory.</summary>
    public static long[] Predictions(Network network, IRowSource set, Tensor positions, int batchSize)
    {
        var predicted = new long[positions.shape[0]];
        var done = 0;
        foreach (var rows in Chunks.Split(positions, batchSize))
        {
            using var scope = NewDisposeScope();
            var classes = Logits(network, set, rows, batchSize).argmax(1).cpu().data<long>();
            classes.CopyTo(predicted, done);
            done += (int)classes.Count;
        }

        return predicted;
    }

    /// <summary>The mean over the rows at <paramref name="positions"/> of KL(teacher ‖ student) at temperature 1. Leaves the network in eval mode.</summary>
    public static double Divergence(Network network, StageTeacher teacher, IRowSource set, Tensor positions, int batchSize)
    {
        network.eval();
        using var noGrad = no_grad();
        var sum = 0.0;
        foreach (var rows in Chunks.Split(positions, batchSize))
        {
            using var scope = NewDisposeScope();
            var batch = Batch.Gather(set, rows);
            var student = network.forward(batch.Features).Logits.LogSoftmax(1);
            var expected = teacher.LogProbabilities(batch, teacher.Outputs(batch, ModelOutputs.Logits), 1);
            sum += expected.exp().mul(expected.sub(student)).sum().to(float64).item<double>();
        }

        return sum / positions.shape[0];
    }

    /// <summary>Compares logits with the labels of the rows at <paramref name="positions"/>.</summary>
    public static ValidationResult Evaluate(StudentTask task, Tensor logits, IRowSource set, Tensor positions)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        return task.Evaluate(logits, set.Labels.index_select(0, positions), set.Weights?.index_select(0, positions));
    }

    /// <summary>A teacher's class probabilities of the rows at <paramref name="positions"/>, row after row, an array for each batch: nothing else of this size is in memory.</summary>
    public static IReadOnlyList<float[]> TeacherProbabilities(StageTeacher teacher, IRowSource set, Tensor positions, int batchSize)
    {
        using var noGrad = no_grad();
        var blocks = new List<float[]>();
        foreach (var rows in Chunks.Split(positions, batchSize))
        {
            using var scope = NewDisposeScope();
            blocks.Add(teacher.Outputs(Batch.Gather(set, rows), ModelOutputs.Logits).Logits.softmax(1).to(float32).cpu().contiguous().data<float>().ToArray());
        }

        return blocks;
    }

    /// <summary>A teacher's logits or embeddings of the rows at <paramref name="positions"/>.</summary>
    public static Tensor TeacherOutputs(StageTeacher teacher, ModelOutputs kind, IRowSource set, Tensor positions, int batchSize)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        var parts = new List<Tensor>();
        foreach (var rows in Chunks.Split(positions, batchSize))
        {
            using var inner = NewDisposeScope();
            var output = teacher.Outputs(Batch.Gather(set, rows), kind);
            parts.Add((kind == ModelOutputs.Embedding ? output.Embedding : output.Logits).MoveToOuterDisposeScope());
        }

        return cat(parts).MoveToOuterDisposeScope();
    }
}
