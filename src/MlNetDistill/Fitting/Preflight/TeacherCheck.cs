using System.Diagnostics;
using MlNetDistill.Core;
using MlNetDistill.Data;
using MlNetDistill.Networks;
using MlNetDistill.Teachers;
using MlNetDistill.Training;
using static TorchSharp.torch;

namespace MlNetDistill.Fitting;

/// <summary>Queries a teacher for a few rows, validation rows if possible, in limited time.</summary>
internal sealed class TeacherCheck(StudentTask task, DistillationOptions options, IRowSource set, DataSplit split)
{
    /// <summary>The number of validation rows that is enough to judge the teacher by these alone.</summary>
    private const int MinHeldOut = 30;
    private static readonly TimeSpan Budget = TimeSpan.FromSeconds(10);

    /// <summary>What it predicted for held-out rows; null if it was queried for training rows.</summary>
    public JudgedTeacher? HeldOut { get; private set; }

    /// <exception cref="InvalidOperationException">The teacher fails, or gives logits that are not finite.</exception>
    public PreflightTeacher Run(StageTeacher teacher)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var (rows, queried, heldOut) = teacher.SharesPreview ? (set, FirstCachedRows(), false) : SelectRows(teacher);
        var (all, perRow, perPass) = Query(teacher, rows, queried);
        var (positions, logits) = (queried.narrow(0, 0, all.shape[0]), all);
        if (teacher.SharesPreview)
            (positions, logits, heldOut) = SelectJudged(teacher, positions, all);
        var accuracy = Scoring.Evaluate(task, logits, rows, positions).Quality;
        var predicted = logits.argmax(1).cpu().data<long>().ToArray();
        HeldOut = heldOut ? new(rows, positions.cpu().data<long>().ToArray(), predicted) : null;
        return new PreflightTeacher(
            options.Teacher!.Name,
            teacher.Provides,
            (int)logits.shape[0],
            heldOut,
            double.IsNaN(accuracy) ? null : accuracy,
            logits.softmax(1).amax([1]).mean().item<float>(),
            AgreementCeiling.Compute(rows, positions, predicted),
            perRow)
        {
            TimePerPass = perPass,
            Caveat = double.IsNaN(accuracy) ? null : SeenRowsText.Describe(options.Teacher.Seen, heldOut, accuracy, logits.shape[0]),
            ScoresLookLikeProbabilities = ScoreKindCheck.Warning(logits),
            Confusion = double.IsNaN(accuracy) ? null : ClassConfusion.CountLabelled(task.LogitCount, rows, positions, predicted),
        };
    }

    /// <summary>Validation rows if the teacher can be queried for them, else training rows.</summary>
    private (IRowSource Rows, Tensor Positions, bool HeldOut) SelectRows(StageTeacher teacher)
    {
        // A teacher that reads the data view can be queried only for its rows, and cached outputs of the training set cost nothing.
        var inSet = ReferenceEquals(split.ValidationSet, set);
        var heldOut = split.Validation is not null && (inSet || (teacher.SupportsAugmentation && !teacher.HasCachedOutputs));
        var (rows, all) = heldOut ? (split.ValidationSet, split.Validation!) : (set, split.Given);
        // It is judged by labels where there are any.
        var labelled = rows.Labels.index_select(0, all).IsNotEqualTo(IRowSource.MissingLabel).nonzero().reshape(-1);
        if (labelled.shape[0] > 0)
            all = all.index_select(0, labelled);
        return (rows, all.index_select(0, tensor([.. QueryOrder.SpreadFirst(all.shape[0])], device: all.device)), heldOut);
    }

    /// <summary>The rows that the teacher's cache begins with, in whole batches.</summary>
    private Tensor FirstCachedRows()
    {
        var batches = (QueryOrder.PreviewRows + options.BatchSize - 1) / options.BatchSize;
        return tensor([.. QueryOrder.Create(set.Count).Take(batches * options.BatchSize)], device: set.Device);
    }

    /// <summary>
    /// The queried rows by which the teacher is judged: those spread over the set; if there are enough, only the validation rows among them. Where nearly all of them
    /// are transfer rows, other rows are queried.
    /// </summary>
    private (Tensor Positions, Tensor Logits, bool HeldOut) SelectJudged(StageTeacher teacher, Tensor positions, Tensor logits)
    {
        var queried = positions.narrow(0, 0, Math.Min(QueryOrder.PreviewRows, positions.shape[0])).cpu().data<long>().ToArray();
        // Rows without labels that were added are not judged.
        long[] given = [.. Enumerable.Range(0, queried.Length).Where(i => queried[i] < set.Count - split.Added).Select(i => (long)i)];
        if (given.Length < Math.Min(MinHeldOut, set.Count - split.Added))
        {
            var few = SpreadPositions.Create(set.Count - split.Added, MinHeldOut, positions.device);
            return (few, Query(teacher, set, few).Logits, false);
        }

        var held = split.Validation is { } validation && ReferenceEquals(split.ValidationSet, set) ? validation.cpu().data<long>().ToHashSet() : [];
        long[] at = [.. queried.Index().Where(row => held.Contains(row.Item)).Select(row => (long)row.Index)];
        var heldOut = at.Length >= MinHeldOut;
        var chosen = heldOut ? tensor(at, device: positions.device) : tensor(given, device: positions.device);
        return (positions.index_select(0, chosen), logits.index_select(0, chosen), heldOut);
    }

    private (Tensor Logits, TimeSpan PerRow, TimeSpan PerPass) Query(StageTeacher teacher, IRowSource rows, Tensor positions)
    {
        var first = Math.Min(teacher.SharesPreview ? options.BatchSize : QueryOrder.SlowTeacherPreviewRows, positions.shape[0]);
        var (logits, perRow, perPass) = QueryTimed(0, first);
        var rest = positions.shape[0] - first;
        if (rest == 0 || perPass + (perRow * rest) > Budget)
            return (logits, perRow, perPass);
        // The first query was the warm-up.
        (var others, perRow, perPass) = QueryTimed(first, rest);
        return (cat([logits, others]), perRow, perPass);

        (Tensor Logits, TimeSpan PerRow, TimeSpan PerPass) QueryTimed(long from, long count)
        {
            var (clock, passed) = (Stopwatch.StartNew(), teacher.TimeOnUnqueriedRows);
            var size = teacher.SharesPreview ? options.BatchSize : count;
            var result = cat([.. Chunks.Split(positions.narrow(0, from, count), size).Select(GetLogits)]);
            var passing = teacher.TimeOnUnqueriedRows - passed;
            return (result, (clock.Elapsed - passing) / count, passing);
        }

        Tensor GetLogits(Tensor some)
        {
            var output = teacher.Outputs(Batch.Gather(rows, some), ModelOutputs.Logits).Logits;
            if (!output.isfinite().all().item<bool>())
                throw new InvalidOperationException($"The teacher ({options.Teacher!.Name}) gives logits that are NaN or infinite. Check its weights and the scale of its input.");
            return output;
        }
    }
}
