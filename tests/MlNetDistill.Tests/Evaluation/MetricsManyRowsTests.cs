using Microsoft.ML;
using Microsoft.ML.Data;

namespace MlNetDistill.Tests.Evaluation;

/// <summary>Ten million rows in one pass, with intervals, and nothing kept of any of them.</summary>
public sealed class MetricsManyRowsTests
{
    private const long Rows = 10_000_000;
    private const int Classes = 10;

    [Test]
    [Category("NoCulture")]
    public void Ten_million_rows_take_no_more_memory_than_a_thousand()
    {
        var catalog = new MLContext().MulticlassClassification;
        catalog.EvaluateDistillation(new SyntheticRows(1000), "Teacher", "Student");
        var (live, allocated) = (GC.GetTotalMemory(forceFullCollection: true), GC.GetAllocatedBytesForCurrentThread());
        var metrics = catalog.EvaluateDistillation(new SyntheticRows(Rows), "Teacher", "Student");
        allocated = GC.GetAllocatedBytesForCurrentThread() - allocated;
        live = GC.GetTotalMemory(forceFullCollection: true) - live;
        Assert.Multiple(() =>
        {
            // One byte a row would be ten million.
            Assert.That(allocated, Is.LessThan(5_000_000), "allocated on the way");
            Assert.That(live, Is.LessThan(2_000_000), "held in the end");
            Assert.That((metrics.Rows, metrics.LabelledRows), Is.EqualTo((Rows, Rows)));
            // Row i: the teacher names i mod 10, which is right; the student too, but for every fourth row.
            Assert.That(metrics.Teacher!.Accuracy.Value, Is.EqualTo(1));
            Assert.That(metrics.Agreement.Value, Is.EqualTo(0.75));
            Assert.That(metrics.Matrix.Sum(cell => cell.Rows), Is.EqualTo(Rows));
            Assert.That(metrics.Divergence.Value, Is.EqualTo(0.25 * (0.7 - (0.3 / 9)) * Math.Log(21)).Within(1e-7));
            // √(0.75 · 0.25 / 10⁷) · 2 · 1.96.
            Assert.That(metrics.Agreement.Upper - metrics.Agreement.Lower, Is.EqualTo(5.37e-4).Within(1.5e-4));
        });
    }

    /// <summary>Rows that are made when they are read.</summary>
    private sealed class SyntheticRows(long count) : IDataView
    {
        public DataViewSchema Schema { get; } = MakeSchema();

        public bool CanShuffle => false;

        public long? GetRowCount() => count;

        public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null) => new Cursor(Schema, count);

        public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null) =>
            [GetRowCursor(columnsNeeded)];

        private static DataViewSchema MakeSchema()
        {
            var builder = new DataViewSchema.Builder();
            builder.AddColumn("Teacher", new VectorDataViewType(NumberDataViewType.Single, Classes));
            builder.AddColumn("Student", new VectorDataViewType(NumberDataViewType.Single, Classes));
            builder.AddColumn("Label", new KeyDataViewType(typeof(uint), Classes));
            return builder.ToSchema();
        }
    }

    private sealed class Cursor(DataViewSchema schema, long count) : DataViewRowCursor
    {
        private long _position = -1;

        public override long Position => _position;

        public override long Batch => 0;

        public override DataViewSchema Schema => schema;

        public override bool MoveNext() => ++_position < count;

        public override bool IsColumnActive(DataViewSchema.Column column) => true;

        public override ValueGetter<DataViewRowId> GetIdGetter() => (ref DataViewRowId id) => id = new DataViewRowId((ulong)_position, 0);

        public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column) => (ValueGetter<TValue>)(Delegate)(column.Name switch
        {
            "Teacher" => new ValueGetter<VBuffer<float>>((ref VBuffer<float> value) => Scores(ref value, Right)),
            "Student" => new ValueGetter<VBuffer<float>>((ref VBuffer<float> value) => Scores(ref value, _position % 4 == 3 ? (Right + 1) % Classes : Right)),
            _ => new ValueGetter<uint>((ref uint value) => value = (uint)Right + 1),
        });

        private int Right => (int)(_position % Classes);

        /// <summary>0.7 for one class, a thirtieth for each of the others.</summary>
        private static void Scores(ref VBuffer<float> value, int named)
        {
            var editor = VBufferEditor.Create(ref value, Classes);
            editor.Values.Fill(0.3f / (Classes - 1));
            editor.Values[named] = 0.7f;
            value = editor.Commit();
        }
    }
}
