using MlNetDistill.Core;
using MlNetDistill.Data;
using MlNetDistill.Networks;
using MlNetDistill.Teachers;
using MlNetDistill.Training;
using static System.FormattableString;
using static TorchSharp.torch;

namespace MlNetDistill.Fitting;

/// <summary>A teacher's answers for some rows, by which a training that continues finds out whether it still has the same teacher.</summary>
/// <param name="teacher">The name of the teacher.</param>
/// <param name="answers">Its answers, rows×outputs, in the current dispose scope.</param>
internal sealed class TeacherSample(string teacher, Tensor answers)
{
    /// <summary>Rows that are asked about.</summary>
    public const int Rows = 256;

    private const string AnswersName = "answers";

    // Other processors round other bits of a logit.
    private const double Tolerance = 1e-3;

    /// <summary>Asks a teacher that is ready about rows that are spread over all.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="teacher">The teacher.</param>
    /// <param name="cached">Its outputs that are cached.</param>
    /// <param name="set">All rows.</param>
    /// <param name="batchSize">Rows asked about at a time.</param>
    public static TeacherSample Ask(string name, StageTeacher teacher, ModelOutputs cached, IRowSource set, int batchSize)
    {
        // Another output than those cached would cost such a teacher a pass over all rows.
        var kind = teacher.NeedsPassPerQuery && !cached.HasFlag(ModelOutputs.Logits) ? ModelOutputs.Embedding : ModelOutputs.Logits;
        return new TeacherSample(name, Scoring.TeacherOutputs(teacher, kind, set, SpreadPositions.Create(set.Count, Rows, set.Device), batchSize));
    }

    /// <summary>Compares the answers with those in a file, or writes it.</summary>
    /// <exception cref="InvalidOperationException">They differ.</exception>
    public void Check(string path, string directory)
    {
        using var scope = NewDisposeScope();
        var now = answers.detach().to(float32).cpu().contiguous();
        if (!File.Exists(path))
        {
            AtomicFile.Write(path, stream => TensorFile.Write(stream, new Dictionary<string, Tensor> { [AnswersName] = now }, teacher), "answers of the teacher");
            return;
        }

        using var file = File.OpenRead(path);
        var (tensors, _) = TensorFile.Read(file);
        var difference = tensors.TryGetValue(AnswersName, out var before) ? Difference(before, now) : double.PositiveInfinity;
        foreach (var tensor in tensors.Values)
            tensor.Dispose();
        if (difference > Tolerance)
        {
            throw new InvalidOperationException(
                Invariant($"The teacher ({teacher}) answers otherwise than when the checkpoints in '{directory}' were saved: by up to {difference:G3} for {now.shape[0]} rows. ") +
                "Give the same teacher. One that is fitted in Fit must give the same model again: give its trainer a seed and one thread, or fit it before and use Teacher.FromTransformer. " +
                "Else give another CheckpointDirectory.");
        }
    }

    private static double Difference(Tensor before, Tensor now) =>
        before.shape.AsSpan().SequenceEqual(now.shape) ? before.subtract(now).abs().max().item<float>() : double.PositiveInfinity;
}
