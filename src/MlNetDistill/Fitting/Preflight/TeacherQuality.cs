using Microsoft.ML.Runtime;
using MlNetDistill.Alignment;
using MlNetDistill.Core;
using MlNetDistill.Data;
using MlNetDistill.Diagnostics;
using MlNetDistill.Evaluation;
using MlNetDistill.Teachers;
using static System.FormattableString;
using static TorchSharp.torch;

namespace MlNetDistill.Fitting;

/// <summary>Logs the teacher's quality on the training rows, warns of confused or missing classes, and throws if the teacher is no better than chance.</summary>
internal static class TeacherQuality
{
    /// <summary>The most rows by which a teacher without cached outputs is judged.</summary>
    public const int LiveRows = 2048;

    /// <summary>Whether a teacher's accuracy is below the minimum; if that is null, whether it is no better than chance.</summary>
    public static bool IsRefused(ChanceLevel level, double? minimum) => minimum is { } least ? level.Accuracy < least : level.IsChance;

    /// <summary>Checks the teacher's outputs for the labelled training rows; for all rows if none has a label.</summary>
    /// <param name="teacher">The teacher.</param>
    /// <param name="set">The rows.</param>
    /// <param name="split">The training rows, the held-out ones, and how many rows at the end of the set were added.</param>
    /// <param name="classes">The classes.</param>
    /// <param name="options">The least accuracy.</param>
    /// <param name="channel">The log.</param>
    /// <returns>Its predictions for some of the rows.</returns>
    /// <exception cref="InvalidOperationException">The teacher is no better than chance, or than the options ask.</exception>
    public static TeacherPredictions Check(
        StageTeacher teacher, IRowSource set, DataSplit split, ClassLabels classes, DistillationOptions options, IChannel channel)
    {
        using var scope = NewDisposeScope();
        if (set.LabelledRows == 0)
            return CheckWithoutLabels(teacher, set, set.Count - split.Added, classes, options, channel);
        var labelled = set.Labels.IsNotEqualTo(IRowSource.MissingLabel).nonzero().reshape(-1);
        // Without cached outputs the teacher may be slow, and some of the rows are enough.
        var rows = teacher.HasCachedOutputs ? labelled : labelled.index_select(0, SpreadPositions.Create(labelled.shape[0], LiveRows, labelled.device));
        var answers = TeacherAnswers.Query(teacher, set, rows, options.BatchSize);
        Warn(answers, channel);
        var named = answers.Predicted;
        var ceiling = AgreementCeiling.Compute(set, rows, named);
        var which = rows.shape[0] == labelled.shape[0] ? "the labelled" : $"{rows.shape[0]} of the labelled";
        Judge(ClassConfusion.CountLabelled(classes.Count, set, rows, named), $"{which} training rows", classes, options, channel);
        JudgeHonestly(set, split, rows, named, options, channel);
        channel.Info($"A student with only these features can reach an agreement of at most {ceiling:0.0000}.");
        return Sample(rows, named);
    }

    /// <summary>Logs its accuracy on the held-out rows among these, if there are any, and how far it can be trusted.</summary>
    private static void JudgeHonestly(IRowSource set, DataSplit split, Tensor rows, long[] predicted, DistillationOptions options, IChannel channel)
    {
        var right = tensor(predicted, device: rows.device).eq(set.Labels.index_select(0, rows));
        var judged = HeldOutAmong(set, split, rows);
        var heldOut = judged.any().item<bool>();
        if (!heldOut)
            judged = ones_like(judged);
        var count = judged.sum().item<long>();
        var accuracy = right.logical_and(judged).sum().item<long>() / (double)count;
        if (heldOut)
            channel.Info($"On the {count} held-out rows among them it is {accuracy:0.0000}.");
        if (SeenRowsText.Describe(options.Teacher!.Seen, heldOut, accuracy, count) is { } caveat)
            channel.Info($"{caveat}");
    }

    /// <summary>Which of some rows are held out, a boolean for each.</summary>
    private static Tensor HeldOutAmong(IRowSource set, DataSplit split, Tensor rows)
    {
        var held = zeros(set.Count, ScalarType.Bool, set.Device);
        if (split.Validation is { } positions && ReferenceEquals(split.ValidationSet, set))
            held = held.scatter(0, positions, ones(positions.shape[0], ScalarType.Bool, set.Device));
        return held.index_select(0, rows);
    }

    private static void Judge(ClassConfusion confusion, string which, ClassLabels classes, DistillationOptions options, IChannel channel)
    {
        var level = confusion.Level;
        channel.Info($"The teacher's accuracy on {which} is {level}.");
        if (!IsRefused(level, options.MinimumTeacherAccuracy))
        {
            foreach (var warning in ClassNameChecks.Warnings(confusion, classes))
                channel.Warning($"{warning}");
            return;
        }

        throw new InvalidOperationException(
            Invariant($"The teacher's accuracy on {which} is {level}, ") +
            (options.MinimumTeacherAccuracy is { } least ? Invariant($"below MinimumTeacherAccuracy, {least:0.0000}. ") : "no better than chance. ") +
            string.Concat(ClassNameChecks.Exchanged(confusion, classes).Select(sentence => $"{sentence} ")) +
            "Usually it reads a column that an earlier step of the pipeline changed or that is scaled differently than in its training, or its ScoreKind or " +
            "class names are wrong. Set MinimumTeacherAccuracy to 0 to use it anyway.");
    }

    /// <summary>Without labels: checks how far a student can agree with the teacher, and whether the teacher predicts more than one class.</summary>
    private static TeacherPredictions CheckWithoutLabels(StageTeacher teacher, IRowSource set, long given, ClassLabels classes, DistillationOptions options, IChannel channel)
    {
        var rows = SpreadPositions.Create(given, teacher.HasCachedOutputs ? given : LiveRows, set.Labels.device);
        var answers = TeacherAnswers.Query(teacher, set, rows, options.BatchSize);
        Warn(answers, channel);
        var predicted = answers.Predicted;
        long[] named = [.. predicted.Distinct()];
        var confidence = answers.MeanConfidence;
        channel.Info(
            $"No row has a label to compare the teacher with. On {rows.shape[0]} training rows it predicts {named.Length} of {classes.Count} classes, with a mean confidence of {confidence:0.0000}.");
        channel.Info($"A student with only these features can reach an agreement of at most {AgreementCeiling.Compute(set, rows, predicted):0.0000}.");
        if (named is [var only])
        {
            channel.Warning(
                $"The teacher predicts the class '{classes.NameOf((int)only)}' for every one of {rows.shape[0]} rows. Usually it reads a column that an earlier step of the pipeline changed or that is scaled differently than in its training, or its ScoreKind is wrong.");
        }

        return Sample(rows, predicted);
    }

    private static void Warn(TeacherAnswers answers, IChannel channel)
    {
        if (answers.KindWarning is { } warning)
            channel.Warning($"{warning}");
    }

    private static TeacherPredictions Sample(Tensor rows, long[] named)
    {
        var kept = SpreadPositions.Create(named.Length, LiveRows, CPU).data<long>().ToArray();
        var positions = rows.cpu().data<long>().ToArray();
        return new([.. kept.Select(i => positions[i])], [.. kept.Select(i => named[i])]);
    }
}
