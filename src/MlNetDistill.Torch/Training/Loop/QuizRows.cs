using MlNetDistill.Core;
using MlNetDistill.Data;
using MlNetDistill.Methods;
using static TorchSharp.torch;

namespace MlNetDistill.Training;

/// <summary>The quiz of a bilevel stage: labelled training rows that neither student nor teacher trains on in the stage.</summary>
/// <param name="set">All rows.</param>
/// <param name="training">Positions of the other training rows, in the order in which they were given.</param>
/// <param name="quiz">Positions of the quiz rows.</param>
internal sealed class QuizRows(IRowSource set, Tensor training, Tensor quiz) : IDisposable
{
    // Batch normalization needs two rows, and a training row must be left.
    private const int FewestRows = 2;

    /// <summary>Positions of the rows that are trained on.</summary>
    public Tensor Training => training;

    /// <summary>Positions of the quiz rows.</summary>
    public Tensor Quiz => quiz;

    /// <summary>Divides the training rows of a stage, in each stage of a run alike.</summary>
    /// <param name="stage">The stage.</param>
    /// <param name="set">All rows.</param>
    /// <param name="training">Positions of the training rows.</param>
    /// <param name="seeds">The seeds of the run.</param>
    /// <param name="role">The role of the network that trains.</param>
    /// <exception cref="InvalidOperationException">Too few rows have a label.</exception>
    public static QuizRows Divide(BilevelStage stage, IRowSource set, Tensor training, Seeds seeds, string role)
    {
        using var generator = seeds.CreateGenerator($"{role} quiz");
        return Divide(set, training, stage.QuizShare, generator, stage.Name);
    }

    /// <summary>Divides the training rows. Of each class at least one row is trained on, unless there are hardly more rows than classes.</summary>
    /// <param name="set">All rows.</param>
    /// <param name="training">Positions of the training rows.</param>
    /// <param name="share">The share of those with a label that become the quiz.</param>
    /// <param name="generator">Draws them; a CPU generator.</param>
    /// <param name="stage">The name of the stage, for messages.</param>
    /// <exception cref="InvalidOperationException">Too few rows have a label.</exception>
    public static QuizRows Divide(IRowSource set, Tensor training, double share, Generator generator, string stage)
    {
        using var scope = NewDisposeScope();
        var positions = training.cpu();
        var labels = set.Labels.cpu().index_select(0, positions);
        var labelled = Counting(set, positions, labels).nonzero().reshape(-1);
        var rows = labelled.shape[0];
        if (rows <= FewestRows)
        {
            throw new InvalidOperationException(FormattableString.Invariant(
                $"Stage '{stage}' holds labelled training rows out as a quiz, and of {positions.shape[0]} training rows {rows} have a label{(set.Weights is null ? "" : " and a weight above 0")}; at least {FewestRows + 1} must. ") +
                "Give labelled rows, or a method with a fixed teacher, such as DistillationMethod.Kd().");
        }

        var drawn = labelled.index_select(0, randperm(rows, device: CPU, generator: generator));
        HashSet<long> met = [];
        // The first row of each class comes last.
        long[] order = [.. drawn.data<long>().Zip(labels.index_select(0, drawn).data<long>()).OrderBy(row => met.Add(row.Second)).Select(row => row.First)];
        var chosen = tensor(order).narrow(0, 0, Count(rows, met.Count, share));
        var isTrained = ones(positions.shape[0], ScalarType.Bool).index_copy_(0, chosen, zeros(chosen.shape[0], ScalarType.Bool));
        var quiz = positions.index_select(0, chosen.sort().Values).to(training.device);
        return new QuizRows(set, positions.masked_select(isTrained).to(training.device).DetachFromDisposeScope(), quiz.DetachFromDisposeScope());
    }

    /// <summary>The number of rows of an epoch of a phase: all training rows, or those without the quiz.</summary>
    public static long CountTrained(TrainingPhase phase, IRowSource set, Tensor training)
    {
        if (phase is not BilevelStage stage)
            return training.shape[0];
        using var scope = NewDisposeScope();
        var labels = set.Labels.index_select(0, training);
        labels = labels.masked_select(Counting(set, training, labels));
        return training.shape[0] - Count(labels.shape[0], labels.cpu().data<long>().Distinct().Count(), stage.QuizShare);
    }

    /// <summary>Rows with a label and a weight above 0: a row of weight 0 would ask nothing.</summary>
    private static Tensor Counting(IRowSource set, Tensor positions, Tensor labels)
    {
        var labelled = labels.IsNotEqualTo(IRowSource.MissingLabel);
        return set.Weights is { } weights ? weights.On(positions.device).index_select(0, positions).IsAtMost(0).logical_not().logical_and(labelled) : labelled;
    }

    /// <summary>The number of quiz rows among labelled rows of so many classes.</summary>
    private static long Count(long labelled, long classes, double share) => Math.Clamp((long)Math.Round(labelled * share), FewestRows, Math.Max(FewestRows, labelled - classes));

    /// <summary>The batches of a quiz of so many rows. Each has two rows or more, as batch normalization needs; so a batch may have one row more than the batch size.</summary>
    public static long CountBatches(long rows, int batchSize) => Math.Min((rows + batchSize - 1) / batchSize, rows / FewestRows);

    /// <summary>Batches of the quiz of even size, in the current dispose scope: all in the order of the rows, or some of rows that are drawn anew.</summary>
    /// <param name="batchSize">Most rows of a batch; 3 where it is less and the number of rows is odd, 2 where it is 1.</param>
    /// <param name="batches">Number of batches, if there are so many; null for all.</param>
    /// <param name="generator">Draws the rows; a CPU generator.</param>
    public IReadOnlyList<Batch> GetBatches(int batchSize, int? batches, Generator generator)
    {
        var rows = quiz.shape[0];
        var all = CountBatches(rows, batchSize);
        var order = batches is null ? quiz : quiz.index_select(0, randperm(rows, device: CPU, generator: generator).to(quiz.device));
        // Not a small last batch, whose statistics would be poor.
        return [.. Enumerable.Range(0, (int)Math.Min(batches ?? all, all)).Select(i => Batch.Gather(set, order.narrow(0, i * rows / all, ((i + 1) * rows / all) - (i * rows / all))))];
    }

    public void Dispose()
    {
        training.Dispose();
        quiz.Dispose();
    }
}
