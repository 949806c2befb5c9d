using Microsoft.ML;
using Microsoft.ML.Runtime;
using MlNetDistill.Core;
using MlNetDistill.Data;
using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace MlNetDistill.Reading;

/// <summary>Splits the rows into training and validation rows, as the options say.</summary>
internal static class ValidationRows
{
    /// <exception cref="InvalidOperationException">No row is left to train on, or the held-out rows have neither labels nor teacher outputs.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A separate view has other columns than the trainer's input.</exception>
    public static DataSplit Split(TrainingRows rows, TrainerColumns columns, DistillationOptions options, Generator generator, IChannel channel)
    {
        var split = Draw(rows, columns, options, generator, channel);
        try
        {
            CheckHeldOut(split, rows.Set, columns, options);
        }
        catch
        {
            split.Dispose();
            throw;
        }

        return split;
    }

    /// <summary>Whether held-out rows have no labels to judge the student by, so that its agreement with the teacher takes the place of accuracy.</summary>
    public static bool AreJudgedByTeacher(DataSplit split) => split.Validation is { } held && !split.ValidationSet.HasLabelledWeight(held);

    private static DataSplit Draw(TrainingRows rows, TrainerColumns columns, DistillationOptions options, Generator generator, IChannel channel)
    {
        if (options.ValidationData is { } view)
            return DataSplit.BySet(rows.Set, ReadSeparate(view, columns, options, channel));
        if (rows.Held is { } held)
        {
            using var mask = held;
            CheckMask(rows.Set, held, columns.Validation!.Value.Name, options);
            return DataSplit.ByMask(rows.Set, held);
        }

        return options.ValidationFraction > 0 ? DataSplit.ByFraction(rows.Set, options.ValidationFraction, generator) : DataSplit.All(rows.Set);
    }

    // Without any weight, accuracy and agreement are 0/0, and no epoch would be better than the first.
    private static void CheckHeldOut(DataSplit split, IRowSource set, TrainerColumns columns, DistillationOptions options)
    {
        if (!AreJudgedByTeacher(split))
            return;
        var (rows, held) = (split.ValidationSet, split.Validation!);
        if (rows.HasLabel(held) || !rows.HasWeight(held))
        {
            throw new InvalidOperationException(
                $"Every {(rows.HasLabel(held) ? "labelled " : "")}row held out for validation has weight 0 in column '{columns.Weight!.Value.Name}', so none counts. " +
                "Hold out rows with a weight above 0.");
        }

        if (!ReferenceEquals(rows, set) && !options.Teacher!.SupportsAugmentation)
        {
            throw new InvalidOperationException(
                "No row of the validation data has a label, so the student would be judged by its agreement with the teacher, and this teacher " +
                $"({options.Teacher.Name}) has outputs for the training data only. Hold rows of these out with ValidationFraction or ValidationColumnName, or give labelled rows.");
        }
    }

    private static void CheckMask(IRowSource set, Tensor held, string column, DistillationOptions options)
    {
        using var scope = NewDisposeScope();
        var byTeacher = options.Method.TeacherNeeds != ModelOutputs.None;
        var judged = byTeacher ? held : held.logical_and(set.Labels.cpu().IsNotEqualTo(IRowSource.MissingLabel));
        if (!judged.any().item<bool>())
        {
            throw new InvalidOperationException(
                $"The validation column '{column}' holds out no {(byTeacher ? "" : "labelled ")}row; set it true for some rows, or leave it out.");
        }

        if (held.all().item<bool>())
            throw new InvalidOperationException($"The validation column '{column}' holds out every row; none is left to train on.");
    }

    private static IRowSource ReadSeparate(IDataView view, TrainerColumns training, DistillationOptions options, IChannel channel)
    {
        TrainerColumns columns;
        try
        {
            columns = TrainerColumns.Find(view.Schema, options, training.ClassKey);
        }
        catch (ArgumentOutOfRangeException e)
        {
            throw CreateError(e.Message, e);
        }

        if (!columns.Features.Type.Equals(training.Features.Type))
            throw CreateError($"column '{columns.Features.Name}' is {columns.Features.Type} there and {training.Features.Type} in the training data.");
        if (!columns.ClassKey.Type.Equals(training.ClassKey.Type) || !(columns.Classes.Names ?? []).SequenceEqual(training.Classes.Names ?? []))
            throw CreateError($"the label '{columns.ClassKey.Name}' has other classes there than in the training data.");
        var keeps = options.MissingLabels == MissingLabels.TeacherOnly;
        var rows = TrainingRows.Read(view, columns, options with { MissingLabels = keeps ? MissingLabels.TeacherOnly : MissingLabels.Drop }, "validation data");
        // If some rows have labels, only these are used for validation.
        var unlabelled = keeps ? rows.Set.Count - rows.Set.LabelledRows : 0;
        rows.Findings.Warn(channel, unlabelled < rows.Set.Count ? unlabelled : 0);
        return rows.Set;
    }

    private static ArgumentOutOfRangeException CreateError(string why, Exception? inner = null) => new(
        "ValidationData does not have the trainer's input: " + why +
        " It bypasses the pipeline that leads to the trainer, so it must be transformed by the same fitted steps first; " +
        "ValidationFraction and ValidationColumnName do not have this problem.",
        inner);
}
