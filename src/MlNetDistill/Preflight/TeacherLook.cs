using System.Diagnostics;
using MlNetDistill.Data;
using MlNetDistill.Networks;
using MlNetDistill.Teachers;
using MlNetDistill.Training;
using static TorchSharp.torch;

namespace MlNetDistill;

/// <summary>Asks a teacher about some rows, held-out ones where it can, for as long as a look may take.</summary>
internal sealed class TeacherLook(DistillationOptions options, TrainingSet set, DataSplit split)
{
    private const int FirstRows = 64;
    private const int AllRows = 512;
    private static readonly TimeSpan Budget = TimeSpan.FromSeconds(10);

    /// <exception cref="InvalidOperationException">The teacher cannot answer, or its answers are no finite numbers.</exception>
    public PreflightTeacher At(StageTeacher teacher)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        // A teacher that reads the data view knows its rows alone.
        var heldOut = split.Validation is not null && (ReferenceEquals(split.ValidationSet, set) || teacher.SeesViews);
        var (rows, all) = heldOut ? (split.ValidationSet, split.Validation!) : (set, split.Training);
        var positions = all.index_select(0, FewFirst(Spread.Over((int)all.shape[0], AllRows, all.device)));
        var (logits, perRow, perPass) = Ask(teacher, rows, positions);
        positions = positions.narrow(0, 0, logits.shape[0]);
        var (accuracy, _) = Scoring.Quality(logits, rows, positions);
        return new PreflightTeacher(
            options.Teacher!.Name,
            teacher.Provides,
            (int)logits.shape[0],
            heldOut,
            double.IsNaN(accuracy) ? null : accuracy,
            logits.softmax(1).amax([1]).mean().item<float>(),
            AgreementCeiling.Of(rows, positions, logits),
            perRow)
        {
            TimePerPass = perPass,
        };
    }

    /// <summary>Evenly spread rows, of which the first few are evenly spread too: a slow teacher is asked about these alone, and rows are often sorted by class.</summary>
    private static Tensor FewFirst(Tensor positions)
    {
        var stride = Math.Max(1, (int)Math.Ceiling(positions.shape[0] / (double)FirstRows));
        var order = Enumerable.Range(0, (int)positions.shape[0]).OrderBy(i => i % stride == 0 ? 0 : 1).Select(i => (long)i).ToArray();
        return positions.index_select(0, tensor(order, device: positions.device));
    }

    private (Tensor Logits, TimeSpan PerRow, TimeSpan PerPass) Ask(StageTeacher teacher, TrainingSet rows, Tensor positions)
    {
        var first = Math.Min(FirstRows, positions.shape[0]);
        var (logits, perRow, perPass) = Timed(0, first);
        var rest = positions.shape[0] - first;
        if (rest == 0 || perPass + (perRow * rest) > Budget)
            return (logits, perRow, perPass);
        // The first batch warmed it up.
        (var others, perRow, perPass) = Timed(first, rest);
        return (cat([logits, others]), perRow, perPass);

        (Tensor Logits, TimeSpan PerRow, TimeSpan PerPass) Timed(long from, long asked)
        {
            var (clock, passed) = (Stopwatch.StartNew(), teacher.TimePassing);
            var answer = Answer(positions.narrow(0, from, asked));
            var passing = teacher.TimePassing - passed;
            return (answer, (clock.Elapsed - passing) / asked, passing);
        }

        Tensor Answer(Tensor some)
        {
            var output = teacher.Outputs(Batch.Of(rows, some), OutputKinds.Logits).Logits;
            if (!output.isfinite().all().item<bool>())
                throw new InvalidOperationException($"The teacher ({options.Teacher!.Name}) gives logits that are NaN or infinite. Check its weights, and the scale of what it is fed.");
            return output;
        }
    }
}
