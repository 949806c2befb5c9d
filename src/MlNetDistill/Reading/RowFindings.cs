namespace MlNetDistill.Reading;

/// <summary>The rows of a pass over the trainer's columns that cannot be used, by what is wrong with them.</summary>
internal sealed class UnusableRows(TrainerColumns columns, DistillationOptions options, string role, IReadOnlyList<TeacherVector> teacher)
{
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

    /// <summary>Whether rows without a label learn from the teacher; that the method asks one, the options have made sure of.</summary>
    public bool NeedsNoLabels => columns.Label is null || options.MissingLabels == MissingLabels.TeacherOnly;

    private string Where => role == TensorReader.TrainingData ? "" : $" of the {role}";

    /// <summary>Refuses data that cannot be used, with all that is wrong with them.</summary>
    /// <param name="rows">The usable rows.</param>
    /// <param name="read">Number of rows read.</param>
    /// <exception cref="InvalidOperationException">The message names rows and remedy.</exception>
    public void Check<T>(CollectedRows<T> rows, long read)
        where T : unmanaged
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
                $"Column '{columns.Features.Name}' must have {columns.Shape.Length} values in every row{Where}, and has not in {OtherLengths} of {read} rows; the first has " +
                $"{OtherLengths.FirstFound}. Correct the steps that make the column, or set MissingFeatures to Drop to leave such rows out.");
        }

        if (!Drops && BadFeatures.Count > 0)
        {
            throw new InvalidOperationException(
                $"Column '{columns.Features.Name}' has NaN or infinite values in {BadFeatures} of {read} rows{Where}. Replace them with " +
                "mlContext.Transforms.ReplaceMissingValues, or set MissingFeatures to Drop to leave such rows out.");
        }

        if (rows.Count == 0)
        {
            throw new InvalidOperationException(
                $"None of the {read} rows of the {role} is usable: {(NeedsNoLabels ? "" : $"{NoLabels.Count} have no label in column '{columns.Label!.Value.Name}', ")}" +
                $"{BadFeatures.Count} have NaN or infinite values in column '{columns.Features.Name}'{string.Concat(AlsoDropped().Select(dropped => $", {dropped}"))}. " +
                $"Check the steps that make these columns.{(NeedsNoLabels || NoLabels.Count == 0 ? "" : " Rows without a label learn from the teacher with MissingLabels.TeacherOnly.")}");
        }

        if (role != TensorReader.RowsToScore)
            CheckClasses(rows);
    }

    /// <summary>What was left out beside rows with bad features or without a label, each as a number of rows and why.</summary>
    public List<string> AlsoDropped()
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

    private void CheckClasses<T>(CollectedRows<T> rows)
        where T : unmanaged
    {
        if (!(NeedsNoLabels ? rows.HasWeight : rows.HasLabelledWeight))
        {
            throw new InvalidOperationException(
                $"Column '{columns.Weight!.Value.Name}' gives every {(NeedsNoLabels ? "" : "labelled ")}row of the {role} weight 0, so nothing counts. " +
                $"Give some {(NeedsNoLabels ? "" : "labelled ")}rows a weight above 0, or leave out ExampleWeightColumnName.");
        }

        // Other classes may be among the rows that learn from the teacher.
        if (role == TensorReader.TrainingData && rows.OnlyClass is { } only && !rows.HasMissingLabels)
        {
            throw new InvalidOperationException(
                $"Every labelled row is of class '{only}' (column '{columns.Label!.Value.Name}'); " +
                "a classifier needs rows of at least 2 classes. " +
                "Check the filter or the sampling that the rows come from.");
        }
    }
}
