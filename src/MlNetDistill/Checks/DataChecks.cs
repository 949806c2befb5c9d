using MlNetDistill.Data;
using MlNetDistill.Schema;
using static TorchSharp.torch;

namespace MlNetDistill.Checks;

/// <summary>What a user should know of the rows before anything is trained on them.</summary>
internal static class DataChecks
{
    /// <summary>Each as one sentence or two that name value and remedy.</summary>
    public static IEnumerable<string> Warnings(TrainingSet set, DataSplit split, ClassLabels classes, DistillationOptions options)
    {
        using var scope = NewDisposeScope();
        var labels = set.Labels.index_select(0, split.Training).cpu().data<long>().ToArray();
        if (WithoutRow(labels, classes) is { } missing)
            yield return missing;
    }

    private static string? WithoutRow(long[] labels, ClassLabels classes)
    {
        var present = labels.Where(label => label >= 0).Distinct().Select(label => (int)label).ToHashSet();
        // Where labelled rows are of one class alone, or of none, that is said already.
        if (present.Count <= 1)
            return null;
        int[] missing = [.. Enumerable.Range(0, classes.Count).Where(c => !present.Contains(c))];
        return missing.Length == 0 ? null :
            $"No row trained on is of {(missing.Length == 1 ? "class" : "the classes")} {ClassNameChecks.NamesOf(missing, classes)} ({missing.Length} of {classes.Count}): " +
            "of these the student learns from its teacher's probabilities alone, if at all. Add rows of them, or fit MapValueToKey to the classes there are.";
    }
}
