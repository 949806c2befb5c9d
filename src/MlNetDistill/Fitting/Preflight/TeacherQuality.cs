using Microsoft.ML.Runtime;
using MlNetDistill.Alignment;
using MlNetDistill.Core;
using MlNetDistill.Data;
using MlNetDistill.Diagnostics;
using MlNetDistill.Evaluation;
using MlNetDistill.Networks;
using MlNetDistill.Teachers;
using MlNetDistill.Training;
using static System.FormattableString;
using static TorchSharp.torch;

namespace MlNetDistill.Fitting;

/// <summary>Logs how good a teacher is on the training rows, warns of classes that it mistakes or never names, and refuses one that guesses.</summary>
internal static class TeacherQuality
{
    /// <summary>Rows that a teacher that answers live is judged by, at most.</summary>
    public const int LiveRows = 2048;

    /// <summary>Whether a teacher is refused.</summary>
    /// <param name="level">How far above chance it is.</param>
    /// <param name="minimum">The least accuracy that the options ask for; null for the default, better than chance.</param>
    public static bool IsRefused(ChanceLevel level, double? minimum) => minimum is { } least ? level.Accuracy < least : level.IsChance;

    /// <summary>Looks at the teacher's answers to the labelled training rows, or to all rows where none has a label.</summary>
    /// <returns>The classes that it names, for some of the rows.</returns>
    /// <exception cref="InvalidOperationException">The teacher is no better than chance, or than the options ask.</exception>
    public static TeacherPredictions Check(StageTeacher teacher, IRowSource set, ClassLabels classes, DistillationOptions options, IChannel channel)
    {
        using var scope = NewDisposeScope();
        if (set.LabelledRows == 0)
            return CheckWithoutLabels(teacher, set, classes, options, channel);
        var labelled = set.Labels.IsNotEqualTo(IRowSource.MissingLabel).nonzero().reshape(-1);
        // A teacher that answers live may be slow: a part of the rows tells enough.
        var rows = teacher.HasCachedOutputs ? labelled : labelled.index_select(0, SpreadPositions.Create(labelled.shape[0], LiveRows, labelled.device));
        var logits = Scoring.Answers(teacher, ModelOutputs.Logits, set, rows, options.BatchSize);
        Warn(logits, channel);
        var named = logits.argmax(1).cpu().data<long>().ToArray();
        var ceiling = AgreementCeiling.Compute(set, rows, logits);
        var which = rows.shape[0] == labelled.shape[0] ? "the labelled" : $"{rows.shape[0]} of the labelled";
        Judge(ClassConfusion.CountLabelled(set, rows, named), $"{which} training rows", classes, options, channel);
        channel.Info($"A student that sees these features alone can agree with it on at most {ceiling:0.0000} of them.");
        return Sample(rows, named);
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
            "Usually it reads a column that an earlier step of the pipeline changed or that is scaled unlike in its own training, or its ScoreKind or " +
            "class names are wrong. Set MinimumTeacherAccuracy to 0 to use it anyway.");
    }

    /// <summary>What shows of a teacher without labels: how far a student can agree with it, and whether it tells the rows apart at all.</summary>
    private static TeacherPredictions CheckWithoutLabels(StageTeacher teacher, IRowSource set, ClassLabels classes, DistillationOptions options, IChannel channel)
    {
        var rows = SpreadPositions.Create(set.Count, teacher.HasCachedOutputs ? set.Count : LiveRows, set.Labels.device);
        var logits = Scoring.Answers(teacher, ModelOutputs.Logits, set, rows, options.BatchSize);
        Warn(logits, channel);
        var answers = logits.argmax(1).cpu().data<long>().ToArray();
        long[] named = [.. answers.Distinct()];
        var confidence = logits.softmax(1).amax([1]).mean().item<float>();
        channel.Info(
            $"No row has a label to compare the teacher with. On {rows.shape[0]} training rows it predicts {named.Length} of {classes.Count} classes, with a mean confidence of {confidence:0.0000}.");
        channel.Info($"A student that sees these features alone can agree with it on at most {AgreementCeiling.Compute(set, rows, logits):0.0000} of them.");
        if (named is [var only])
        {
            channel.Warning(
                $"The teacher predicts the class '{classes.NameOf((int)only)}' for every one of {rows.shape[0]} rows. Usually it reads a column that an earlier step of the pipeline changed or that is scaled unlike in its own training, or its ScoreKind is wrong.");
        }

        return Sample(rows, answers);
    }

    private static void Warn(Tensor logits, IChannel channel)
    {
        if (ScoreKindCheck.Warning(logits) is { } taken)
            channel.Warning($"{taken}");
    }

    private static TeacherPredictions Sample(Tensor rows, long[] named)
    {
        var kept = SpreadPositions.Create(named.Length, LiveRows, CPU).data<long>().ToArray();
        var positions = rows.cpu().data<long>().ToArray();
        return new([.. kept.Select(at => positions[at])], [.. kept.Select(at => named[at])]);
    }
}
