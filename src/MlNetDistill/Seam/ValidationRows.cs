using Microsoft.ML;
using Microsoft.ML.Runtime;
using MlNetDistill.Data;
using MlNetDistill.Schema;
using static TorchSharp.torch;

namespace MlNetDistill.Seam;

/// <summary>Holds out rows as the options ask.</summary>
internal static class ValidationRows
{
    /// <exception cref="InvalidOperationException">Nothing is left to train on, or nothing labelled to validate on.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A separate view has other columns than the trainer's input.</exception>
    public static DataSplit Split(ReadRows rows, TrainerColumns columns, DistillationOptions options, Generator generator, IChannel channel)
    {
        var split = Draw(rows, columns, options, generator, channel);
        CheckWeights(split, columns);
        return split;
    }

    private static DataSplit Draw(ReadRows rows, TrainerColumns columns, DistillationOptions options, Generator generator, IChannel channel)
    {
        if (options.ValidationData is { } view)
            return DataSplit.BySet(rows.Set, ReadSeparate(view, columns, options, channel));
        if (rows.Held is { } held)
        {
            CheckMask(rows.Set, held, columns.Validation!.Value.Name);
            return DataSplit.ByMask(rows.Set, held);
        }

        return options.ValidationFraction > 0 ? DataSplit.ByFraction(rows.Set, options.ValidationFraction, generator) : DataSplit.All(rows.Set);
    }

    // Accuracy over no weight at all is 0/0, and no epoch would be better than the first.
    private static void CheckWeights(DataSplit split, TrainerColumns columns)
    {
        if (split.Validation is null || split.ValidationSet.HasLabelledWeight(split.Validation))
            return;
        split.Dispose();
        throw new InvalidOperationException(
            $"Every labelled row held out for validation has weight 0 in column '{columns.Weight!.Value.Name}', so none counts. Hold out rows with a weight above 0.");
    }

    private static void CheckMask(TrainingSet set, bool[] held, string column)
    {
        using var labels = set.Labels.cpu();
        var values = labels.data<long>().ToArray();
        if (!Enumerable.Range(0, held.Length).Any(i => held[i] && values[i] != TrainingSet.MissingLabel))
            throw new InvalidOperationException($"The validation column '{column}' holds out no labelled row; set it true for some rows, or leave it out.");
        if (held.All(h => h))
            throw new InvalidOperationException($"The validation column '{column}' holds out every row; none is left to train on.");
    }

    private static TrainingSet ReadSeparate(IDataView view, TrainerColumns training, DistillationOptions options, IChannel channel)
    {
        TrainerColumns columns;
        try
        {
            columns = TrainerColumns.Find(view.Schema, options);
        }
        catch (ArgumentOutOfRangeException e)
        {
            throw Refused(e.Message, e);
        }

        if (!columns.Features.Type.Equals(training.Features.Type))
            throw Refused($"column '{columns.Features.Name}' is {columns.Features.Type} there and {training.Features.Type} in the training data.");
        if (!columns.Label.Type.Equals(training.Label.Type) || !(columns.Classes.Names ?? []).SequenceEqual(training.Classes.Names ?? []))
            throw Refused($"the label '{columns.Label.Name}' has other classes there than in the training data.");
        var rows = TensorReader.Read(view, columns, options with { MissingLabels = MissingLabels.Drop }, "validation data");
        rows.WarnOfDropped(channel);
        return rows.Set;
    }

    private static ArgumentOutOfRangeException Refused(string why, Exception? inner = null) => new(
        "ValidationData does not have the trainer's input: " + why +
        " It bypasses the pipeline that leads to the trainer, so it must be transformed by the same fitted steps first; " +
        "ValidationFraction and ValidationColumnName do not have this problem.",
        inner);
}
