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
/// <param name="answers">Its answers by kind, each rows×outputs, in the current dispose scope.</param>
internal sealed class TeacherSample(string teacher, IReadOnlyDictionary<string, Tensor> answers)
{
    /// <summary>Rows that are asked about.</summary>
    public const int Rows = 256;

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
        var answers = new Dictionary<string, Tensor>();
        // Another output than those cached would cost such a teacher a pass over all rows.
        if (!teacher.NeedsPassPerQuery || cached.HasFlag(ModelOutputs.Logits))
            Add(ModelOutputs.Logits);
        if (cached.HasFlag(ModelOutputs.Embedding))
            Add(ModelOutputs.Embedding);
        return new TeacherSample(name, answers);

        void Add(ModelOutputs kind) => answers[$"{kind}"] = Scoring.TeacherOutputs(teacher, kind, set, SpreadPositions.Create(set.Count, Rows, set.Device), batchSize);
    }

    /// <summary>Compares the answers with those in a file, or writes it.</summary>
    /// <param name="path">The file.</param>
    /// <param name="warn">Receives a warning if it cannot be written: the training can go on, and a later one is compared less.</param>
    /// <exception cref="InvalidOperationException">They differ.</exception>
    /// <exception cref="InvalidDataException">The file is damaged.</exception>
    public void Check(string path, Action<string> warn)
    {
        using var scope = NewDisposeScope();
        var now = answers.ToDictionary(answer => answer.Key, answer => answer.Value.detach().to(float32).cpu().contiguous());
        if (!File.Exists(path))
        {
            Write(path, now, warn);
            return;
        }

        var before = Read(path);
        try
        {
            foreach (var (kind, values) in now)
                Compare(kind, before.GetValueOrDefault(kind), values, path);
        }
        finally
        {
            foreach (var tensor in before.Values)
                tensor.Dispose();
        }
    }

    private void Compare(string kind, Tensor? before, Tensor now, string path)
    {
        var difference = before is null ? double.PositiveInfinity : Difference(before, now);
        if (!(difference <= Tolerance))
        {
            throw new InvalidOperationException(
                Invariant($"The teacher ({teacher}) answers otherwise than when the checkpoints in '{Path.GetDirectoryName(path)}' were saved: its {kind} differ by up to {difference:G3} for {now.shape[0]} rows. ") +
                "Give the same teacher. One that is fitted in Fit must give the same model again: give its trainer a seed and one thread, or fit it before and use Teacher.FromTransformer. " +
                "Else give another CheckpointDirectory.");
        }
    }

    private void Write(string path, Dictionary<string, Tensor> values, Action<string> warn)
    {
        try
        {
            AtomicFile.Write(path, stream => TensorFile.Write(stream, values, teacher), "answers of the teacher");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            warn($"Answers of the teacher could not be saved beside the checkpoints, so a training that continues could not compare its teacher with them: {e.Message}");
        }
    }

    private static IReadOnlyDictionary<string, Tensor> Read(string path)
    {
        using var file = File.OpenRead(path);
        try
        {
            return TensorFile.Read(file).Tensors;
        }
        catch (InvalidDataException damage)
        {
            throw new InvalidDataException($"The teacher's answers in '{path}' are damaged. {damage.Message}", damage);
        }
    }

    private static double Difference(Tensor before, Tensor now) =>
        before.shape.AsSpan().SequenceEqual(now.shape) ? before.subtract(now).abs().max().item<float>() : double.PositiveInfinity;
}
