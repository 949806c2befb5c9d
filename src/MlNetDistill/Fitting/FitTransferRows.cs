using System.Diagnostics;
using Microsoft.ML;
using Microsoft.ML.Runtime;
using MlNetDistill.Core;
using MlNetDistill.Data;
using MlNetDistill.Diagnostics;
using MlNetDistill.Reading;
using MlNetDistill.Teachers;
using static System.FormattableString;
using static TorchSharp.torch;

namespace MlNetDistill.Fitting;

/// <summary>Makes the transfer rows of a fit.</summary>
/// <param name="context">ML.NET's context.</param>
/// <param name="channel">The log.</param>
/// <param name="options">The settings of the fit.</param>
/// <param name="columns">The trainer's columns.</param>
/// <param name="data">The rows of the fit.</param>
/// <param name="seeds">The run's seeds.</param>
internal sealed class FitTransferRows(MLContext context, IChannel channel, DistillationOptions options, TrainerColumns columns, IDataView data, Seeds seeds)
{
    private const string Role = "transfer rows";
    private readonly ViewSteps _steps = new(data);

    /// <summary>The rows with the loaded columns, before the steps that lead to the trainer.</summary>
    /// <param name="block">Which rows.</param>
    /// <param name="number">The number of the block among those of the fit.</param>
    /// <param name="set">The rows of the fit.</param>
    /// <param name="split">Which of them are trained on; rows are made from these alone.</param>
    /// <exception cref="InvalidOperationException">The rows cannot be made; the message says why and what to do.</exception>
    public IDataView Make(TransferBlock block, int number, IRowSource set, DataSplit split)
    {
        var (root, missing) = (_steps.Root, FindLabelInputs());
        var needed = FindInputs(missing);
        IDataView rows = block.Part is MadeUpRows made
            ? MakeUp(made, block.Kind, needed, missing, set, split)
            : new OwnRows(((OwnTransferRows)block.Part).Unlabelled, root.Schema, needed, missing);
        return new JoinedView(root.Schema, [rows], TransferRowIds.TagOf(number));
    }

    /// <summary>The rows after the steps that lead to the trainer, and the student's features of them.</summary>
    /// <param name="made">What <see cref="Make"/> gave.</param>
    /// <param name="hashed">Columns that are hashed; null for none.</param>
    /// <param name="teacher">Vectors that the teacher reads.</param>
    public (IDataView View, TrainingRows Rows) Read(IDataView made, HashedColumns? hashed, IReadOnlyList<TeacherColumn> teacher)
    {
        // As columns are named by their index, the view needs the very schema of the data.
        IDataView view = new JoinedView(data.Schema, [_steps.Apply(context, made)]);
        // Of a missing Boolean or whole number, which is a default, the steps make a class.
        if (columns.Label is { } label)
            view = new WithoutColumn(view, label);
        var rows = TrainingRows.Read(view, columns with { Label = null, Weight = null, Validation = null }, options, Role, hashed, teacher);
        rows.Findings.Warn(channel);
        return (rows.Unusable.Count == 0 ? view : new FilteredRows(view, id => !rows.Unusable.Contains(id), onOneThread: true), rows);
    }

    private HashSet<int> FindLabelInputs()
    {
        DataViewSchema.Column?[] notRead = [columns.Label, columns.Weight, columns.Validation];
        return [.. _steps.FindInputs(notRead.OfType<DataViewSchema.Column>()).Except(_steps.FindInputs([columns.Features]))];
    }

    /// <summary>The loaded columns that the student's features or the teacher's inputs are made from; all others too where these are unknown.</summary>
    private HashSet<int> FindInputs(HashSet<int> missing)
    {
        var (root, schema) = (_steps.Root.Schema, data.Schema);
        if (options.Teacher!.InputsIn(schema) is { } inputs)
            return [.. _steps.FindInputs([columns.Features, .. inputs])];
        return [.. root.Where(c => !c.IsHidden && !missing.Contains(c.Index)).Select(c => c.Index).Union(_steps.FindInputs([columns.Features]))];
    }

