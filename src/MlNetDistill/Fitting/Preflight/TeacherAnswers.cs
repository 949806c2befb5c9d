using MlNetDistill.Data;
using MlNetDistill.Networks;
using MlNetDistill.Teachers;
using static TorchSharp.torch;

namespace MlNetDistill.Fitting;

/// <summary>
/// A teacher's answers for many rows, batch by batch: of the logits, 4 bytes for each row and class, only the predicted class of each row is kept, 8 bytes.
/// </summary>
/// <param name="Predicted">The class of each row.</param>
/// <param name="MeanConfidence">The mean of its probability.</param>
/// <param name="KindWarning">What is wrong with the kind of the scores; null for nothing.</param>
internal sealed record TeacherAnswers(long[] Predicted, double MeanConfidence, string? KindWarning)
{
    /// <summary>Queries a teacher, or its cache, for the rows at some positions.</summary>
    public static TeacherAnswers Query(StageTeacher teacher, IRowSource set, Tensor positions, int batchSize)
    {
        using var noGrad = no_grad();
        var (predicted, kind, confidence, done) = (new long[positions.shape[0]], new ScoreKindCheck(), 0.0, 0);
        foreach (var part in Chunks.Split(positions, batchSize))
        {
            using var scope = NewDisposeScope();
            var logits = teacher.Outputs(Batch.Gather(set, part), ModelOutputs.Logits).Logits;
            kind.Add(logits);
            confidence += logits.softmax(1).amax([1]).sum(float64).item<double>();
            var classes = logits.argmax(1).cpu().data<long>().ToArray();
            classes.CopyTo(predicted, done);
            done += classes.Length;
        }

        return new(predicted, confidence / predicted.Length, kind.Warning());
    }
}
