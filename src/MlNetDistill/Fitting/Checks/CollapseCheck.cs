using MlNetDistill.Alignment;
using MlNetDistill.Core;
using MlNetDistill.Data;
using MlNetDistill.Networks;
using MlNetDistill.Teachers;
using MlNetDistill.Training;
using static System.FormattableString;
using static TorchSharp.torch;

namespace MlNetDistill.Fitting;

/// <summary>Checks whether a trained network has collapsed: whether it predicts a single class, or is no better than chance.</summary>
/// <param name="set">The rows.</param>
/// <param name="split">The training rows and the held-out rows.</param>
/// <param name="classes">The classes.</param>
/// <param name="batchSize">Rows scored at a time.</param>
/// <param name="teacher">The classes that the teacher predicts, or null.</param>
internal sealed class CollapseCheck(IRowSource set, DataSplit split, ClassLabels classes, int batchSize, TeacherPredictions? teacher)
{
    // Enough rows to distinguish learning from chance.
    private const int MaxRows = 2048;

    // Share of a weight that decays in a step; a ten-thousandth is usual. With a usual WeightDecay, the learning rate is too high instead.
    private const double MaxDecay = 0.01;
    private const double UsualDecay = 0.1;

    /// <summary>Warnings about the network; empty if there are none.</summary>
    /// <param name="network">The network.</param>
    /// <param name="plan">The settings of its training.</param>
    /// <param name="history">The progress of its training.</param>
    public IReadOnlyList<string> Warnings(Network network, TrainingPlan plan, IReadOnlyList<TrainingProgress> history)
    {
        var (rows, positions, kind) = SelectRows();
        using (positions)
        {
            if (positions.shape[0] == 0)
                return WarningsAgainstTeacher(network, plan, history);
            using var scope = NewDisposeScope();
            using var noGrad = no_grad();
            var logits = Scoring.Logits(network, rows, positions, batchSize);
            var confusion = ClassConfusion.CountLabelled(classes.Count, rows, positions, logits.argmax(1).cpu().data<long>().ToArray());
            var where = Invariant($"on the {positions.shape[0]} {kind} rows checked");
            if (confusion.Level.IsChance && !FollowsTeacher(network))
                return [DescribeCollapse(plan, history, where, confusion, "label")];
            var (_, accuracy, loss) = Scoring.Evaluate(new MulticlassTask(classes.Count), logits, rows, positions);
            var overconfident = logits.softmax(1).amax([1]).mean().item<float>() > accuracy;
            return
            [
                .. NeverPredicted(plan.Role, where, confusion),
                .. loss > confusion.PriorEntropy && confusion.Level.Classes >= 2 ? [DescribeHighLoss(plan.Role, where, loss, confusion.PriorEntropy, overconfident)] : Array.Empty<string>(),
            ];
        }
    }

    private IReadOnlyList<string> WarningsAgainstTeacher(Network network, TrainingPlan plan, IReadOnlyList<TrainingProgress> history) =>
        teacher is not null && CompareWithTeacher(network, teacher) is { Level.IsChance: true } confusion
            ? [DescribeCollapse(plan, history, Invariant($"on {teacher.Predicted.Length} rows that its teacher was queried for"), confusion, "teacher's class")]
            : [];

    /// <summary>Whether the student agrees with its teacher; then it has not collapsed, even if the labels disagree.</summary>
    private bool FollowsTeacher(Network network) =>
        teacher is not null && CompareWithTeacher(network, teacher).Level is { Classes: >= 2, IsChance: false };

    private ClassConfusion CompareWithTeacher(Network network, TeacherPredictions answers)
    {
        using var scope = NewDisposeScope();
        var positions = tensor(answers.Positions, device: set.Device);
        var predicted = Scoring.Predictions(network, set, positions, batchSize);
        return ClassConfusion.Count(classes.Count, answers.Predicted, predicted);
    }

    private (IRowSource Rows, Tensor Positions, string Kind) SelectRows()
    {
        if (split.Validation is { } held && SelectLabelled(split.ValidationSet, held) is var some && some.shape[0] > 0)
            return (split.ValidationSet, some, "held-out");
        return (set, SelectLabelled(set, split.Training), "training");
    }

