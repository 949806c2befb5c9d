using MlNetDistill.Core;
using MlNetDistill.Data;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

/// <summary>A source of rows moves the tensors that it owns, and frees them: those of the device before, and all when it is disposed of.</summary>
public sealed class SourceTensorsTests
{
    private const int Count = 6;

    // A device without memory, which every machine has.
    private static readonly Device Elsewhere = new(TorchSharp.DeviceType.META);

    [Test]
    public void Labels_and_weights_move_to_a_device_and_are_freed_on_the_one_before([Values] Kind kind, [Values] bool isWeighted)
    {
        using var source = Source(kind, isWeighted);
        var (labels, weights) = (source.Rows.Labels, source.Rows.Weights);
        source.Rows.MoveTo(CPU);
        Assert.That(source.Rows.Labels, Is.SameAs(labels), "they are there already");
        Assert.That(source.Rows.Weights, Is.SameAs(weights));
        Assert.That(labels.IsInvalid, Is.False);
        source.Rows.MoveTo(Elsewhere);
        Assert.That(source.Rows.Device.type, Is.EqualTo(Elsewhere.type));
        Assert.That((source.Rows.Labels.device_type, source.Rows.Labels.shape.Single()), Is.EqualTo((Elsewhere.type, Count)));
        Assert.That(labels.IsInvalid);
        Assert.That(source.Rows.Weights?.device_type, Is.EqualTo(isWeighted ? Elsewhere.type : (TorchSharp.DeviceType?)null));
        Assert.That(weights?.IsInvalid, Is.EqualTo(isWeighted ? true : null));
        Assert.That(source.Parts.Select(part => part.Device.type), Has.All.EqualTo(Elsewhere.type));
    }

    [Test]
    public void A_source_that_is_disposed_of_frees_all_that_it_owns([Values] Kind kind)
    {
        using var source = Source(kind, isWeighted: true);
        Tensor[] owned = [source.Rows.Labels, source.Rows.Weights!, .. source.Owned, .. source.Parts.Select(part => part.Labels)];
        Assert.That(owned.Select(tensor => tensor.IsInvalid), Has.All.False);
        source.Rows.Dispose();
        Assert.That(owned.Select(tensor => tensor.IsInvalid), Has.All.True);
    }

    [Test]
    public void Rows_in_a_file_close_it_when_they_are_disposed_of()
    {
        var file = FileOf(Count);
        new FileRows(file, zeros(Count, int64), Toy.Ids(Count), InputShape.Vector(2), float32).Dispose();
        Assert.That(() => file.Read([0], new byte[2 * sizeof(float)]), Throws.InstanceOf<ObjectDisposedException>());
    }

    [Test]
    public void Rows_labels_and_weights_that_disagree_in_number_are_refused([Values(Kind.Sparse, Kind.File)] Kind kind)
    {
        using var scope = NewDisposeScope();
        Assert.That(() => Make(2, 3, 3, 3), Throws.ArgumentException.With.Message.StartsWith("There are 2 rows, 3 labels, 3 weights and 3 identities."));
        Assert.That(() => Make(3, 2, 3, 3), Throws.ArgumentException.With.Message.StartsWith("There are 3 rows, 2 labels, 3 weights and 3 identities."));
        Assert.That(() => Make(3, 3, 2, 3), Throws.ArgumentException.With.Message.StartsWith("There are 3 rows, 3 labels, 2 weights and 3 identities."));
        Assert.That(() => Make(3, 3, null, 2), Throws.ArgumentException.With.Message.StartsWith("There are 3 rows, 3 labels,  weights and 2 identities."));

        void Make(int rows, int labels, int? weights, int ids)
        {
            var given = weights is { } count ? ones(count) : null;
            if (kind == Kind.Sparse)
            {
                new SparseRows(Matrix(rows), zeros(labels, int64), Toy.Ids(ids), given).Dispose();
                return;
            }

            using var file = FileOf(rows);
            new FileRows(file, zeros(labels, int64), Toy.Ids(ids), InputShape.Vector(2), float32, given).Dispose();
        }
    }

    /// <summary>The sources of rows.</summary>
    public enum Kind
    {
        OneTensor,
        Sparse,
        File,
        Joined,
        Strided,
    }

    private static Owner Source(Kind kind, bool isWeighted)
    {
        var (features, labels, weights) = (zeros(Count, 2), zeros(Count, int64), isWeighted ? ones(Count) : null);
        switch (kind)
        {
            case Kind.OneTensor:
                return new Owner(new InMemoryRows(features, labels, Toy.Ids(Count), InputShape.Vector(2), weights), [features], []);
            case Kind.Sparse:
                return new Owner(new SparseRows(Matrix(Count), labels, Toy.Ids(Count), weights), [], []);
            case Kind.File:
                return new Owner(new FileRows(FileOf(Count), labels, Toy.Ids(Count), InputShape.Vector(2), float32, weights), [], []);
            case Kind.Strided:
                var all = new SparseRows(Matrix(2 * Count), zeros(2 * Count, int64), Toy.Ids(2 * Count), isWeighted ? ones(2 * Count) : null);
                return new Owner(new StridedRows(all, 1, 2), [], []) { Shared = all };
            default:
                IRowSource[] parts = [Toy.Set(zeros(2, 2), [0, 1], InputShape.Vector(2), 2), Toy.Set(zeros(4, 2), [0, 1, 0, 1], InputShape.Vector(2), 2)];
                return new Owner(new JoinedRows(parts[0], parts[1], isWeighted ? 2 : 1), [], parts);
        }
    }

    private static SparseMatrix Matrix(int rows)
    {
        var matrix = new SparseMatrix(2);
        for (var row = 0; row < rows; row++)
            matrix.Add([1, 0]);
        return matrix;
    }

    private static RowFile FileOf(int rows)
    {
        using var writer = RowFileWriter.Create(null, "rows", (int)ScalarType.Float32, 2 * sizeof(float), new RowBlocks(Rows: 4, Together: 2));
        for (var row = 0; row < rows; row++)
            writer.NextRow().Clear();
        return writer.Finish();
    }

    /// <summary>Rows, tensors that they own beside labels and weights, and sources that they own.</summary>
    private sealed record Owner(IRowSource Rows, Tensor[] Owned, IRowSource[] Parts) : IDisposable
    {
        public IRowSource? Shared { get; init; }

        public void Dispose()
        {
            Rows.Dispose();
            Shared?.Dispose();
        }
    }
}