    private MadeUpView MakeUp(MadeUpRows settings, int kind, HashSet<int> inputs, HashSet<int> missing, IRowSource set, DataSplit split)
    {
        CheckScores(inputs);
        CheckNames(settings);
        var clock = Stopwatch.StartNew();
        var (root, seed) = (_steps.Root, seeds.DeriveInteger(kind == 0 ? Role : Invariant($"{Role} {kind}")));
        var ids = FindParents(set, split);
        var parents = new FilteredRows(root, ids.Contains);
        var mixed = root.Schema.Where(c => inputs.Contains(c.Index) && !settings.FixedColumns.Contains(c.Name));
        var rows = ParentRows.Read(parents, mixed, settings.CategoricalColumns, options.CancellationToken);
        CheckParents(settings, rows, ids.Count);
        var plan = new MadeUpPlan(settings, rows.Ids, seed);
        var rule = MixRules.Prepare(settings, rows, plan.Used, seed, options.CancellationToken);
        channel.Info($"Making up {plan.Count} rows from {rows.Count} training rows ({rows.Attributes} attributes in {rows.Columns.Count} columns); {clock.Elapsed.TotalSeconds:0.0} s to prepare.");
        return new MadeUpView(parents, rows, plan, rule, seed, missing.Except(inputs).ToHashSet());
    }

    private HashSet<RowId> FindParents(IRowSource set, DataSplit split)
    {
        using var scope = NewDisposeScope();
        var positions = split.Given.cpu().data<long>().ToArray();
        var weights = set.Weights?.index_select(0, split.Given).cpu().data<float>().ToArray();
        var own = positions.Index().Where(p => weights?[p.Index] is null or > 0).Select(p => set.RowIds[p.Item]).ToHashSet();
        return _steps.FindRootIds(own);
    }

    private void CheckParents(MadeUpRows settings, ParentRows rows, int expected)
    {
        if (rows.Count < expected)
        {
            throw new InvalidOperationException(
                $"TransferRows: only {rows.Count} of {expected} training rows are found among the loaded rows, because a step before the trainer numbers its rows anew. " +
                "Leave out such steps (bootstrap samples, for example), or make the rows of your own and give them by TransferRows.From.");
        }

        if (rows.Count < 2)
            throw new InvalidOperationException($"TransferRows: rows are made up from at least 2 training rows, and there is {rows.Count}. Leave TransferRows out.");
        if (rows.Attributes == 0 || (rows.Attributes == 1 && !rows.Columns[0].IsNumeric))
        {
            throw new InvalidOperationException(
                $"TransferRows: there is nothing to mix: the student and the teacher read {DescribeInputs(rows, settings)}, and rows are made up from numbers, or from at least two categories. " +
                "Give rows of your own by TransferRows.From, or leave TransferRows out.");
        }
    }

    private static string DescribeInputs(ParentRows rows, MadeUpRows settings) => rows.Columns.Count == 1
        ? $"only the column '{rows.Columns[0].Column.Name}' ({rows.Columns[0].Column.Type})"
        : $"no column of numbers, keys, text or Booleans{(settings.FixedColumns.Count > 0 ? " that is not in FixedColumns" : "")}";

    /// <summary>Scores that were loaded with the data cannot be computed for other rows.</summary>
    private void CheckScores(HashSet<int> inputs)
    {
        foreach (var scores in options.Teacher!.VectorsRead(data.Schema).Where(vector => vector.HoldsScores))
        {
            if (_steps.Root.Schema.GetColumnOrNull(scores.Column.Name) is not { } loaded || !inputs.Contains(loaded.Index))
                continue;
            throw new InvalidOperationException(
                $"TransferRows: the teacher's {(options.Teacher is RowsTeacher ? "embeddings" : "scores")} in column '{scores.Column.Name}' were loaded with the data, so it cannot be asked for rows that are made up. Use the model " +
                $"itself ({(options.Teacher is RowsTeacher ? nameof(EmbeddingTeacher) : nameof(Teacher))}.FromTransformer, FromOnnx), or give rows of your own that have the column by TransferRows.From.");
        }
    }

    private void CheckNames(MadeUpRows settings)
    {
        foreach (var (list, name) in settings.FixedColumns.Select(name => (nameof(settings.FixedColumns), name)).Concat(settings.CategoricalColumns.Select(name => (nameof(settings.CategoricalColumns), name))))
        {
            if (_steps.Root.Schema.GetColumnOrNull(name) is null)
            {
                throw new InvalidOperationException(
                    $"TransferRows.{list} names '{name}', and the loaded rows have no such column. They have {string.Join(", ", _steps.Root.Schema.Where(c => !c.IsHidden).Select(c => $"'{c.Name}'"))}.");
            }
        }
    }
}