    private static Tensor SelectLabelled(IRowSource rows, Tensor positions)
    {
        using var scope = NewDisposeScope();
        var labelled = positions.index_select(0, rows.Labels.index_select(0, positions).IsNotEqualTo(IRowSource.MissingLabel).nonzero().reshape(-1));
        return (labelled.shape[0] == 0 ? labelled : labelled.index_select(0, SpreadPositions.Create(labelled.shape[0], MaxRows, labelled.device))).DetachFromDisposeScope();
    }

    /// <summary>Warns of frequent classes that the network never predicts; for a rare class this is expected.</summary>
    private IEnumerable<string> NeverPredicted(string role, string where, ClassConfusion confusion)
    {
        int[] never = [.. confusion.Present.Except(confusion.Predicted).Where(c => confusion.RowsOf(c) >= confusion.Total / confusion.Classes / 2)];
        var rows = never.Sum(confusion.RowsOf);
        if (never.Length > 0)
        {
            yield return Invariant(
                $"The {role} never predicts {ClassNameChecks.NamesOf(never, classes)} {where}, although {rows:0.##} of these rows {(rows == 1 ? "has" : "have")} it. ") +
                "Lower Optimizer.LearningRate if a loss has risen, otherwise train for more epochs or with a larger network.";
        }
    }

    private string DescribeCollapse(TrainingPlan plan, IReadOnlyList<TrainingProgress> history, string where, ClassConfusion confusion, string target)
    {
        var found = confusion.Predicted is [var only]
            ? $"{where} it only predicts '{classes.NameOf(only)}', and the {target} is one of {confusion.Level.Classes}"
            : Invariant($"{where} its accuracy is {confusion.Level}");
        return $"The {plan.Role} has collapsed: {found}. {DescribeCause(plan, history)}";
    }

    private string DescribeCause(TrainingPlan plan, IReadOnlyList<TrainingProgress> history)
    {
        var losses = history.Select(epoch => epoch.Losses.TryGetValue("total", out var total) ? total : epoch.Losses.First(loss => loss.Key != BilevelRun.QuizName).Value).ToList();
        var steps = Invariant($"{NumberText.Count(history.Count, "epoch")} of {Math.Max(1, split.Training.shape[0] / batchSize)} steps");
        var rate = Invariant($"Optimizer.LearningRate is {plan.Optimizer.LearningRate}");
        var decay = plan.Optimizer.WeightDecay * plan.Optimizer.LearningRate;
        if (decay > MaxDecay && plan.Optimizer.WeightDecay > UsualDecay)
        {
            return Invariant($"Each step at the peak rate reduces every weight by {100 * decay:0.##} % (WeightDecay {plan.Optimizer.WeightDecay} times LearningRate ") +
                Invariant($"{plan.Optimizer.LearningRate}), faster than it can learn: lower WeightDecay. 0.01 is usual for AdamW's, 1e-4 for Sgd's.");
        }

        // Only the losses of a single stage can be compared with each other.
        if (history.Count > 0 && history.All(epoch => epoch.Stage == history[0].Stage) && losses.Max() < 1.1 * losses[0])
        {
            return Invariant($"Its loss went from {losses[0]:0.0000} to {losses[^1]:0.0000} in {steps}: ") +
                $"train for more epochs, raise the learning rate ({rate}), or check that the features depend on the class and have similar scales (NormalizeMeanVariance).";
        }

        return $"Usual causes are a learning rate that is too high ({rate}; try a tenth, or set GradientClipping to 1), too few steps ({steps}), and features of very " +
            "different scales (NormalizeMeanVariance).";
    }

    private static string DescribeHighLoss(string role, string where, double loss, double prior, bool overconfident) => Invariant(
        $"The {role}'s cross-entropy {where} is {loss:0.0000} nats, above the {prior:0.0000} of predicting the frequencies of the classes for every row: its probabilities are ") + (overconfident
        ? "far too high for the class it predicts. Lower Optimizer.LearningRate, train for fewer epochs (EarlyStopping with rows held out), or calibrate it."
        : "far too even. Check the teacher's ScoreKind, lower the method's temperature, or train for more epochs.");
}

/// <summary>The classes that a teacher predicted for some rows of a training set.</summary>
/// <param name="Positions">Positions of the rows.</param>
/// <param name="Predicted">The most probable class of each row.</param>
internal sealed record TeacherPredictions(long[] Positions, long[] Predicted);
