using Microsoft.ML.Runtime;
using MlNetDistill.Data;
using MlNetDistill.Diagnostics;

namespace MlNetDistill.Reading;

/// <summary>What a pass over the trainer's columns found: how many rows are usable, and what is wrong with the others.</summary>
internal sealed class RowFindings(TrainerColumns columns, DistillationOptions options, string role, IReadOnlyList<TeacherColumn> teacher)
{
    private readonly HashSet<long> _classes = [];
    private long _usable;
    private bool _hasMissingLabels;
    private bool _hasWeight;
    private bool _hasLabelledWeight;

    /// <summary>Rows with NaN or infinite features.</summary>
    public RowFaults BadFeatures { get; } = new();

    /// <summary>Rows with another number of features.</summary>
    public RowFaults OtherLengths { get; } = new();

    /// <summary>Rows without a vector that the teacher reads.</summary>
    public RowFaults NoTeacherVectors { get; } = new();

    /// <summary>Rows without a label.</summary>
    public RowFaults NoLabels { get; } = new();

    /// <summary>Rows that a step before cannot compute.</summary>
    public RowFaults Unreadable { get; } = new();

    /// <summary>Whether rows without usable features are left out.</summary>
    public bool Drops => options.MissingFeatures == MissingFeatures.Drop;

    /// <summary>Whether rows without a label are kept, to learn from the teacher; the options guarantee that the method uses one.</summary>
    public bool NeedsNoLabels => columns.Label is null || options.MissingLabels == MissingLabels.TeacherOnly;

    /// <summary>The class of all labelled rows; null if they are of several classes or there is none.</summary>
    private string? OnlyClass => _classes.Count == 1 ? columns.Classes.NameOf((int)_classes.Single()) : null;

    private string Where => role == TrainingRows.TrainingData ? "" : $" of the {role}";

    /// <summary>Counts a usable row.</summary>
    /// <param name="label">Its class, or <see cref="IRowSource.MissingLabel"/>.</param>
    /// <param name="weight">Its weight, 1 without a column of weights.</param>
    public void AddUsable(long label, float weight)
    {
        _usable++;
        if (label == IRowSource.MissingLabel)
            _hasMissingLabels = true;
        else if (_classes.Count < 2)
            _classes.Add(label);
        _hasWeight |= weight > 0;
        _hasLabelledWeight |= weight > 0 && label != IRowSource.MissingLabel;
    }

    /// <summary>Throws if the data cannot be used.</summary>
    /// <param name="read">Number of rows read.</param>
    /// <exception cref="InvalidOperationException">The message names rows and remedy.</exception>
    public void Check(long read)
    {
        if (read == 0)
            throw new InvalidOperationException($"The {role} have no rows. Check the file or the filter that they come from.");
        if (options.MissingLabels == MissingLabels.Error && NoLabels.Count > 0)
        {
            throw new InvalidOperationException(
                $"Column '{columns.Label!.Value.Name}' has no label in {NoLabels} of {read} rows{Where}. Set MissingLabels to Drop to leave such rows out, " +
                "or to TeacherOnly to let them learn from the teacher alone.");
        }

        if (!Drops && OtherLengths.Count > 0)
        {
            throw new InvalidOperationException(
                $"Column '{columns.Features.Name}' must have {columns.Shape.Length} values in every row{Where}; it has another number in {OtherLengths} of {read} rows; the first has " +
                $"{OtherLengths.FirstFound}. Correct the steps that make the column, or set MissingFeatures to Drop to leave such rows out.");
        }

        if (!Drops && BadFeatures.Count > 0)
        {
            throw new InvalidOperationException(
                $"Column '{columns.Features.Name}' has NaN or infinite values in {BadFeatures} of {read} rows{Where}. Replace them with " +
                "mlContext.Transforms.ReplaceMissingValues, or set MissingFeatures to Drop to leave such rows out.");
        }

        if (_usable == 0)
        {
            throw new InvalidOperationException(
                $"None of the {read} rows of the {role} is usable: {(NeedsNoLabels ? "" : $"{NoLabels.Count} have no label in column '{columns.Label!.Value.Name}', ")}" +
                $"{BadFeatures.Count} have NaN or infinite values in column '{columns.Features.Name}'{string.Concat(AlsoDropped().Select(dropped => $", {dropped}"))}. " +
                $"Check the steps that make these columns.{(NeedsNoLabels || NoLabels.Count == 0 ? "" : " Rows without a label learn from the teacher with MissingLabels.TeacherOnly.")}");
        }

        if (role != TrainingRows.RowsToScore)
            CheckClasses();
    }

    /// <summary>Warns of rows that were left out, and of training rows that all have the same class.</summary>
    /// <param name="channel">The log.</param>
    /// <param name="notJudged">Rows without a label that are not used although they are in the set.</param>
    public void Warn(IChannel channel, long notJudged = 0)
    {
        var withoutLabel = notJudged + (options.MissingLabels == MissingLabels.Drop ? NoLabels.Count : 0);
        var others = AlsoDropped();
        if (BadFeatures.Count + withoutLabel + others.Count > 0)
        {
            channel.Warning(
                $"Left out of the {role}: {BadFeatures.Count} rows with NaN or infinite features, {withoutLabel} without a label{string.Concat(others.Select(dropped => $", {dropped}"))}.");
        }

        if (role == TrainingRows.TrainingData && OnlyClass is { } only)
            channel.Warning($"Every labelled row is of class '{only}'; the student learns other classes from the teacher alone.");
    }

    /// <summary>What was left out other than rows with bad features or without a label, each as a number of rows and why.</summary>
    private List<string> AlsoDropped()
    {
        var dropped = new List<string>();
        if (OtherLengths.Count > 0)
            dropped.Add($"{OtherLengths} have another number of values than {columns.Shape.Length} in column '{columns.Features.Name}'");
        if (Unreadable.Count > 0)
            dropped.Add($"{Unreadable} cannot be read, the first for {Unreadable.FirstFound}");
        if (NoTeacherVectors.Count > 0)
            dropped.Add($"{NoTeacherVectors} have no whole values in {string.Join(" or ", teacher.Select(t => $"'{t.Column.Name}'"))}, which the teacher reads");
        return dropped;
    }

    private void CheckClasses()
    {
        if (!(NeedsNoLabels ? _hasWeight : _hasLabelledWeight))
        {
            throw new InvalidOperationException(
                $"Column '{columns.Weight!.Value.Name}' gives every {(NeedsNoLabels ? "" : "labelled ")}row of the {role} weight 0, so no row counts. " +
                $"Give some {(NeedsNoLabels ? "" : "labelled ")}rows a weight above 0, or leave out ExampleWeightColumnName.");
        }

        // Other classes may be among the rows that learn from the teacher.
        if (role == TrainingRows.TrainingData && OnlyClass is { } only && !_hasMissingLabels)
        {
            throw new InvalidOperationException(
                $"Every labelled row is of class '{only}' (column '{columns.Label!.Value.Name}'); " +
                "a classifier needs rows of at least 2 classes. " +
                "Check the filter or the sampling that the rows come from.");
        }
    }
}
