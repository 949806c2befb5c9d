using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Data;
using MlNetDistill.Networks;
using MlNetDistill.Tests.Support;
using static Microsoft.ML.Transforms.ValueToKeyMappingEstimator.KeyOrdinality;

namespace MlNetDistill.Tests.Data;

/// <summary>Rows that are kept in a file, because they take more memory than they may.</summary>
public sealed class RowStorageTests
{
    private readonly MLContext _context = new(1);

    [Test]
    public void A_student_of_rows_in_a_file_learns_what_it_learns_from_rows_in_memory([Values] bool isByte)
    {
        var rows = isByte ? Images(2_000, 64) : Vectors(2_000, 64);
        var test = isByte ? Images(3_000, 64, 2_000) : Vectors(3_000, 64, 2_000);
        var inMemory = Accuracy(Settings(), rows, test);
        Assert.That(Accuracy(InFile(), rows, test), Is.EqualTo(inMemory).Within(0.02));
        Assert.That(inMemory, Is.GreaterThan(0.95));
    }

    [Test]
    public void The_same_seed_gives_the_same_student()
    {
        var rows = Vectors(500, 16);
        Assert.That(_context.Fit(InFile(), rows).Scores(rows), Is.EqualTo(_context.Fit(InFile(), rows).Scores(rows)));
    }

    [Test]
    public void Rows_that_begin_in_memory_and_go_on_in_a_file_give_the_student_of_those_that_begin_in_a_file()
    {
        var rows = Vectors(3_000, 64);
        var halfWay = InFile() with { RowStorage = new RowStorageOptions { MemoryLimit = 64 * sizeof(float) * 1_500 } };
        Assert.That(_context.Fit(halfWay, rows).Scores(rows), Is.EqualTo(_context.Fit(InFile(), rows).Scores(rows)));
    }

    [Test]
    public void Files_are_kept_in_the_folder_and_written_once()
    {
        var folder = Directory.CreateTempSubdirectory().FullName;
        var options = InFile() with { RowStorage = new RowStorageOptions { MemoryLimit = 0, Folder = Path.Combine(folder, "rows") }, ValidationData = Vectors(100, 16, 500) };
        var rows = Vectors(500, 16);
        var first = _context.Fit(options, rows).Scores(rows);
        string[] files = [.. Directory.GetFiles(options.RowStorage.Folder!).Order()];
        Assert.That(files.Select(Path.GetFileName), Is.EqualTo(new[] { "training-data.rows", "validation-data.rows" }));
        var bytes = files.Select(File.ReadAllBytes).ToArray();
        Assert.That(_context.Fit(options, rows).Scores(rows), Is.EqualTo(first));
        Assert.That(files.Select(File.ReadAllBytes), Is.EqualTo(bytes));
        Directory.Delete(folder, recursive: true);
    }

    [Test]
    [Platform("Linux")]
    public void Memory_does_not_grow_with_the_rows()
    {
        // 400 MB, of which 48 MB may be in memory.
        var rows = Vectors(50_000, 2_000);
        var options = InFile() with { Epochs = 1, RowStorage = new RowStorageOptions { MemoryLimit = 48L << 20 } };
        Assert.That(PeakMemory.Growth(() => _context.Fit(options, rows)), Is.LessThan(250L << 20));
    }

    [TestCase(-1, null, "RowStorage.MemoryLimit must be a number of bytes, 0 or more, or null; was -1.")]
    [TestCase(0, " ", "RowStorage.Folder")]
    public void Settings_that_cannot_be_are_refused(long limit, string? folder, string message) => Assert.That(
        () => _context.Fit(Settings() with { RowStorage = new RowStorageOptions { MemoryLimit = limit, Folder = folder } }, Vectors(50, 4)),
        Throws.InstanceOf<ArgumentOutOfRangeException>().With.Message.Contains(message));

    private static DistillationOptions Settings() => Rows.Quick() with { Epochs = 12, BatchSize = 64, Student = NetworkSpec.Mlp(16) };

    private static DistillationOptions InFile() => Settings() with { RowStorage = new RowStorageOptions { MemoryLimit = 0 } };

    private double Accuracy(DistillationOptions options, IDataView rows, IDataView test)
    {
        var scored = _context.Fit(options, rows).Transform(test);
        return scored.GetColumn<uint>("PredictedLabel").Zip(scored.GetColumn<uint>("Class")).Average(row => row.First == row.Second ? 1.0 : 0);
    }

    /// <summary>Rows sorted by class, of three classes that differ in the mean of a third of the features.</summary>
    private static IEnumerable<float[]> Draw(int count, int width, int first) => Enumerable.Range(first, count).Select(row =>
    {
        var random = new Random(row);
        return Enumerable.Range(0, width).Select(i => (random.NextSingle() * 100) + (i % 3 == ClassOf(row - first, count) ? 50 : 0)).ToArray();
    });

    private static int ClassOf(int row, int count) => row * 3 / count;

    private IDataView Vectors(int count, int width, int first = 0) =>
        Load(Draw(count, width, first).Select((values, row) => new Row<float> { Label = $"{ClassOf(row, count)}", Features = values }), width, NumberDataViewType.Single);

    private IDataView Images(int count, int width, int first = 0) => Load(
        Draw(count, width, first).Select((values, row) => new Row<byte> { Label = $"{ClassOf(row, count)}", Features = [.. values.Select(value => (byte)value)] }), width, NumberDataViewType.Byte);

    private IDataView Load<T>(IEnumerable<Row<T>> rows, int width, PrimitiveDataViewType type)
    {
        var schema = SchemaDefinition.Create(typeof(Row<T>));
        schema[nameof(Row<T>.Features)].ColumnType = new VectorDataViewType(type, width);
        var view = _context.Data.LoadFromEnumerable(rows, schema);
        return _context.Transforms.Conversion.MapValueToKey("Class", "Label", keyOrdinality: ByValue).Fit(view).Transform(view);
    }

    private sealed class Row<T>
    {
        public string Label { get; set; } = "";

        public T[] Features { get; set; } = [];
    }
}
