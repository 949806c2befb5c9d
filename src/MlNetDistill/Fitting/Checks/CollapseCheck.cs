using MlNetDistill.Alignment;
using MlNetDistill.Core;
using MlNetDistill.Data;
using MlNetDistill.Networks;
using MlNetDistill.Teachers;
using MlNetDistill.Training;
using static System.FormattableString;
using static TorchSharp.torch;

namespace MlNetDistill.Fitting;

/// <summary>Whether a trained network has learnt anything: a collapsed one names one class, or guesses.</summary>
/// <param name="set">The rows.</param>
/// <param name="split">Which of them were trained on and which were held out.</param>
/// <param name="classes">The classes.</param>
/// <param name="batchSize">Rows at a time.</param>
/// <param name="teacher">What the teacher names, or null.</param>
internal sealed class CollapseCheck(IRowSource set, DataSplit split, ClassLabels classes, int batchSize, TeacherPredictions? teacher)
{
    // Enough to tell chance from learning.
    private const int MaxRows = 2048;

    // Of a weight, in a step: usual is a ten-thousandth of it. With a usual decay it is the rate that is too high.
    private const double MaxDecay = 0.01;
    private const double UsualDecay = 0.1;

    /// <summary>What is wrong with the network, each as one sentence or a few; none for nothing.</summary>
    /// <param name="network">The network.</param>
    /// <param name="plan">How it was trained.</param>
    /// <param name="history">How that went.</param>
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

    /// <summary>A student that follows its teacher has learnt, even if the labels disagree.</summary>
    private bool FollowsTeacher(Network network) =>
        teacher is not null && CompareWithTeacher(network, teacher).Level is { Classes: >= 2, IsChance: false };

    private ClassConfusion CompareWithTeacher(Network network, TeacherPredictions answers)
    {
        using var scope = NewDisposeScope();
        var positions = tensor(answers.Positions, device: set.Device);
        var predicted = Scoring.Logits(network, set, positions, batchSize).argmax(1).cpu().data<long>().ToArray();
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

    /// <summary>A frequent class that the network never predicts; for a rare class this is expected.</summary>
    private IEnumerable<string> NeverPredicted(string role, string where, ClassConfusion confusion)
    {
        int[] never = [.. confusion.Present.Except(confusion.Predicted).Where(c => confusion.RowsOf(c) >= confusion.Total / confusion.Classes / 2)];
        if (never.Length > 0)
        {
            yield return Invariant(
                $"The {role} never predicts {ClassNameChecks.NamesOf(never, classes)} {where}, which {never.Sum(confusion.RowsOf):0.##} of them are. ") +
                "It has lost or not yet learnt this: lower Optimizer.LearningRate if a loss has risen, else train for more epochs or with a larger network.";
        }
    }

    private string DescribeCollapse(TrainingPlan plan, IReadOnlyList<TrainingProgress> history, string where, ClassConfusion confusion, string target)
    {
        var found = confusion.Predicted is [var only]
            ? $"{where} it predicts '{classes.NameOf(only)}' alone, and the {target} is one of {confusion.Level.Classes}"
            : Invariant($"{where} its accuracy is {confusion.Level}");
        return $"The {plan.Role} has collapsed: {found}. {DescribeCause(plan, history)}";
    }

    private string DescribeCause(TrainingPlan plan, IReadOnlyList<TrainingProgress> history)
    {
        var losses = history.Select(epoch => epoch.Losses.TryGetValue("total", out var total) ? total : epoch.Losses.Values.Single()).ToList();
        var steps = Invariant($"{NumberText.Count(history.Count, "epoch")} of {Math.Max(1, split.Training.shape[0] / batchSize)} steps");
        var rate = Invariant($"Optimizer.LearningRate is {plan.Optimizer.LearningRate}");
        var decay = plan.Optimizer.WeightDecay * plan.Optimizer.LearningRate;
        if (decay > MaxDecay && plan.Optimizer.WeightDecay > UsualDecay)
        {
            return Invariant($"Each step at the peak rate takes {100 * decay:0.##} % off every weight (WeightDecay {plan.Optimizer.WeightDecay} times LearningRate ") +
                Invariant($"{plan.Optimizer.LearningRate}), faster than it can learn: lower WeightDecay. 0.01 is usual for AdamW's, 1e-4 for Sgd's.");
        }

        // One stage with one loss tells whether it learnt too slowly or too fast.
        if (history.Count > 0 && history.All(epoch => epoch.Stage == history[0].Stage) && losses.Max() < 1.1 * losses[0])
        {
            return Invariant($"Its loss went from {losses[0]:0.0000} to {losses[^1]:0.0000} in {steps}: ") +
                $"train for more epochs, raise the learning rate ({rate}), or look whether the features say anything of the class and are of like scales (NormalizeMeanVariance).";
        }

        return $"Usual causes are a learning rate that is too high ({rate}; try a tenth, or set GradientClipping to 1), too few steps ({steps}), and features of very " +
            "different scales (NormalizeMeanVariance).";
    }

    private static string DescribeHighLoss(string role, string where, double loss, double prior, bool overconfident) => Invariant(
        $"The {role}'s cross-entropy {where} is {loss:0.0000} nats, above the {prior:0.0000} of naming the classes' shares for every row: its probabilities are ") + (overconfident
        ? "far too sure. Lower Optimizer.LearningRate, train for fewer epochs (EarlyStopping with rows held out), or calibrate it."
        : "far too flat. Check the teacher's ScoreKind, lower the method's temperature, or train for more epochs.");
}

/// <summary>The classes that a teacher predicted for some rows of a training set.</summary>
/// <param name="Positions">Which rows.</param>
/// <param name="Predicted">Its most probable class of each.</param>
internal sealed record TeacherPredictions(long[] Positions, long[] Predicted);
