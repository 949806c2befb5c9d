using Microsoft.ML;
using Microsoft.ML.Runtime;
using MlNetDistill.Core;
using MlNetDistill.Data;
using MlNetDistill.Diagnostics;
using static TorchSharp.torch;

namespace MlNetDistill.Reading;

/// <summary>What one pass over the training data found.</summary>
/// <param name="Set">The rows.</param>
/// <param name="Held">N booleans: whether a row is held out for validation; null without a validation column.</param>
/// <param name="DroppedFeatures">Rows left out for NaN or infinite features.</param>
/// <param name="DroppedLabels">Rows left out for a missing label.</param>
/// <param name="Role">What messages call the data.</param>
internal sealed record ReadRows(IRowSource Set, Tensor? Held, long DroppedFeatures, long DroppedLabels, string Role)
{
    /// <summary>Hash of the columns that a hash was asked of, for the rows in the set; or null.</summary>
    public string? Hash { get; init; }

    /// <summary>What else was left out, each as a number of rows and why.</summary>
    public IReadOnlyList<string> AlsoDropped { get; init; } = [];

    /// <summary>Rows that cannot be read completely; later readers of the data skip them too.</summary>
    public IReadOnlySet<RowId> Unusable { get; init; } = new HashSet<RowId>();

    /// <summary>The class of all labelled rows; null where they are of several or there is none.</summary>
    public string? OnlyClass { get; init; }

    public void WarnOfDropped(IChannel channel)
    {
        if (DroppedFeatures + DroppedLabels + AlsoDropped.Count == 0)
            return;
        var others = string.Concat(AlsoDropped.Select(dropped => $", {dropped}"));
        channel.Warning($"Left out of the {Role}: {DroppedFeatures} rows with NaN or infinite features, {DroppedLabels} without a label{others}.");
    }
}

/// <summary>Columns of whose values a hash is taken on the way.</summary>
/// <param name="Columns">The columns.</param>
/// <param name="RowsLeftOut">Whether rows that do not come into the set are hashed too.</param>
internal sealed record HashedColumns(IReadOnlyList<DataViewSchema.Column> Columns, bool RowsLeftOut);

/// <summary>The one place where cursors become tensors.</summary>
internal static class TensorReader
{
    /// <summary>What messages call the rows that are trained on; other rows may well be of one class.</summary>
    public const string TrainingData = "training data";

    /// <summary>What messages call rows that a teacher is asked about and nothing learns from: they may be without labels.</summary>
    public const string RowsToScore = "rows to score";

    /// <summary>Reads the trainer's columns in one pass.</summary>
    /// <exception cref="InvalidOperationException">The data are empty, or a value is unusable or cannot be read; the message names row and remedy.</exception>
    /// <param name="data">The rows.</param>
    /// <param name="columns">The trainer's columns.</param>
    /// <param name="options">What to do with rows that are not whole.</param>
    /// <param name="role">What messages call the data.</param>
    /// <param name="hashed">Other columns, of whose values a hash is taken on the way; null for no hash.</param>
    /// <param name="teacher">Vectors of the data that the teacher reads: where rows without usable features are left out, so are rows without these.</param>
    public static ReadRows Read(
        IDataView data,
        TrainerColumns columns,
        DistillationOptions options,
        string role = TrainingData,
        HashedColumns? hashed = null,
        IReadOnlyList<TeacherVector>? teacher = null) =>
        UnreadableRow.Named(() =>
        {
            try
            {
                return Pass(leavesOutUnreadable: false);
            }
            catch (ViewReadException) when (options.MissingFeatures == MissingFeatures.Drop)
            {
                // An exception ends a cursor of ML.NET's threads. On one thread it costs one row.
                return Pass(leavesOutUnreadable: true);
            }

            ReadRows Pass(bool leavesOutUnreadable) => columns.IsByte
                ? new TrainingPass<byte>(columns, options, role, hashed, teacher ?? []).Run(data, leavesOutUnreadable)
                : new TrainingPass<float>(columns, options, role, hashed, teacher ?? []).Run(data, leavesOutUnreadable);
        });
}
