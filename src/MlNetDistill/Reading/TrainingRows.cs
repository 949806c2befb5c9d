using Microsoft.ML;
using MlNetDistill.Core;
using MlNetDistill.Data;
using static TorchSharp.torch;

namespace MlNetDistill.Reading;

/// <summary>The usable rows of a data view, as tensors.</summary>
/// <param name="Set">The rows.</param>
/// <param name="Held">N booleans: whether a row is held out for validation; null without a validation column.</param>
/// <param name="Findings">What was found in the rows, usable or not.</param>
internal sealed record TrainingRows(IRowSource Set, Tensor? Held, RowFindings Findings)
{
    /// <summary>What messages call the rows that are trained on; only these must be of several classes.</summary>
    public const string TrainingData = "training data";

    /// <summary>What messages call rows that only a teacher scores: they may all be without labels.</summary>
    public const string RowsToScore = "rows to score";

    /// <summary>Hash of the columns to hash, for the rows in the set; null for none.</summary>
    public string? Hash { get; init; }

    /// <summary>Rows that cannot be read completely; later readers of the data must skip them too.</summary>
    public required IReadOnlySet<RowId> Unusable { get; init; }

    /// <summary>Reads the trainer's columns in one pass.</summary>
    /// <param name="data">The rows.</param>
    /// <param name="columns">The trainer's columns.</param>
    /// <param name="options">What to do with rows that are not whole.</param>
    /// <param name="role">What messages call the data.</param>
    /// <param name="hashed">Other columns whose values are hashed in the same pass; null for none.</param>
    /// <param name="teacher">Vectors of the data that the teacher reads: if rows without usable features are left out, so are rows without these.</param>
    /// <exception cref="InvalidOperationException">The data are empty, or a value is unusable or cannot be read; the message names row and remedy.</exception>
    public static TrainingRows Read(
        IDataView data,
        TrainerColumns columns,
        DistillationOptions options,
        string role = TrainingData,
        HashedColumns? hashed = null,
        IReadOnlyList<TeacherColumn>? teacher = null) =>
        UnreadableRow.LocateFailure(() =>
        {
            try
            {
                return columns.IsByte ? Run<byte>(leavesOutUnreadable: false) : Run<float>(leavesOutUnreadable: false);
            }
            catch (ViewReadException) when (options.MissingFeatures == MissingFeatures.Drop)
            {
                // An exception ends a cursor of ML.NET's threads. On one thread it costs one row.
                return columns.IsByte ? Run<byte>(leavesOutUnreadable: true) : Run<float>(leavesOutUnreadable: true);
            }

            TrainingRows Run<T>(bool leavesOutUnreadable)
                where T : unmanaged
            {
                using var pass = new TrainingPass<T>(columns, options, role, hashed, teacher ?? [], data.GetRowCount());
                return pass.Run(data, leavesOutUnreadable);
            }
        });
}

/// <summary>Columns whose values are hashed while the rows are read.</summary>
/// <param name="Columns">The columns.</param>
/// <param name="RowsLeftOut">Whether rows that do not come into the set are hashed too.</param>
internal sealed record HashedColumns(IReadOnlyList<DataViewSchema.Column> Columns, bool RowsLeftOut);
