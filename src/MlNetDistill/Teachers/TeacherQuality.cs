using Microsoft.ML.Runtime;
using MlNetDistill.Data;
using MlNetDistill.Networks;
using MlNetDistill.Schema;
using MlNetDistill.Seam;
using MlNetDistill.Training;
using static System.FormattableString;
using static TorchSharp.torch;

namespace MlNetDistill.Teachers;

/// <summary>Logs how good a teacher is on the training rows, and refuses one that guesses.</summary>
internal static class TeacherQuality
{
    /// <summary>Share of the way from chance to certainty that a teacher must be above chance.</summary>
    private const double Margin = 0.05;

    /// <summary>Rows that a teacher that answers live is judged by, at most.</summary>
    public const int LiveRows = 2048;

    /// <summary>The accuracy below which a teacher of so many classes most likely reads the wrong thing.</summary>
    public static double LeastByDefault(int classes) => (1.0 / classes) + (Margin * (1 - (1.0 / classes)));

    /// <exception cref="InvalidOperationException">The teacher is no better than chance, or than the options ask.</exception>
    public static void Check(StageTeacher teacher, TrainingSet set, ClassLabels classes, DistillationOptions options, IChannel channel)
    {
        using var scope = NewDisposeScope();
        if (set.LabelledRows == 0)
        {
            LookWithoutLabels(teacher, set, classes, options, channel);
            return;
        }

        var labelled = set.Labels.IsUnequalTo(TrainingSet.MissingLabel).nonzero().reshape(-1);
        // A teacher that answers live may be slow: a part of the rows tells enough.
        var rows = teacher.LooksUp ? labelled : labelled.index_select(0, Spread.Over((int)labelled.shape[0], LiveRows, labelled.device));
        var logits = Scoring.Answers(teacher, OutputKinds.Logits, set, rows, options.BatchSize);
        var (accuracy, _) = Scoring.Quality(logits, set, rows);
        var chance = 1.0 / classes.Count;
        var ceiling = AgreementCeiling.Of(set, rows, logits);
        var which = rows.shape[0] == labelled.shape[0] ? "the labelled" : $"{rows.shape[0]} of the labelled";
        channel.Info($"The teacher's accuracy on {which} training rows is {accuracy:0.0000} (chance {chance:0.0000}).");
        channel.Info($"A student that sees these features alone can agree with it on at most {ceiling:0.0000} of them.");
        var least = options.MinimumTeacherAccuracy ?? LeastByDefault(classes.Count);
        if (accuracy >= least)
            return;
        throw new InvalidOperationException(
            Invariant($"The teacher's accuracy on {which} training rows is {accuracy:0.0000}, below {least:0.0000} (chance is {chance:0.0000}). ") +
            "Usually it reads a column that an earlier step of the pipeline changed or that is scaled unlike in its own training, or its ScoreKind or " +
            "class names are wrong. Set MinimumTeacherAccuracy to 0 to learn from it all the same.");
    }

    /// <summary>What shows of a teacher without labels: how far a student can agree with it, and whether it tells the rows apart at all.</summary>
    private static void LookWithoutLabels(StageTeacher teacher, TrainingSet set, ClassLabels classes, DistillationOptions options, IChannel channel)
    {
        var rows = Spread.Over(set.Count, teacher.LooksUp ? set.Count : LiveRows, set.Labels.device);
        var logits = Scoring.Answers(teacher, OutputKinds.Logits, set, rows, options.BatchSize);
        long[] named = [.. logits.argmax(1).cpu().data<long>().ToArray().Distinct()];
        var confidence = logits.softmax(1).amax([1]).mean().item<float>();
        channel.Info(
            $"No row has a label to judge the teacher by. On {rows.shape[0]} training rows it names {named.Length} of {classes.Count} classes, with a mean confidence of {confidence:0.0000}.");
        channel.Info($"A student that sees these features alone can agree with it on at most {AgreementCeiling.Of(set, rows, logits):0.0000} of them.");
        if (named is [var only])
        {
            channel.Warning(
                $"The teacher names the class '{classes.NameOf((int)only)}' for every one of {rows.shape[0]} rows. Usually it reads a column that an earlier step of the pipeline changed or that is scaled unlike in its own training, or its ScoreKind is wrong.");
        }
    }
}
