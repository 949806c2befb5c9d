using System.Diagnostics;
using Microsoft.ML;
using MlNetDistill.Core;
using MlNetDistill.Data;
using MlNetDistill.Diagnostics;
using MlNetDistill.Reading;
using static TorchSharp.torch;

namespace MlNetDistill.Fitting;

/// <summary>The rows of a fit: those of the data, the transfer rows that are added to them, and which of them are trained on.</summary>
/// <param name="context">Applies the steps before the trainer to transfer rows.</param>
/// <param name="channel">The log.</param>
/// <param name="options">The settings of the fit.</param>
/// <param name="columns">The trainer's columns.</param>
/// <param name="seeds">The run's seeds.</param>
/// <param name="input">The data.</param>
internal sealed class FitRows(MLContext context, WarningChannel channel, DistillationOptions options, TrainerColumns columns, Seeds seeds, IDataView input) : IDisposable
{
    private readonly IDataView _input = RepeatedRows.CompareColumns(input, new[] { columns.Features, columns.Label }.OfType<DataViewSchema.Column>());
    private readonly List<IDataView> _transfer = [];
    private readonly List<AddedBlock> _blocks = [];
    private HashSet<RowId> _judging = [];
    private IDataView? _data;

    /// <summary>The data, without rows that cannot be read.</summary>
    public IDataView Given => _data ?? _input;

    /// <summary>The transfer rows after the steps before the trainer; null for none.</summary>
    public IDataView? Transfer => _transfer.Count == 0 ? null : new JoinedView(Given.Schema, _transfer);

    /// <summary>The data and the transfer rows.</summary>
    public IDataView View => _transfer.Count == 0 ? Given : new JoinedView(Given.Schema, [Given, .. _transfer]);

    /// <summary>The rows as tensors: those of the data, then the transfer rows.</summary>
    public IRowSource Set { get; private set; } = null!;

    /// <summary>Which of them are trained on, and which are held out.</summary>
    public DataSplit Split { get; private set; } = null!;

    /// <summary>The transfer rows among them.</summary>
    public IReadOnlyList<AddedBlock> Blocks => _blocks;

    /// <summary>A hash of the columns that the teacher reads; null if nothing is kept for later runs.</summary>
    public string? TeacherData { get; private set; }

    /// <summary>A hash of the transfer rows, which a cache's key does not name; null without such a key.</summary>
    public string? TransferHash { get; private set; }

    /// <summary>Ids of the rows of the data that are held out, to choose or to judge by; those in a view of their own are not among the data.</summary>
    public HashSet<RowId> HeldOutIds => Split.Validation is { } held && ReferenceEquals(Split.ValidationSet, Set) ? [.. IdsOf(held), .. _judging] : [.. _judging];

    /// <summary>Reads the data and divides them into rows to train on and rows that are held out.</summary>
    /// <param name="role">What messages call the data.</param>
    /// <exception cref="InvalidOperationException">The data are empty, or a value is unusable or cannot be read; the message names row and remedy.</exception>
    public void Read(string role)
    {
        var rows = TrainingRows.Read(_input, columns, options, role, GetHashedColumns(isNamed: true), [.. GetTeacherVectors()]);
        (Set, TeacherData) = (rows.Set, rows.Hash);
        if (rows.Unusable.Count > 0)
            _data = new FilteredRows(_input, id => !rows.Unusable.Contains(id), onOneThread: true);
        rows.Findings.Warn(channel);
        using var generator = seeds.CreateGenerator("validation");
        Split = ValidationRows.Split(rows, columns, options, generator, channel);
    }

    /// <summary>Transfer rows with the columns of the loaded rows; they are not added.</summary>
    public IDataView MakeTransferRows(TransferRows rows)
    {
        var transfer = CreateTransferRows();
        IDataView[] kinds = [.. TransferBlock.Of(rows).Select((block, number) => transfer.Make(block, number, Set, Split))];
        return kinds is [var only] ? only : new JoinedView(kinds[0].Schema, kinds);
    }

    /// <summary>Reads the blocks that are not yet there, and adds their rows to those trained on.</summary>
    /// <exception cref="InvalidOperationException">The rows cannot be made or read; the message says why and what to do.</exception>
    public void Add(IReadOnlyList<TransferBlock> blocks)
    {
        if (blocks.Count == 0)
            return;
        var clock = Stopwatch.StartNew();
        var transfer = CreateTransferRows();
        foreach (var block in blocks.Except(_blocks.Select(added => added.Block)))
        {
            var (view, rows) = transfer.Read(transfer.Make(block, _blocks.Count, Set, Split), GetHashedColumns(isNamed: false), [.. GetTeacherVectors()]);
            var joined = new JoinedRows(Set, rows.Set, block.Part.Weight);
            _blocks.Add(new(block, Set.Count, rows.Set.Count));
            Split.Add(Set, joined);
            var isNamed = options.TeacherCache.CacheKey is not null;
            (Set, TeacherData) = (joined, isNamed || rows.Hash is null ? TeacherData : $"{TeacherData}; transfer rows {rows.Hash}");
            TransferHash = isNamed ? $"{TransferHash} {DataHash.Compute(rows.Set)} {rows.Hash}" : null;
            _transfer.Add(view);
        }

        channel.Info($"Read {Split.Added} transfer rows in {clock.Elapsed.TotalSeconds:0.0} s.");
    }

    /// <summary>How many of the added rows these transfer rows are.</summary>
    public long CountAdded(TransferRows? rows) => _blocks.IntersectBy(TransferBlock.Of(rows), added => added.Block).Sum(added => added.Count);

    /// <summary>From here on, nothing is trained on the rows of a search that judge or choose.</summary>
    /// <param name="rows">These rows.</param>
    /// <param name="validates">Whether trainings are validated on the rows that choose.</param>
    public void HoldOut(JudgedRows rows, bool validates)
    {
        var split = Split.WithValidation(Set, validates ? rows.Choosing.clone() : null);
        Split.Dispose();
        Split = split;
        _judging = [.. IdsOf(rows.All)];
    }

    /// <summary>Moves all rows to a device.</summary>
    public void MoveTo(Device device)
    {
        Set.MoveTo(device);
        Split.MoveTo(device);
    }

    public void Dispose()
    {
        // Reading may have failed.
        Set?.Dispose();
        Split?.Dispose();
    }

    private FitTransferRows CreateTransferRows() => new(context, channel, options, columns, Given, seeds);

    private IEnumerable<RowId> IdsOf(Tensor positions)
    {
        using var onCpu = positions.cpu().DetachFromDisposeScope();
        return [.. onCpu.data<long>().ToArray().Select(position => Set.RowIds[position])];
    }

    /// <summary>Columns, other than the student's features, by which a teacher cache in a folder is recognised.</summary>
    /// <param name="isNamed">Whether the cache's key is a name of the rows, if there is one.</param>
    private HashedColumns? GetHashedColumns(bool isNamed) => options.UsesTeacher && options.TeacherCache.IsPersistent && (!isNamed || options.TeacherCache.CacheKey is null)
        ? new([.. options.Teacher!.ColumnsRead(_input.Schema).DistinctBy(c => c.Index)], options.Teacher.ReadsRowsLeftOut)
        : null;

    private IEnumerable<TeacherColumn> GetTeacherVectors() => options.UsesTeacher && options.MissingFeatures == MissingFeatures.Drop
        ? options.Teacher!.VectorsRead(_input.Schema).Where(vector => vector.IsReadable)
        : [];
}
