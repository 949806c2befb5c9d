using Microsoft.ML;
using Microsoft.ML.Data;

namespace MlNetDistill.Benchmarks;

/// <summary>
/// A view whose rows are made when they are read, so that it takes no memory: features, label, and the scores of a teacher and of a student, which name the next of a
/// hundred classes for one row in ten and one in five.
/// </summary>
internal sealed class MadeRows(long count, int classes, int width) : IDataView
{
    public const string Features = "Features", Label = "Label", Teacher = "Teacher", Student = "Made";

    public DataViewSchema Schema { get; } = MakeSchema(classes, width);

    public bool CanShuffle => false;

    public long? GetRowCount() => count;

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null) => new Cursor(Schema, count, classes, width);

    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null) => [GetRowCursor(columnsNeeded)];

    private static DataViewSchema MakeSchema(int classes, int width)
    {
        var builder = new DataViewSchema.Builder();
        builder.AddColumn(Features, new VectorDataViewType(NumberDataViewType.Single, width));
        builder.AddColumn(Label, new KeyDataViewType(typeof(uint), classes));
        builder.AddColumn(Teacher, new VectorDataViewType(NumberDataViewType.Single, classes));
        builder.AddColumn(Student, new VectorDataViewType(NumberDataViewType.Single, classes));
        return builder.ToSchema();
    }

    private sealed class Cursor(DataViewSchema schema, long count, int classes, int width) : DataViewRowCursor
    {
        private long _position = -1;

        public override long Position => _position;

        public override long Batch => 0;

        public override DataViewSchema Schema => schema;

        private int Right => (int)(_position * 7919 % classes);

        public override bool MoveNext() => ++_position < count;

        public override bool IsColumnActive(DataViewSchema.Column column) => true;

        public override ValueGetter<DataViewRowId> GetIdGetter() => (ref DataViewRowId id) => id = new DataViewRowId((ulong)_position, 0);

        public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column) => (ValueGetter<TValue>)(Delegate)(column.Name switch
        {
            Teacher => new ValueGetter<VBuffer<float>>((ref VBuffer<float> value) => Scores(ref value, _position % 10 == 9 ? Other(1) : Right, 0.8f)),
            Student => new ValueGetter<VBuffer<float>>((ref VBuffer<float> value) => Scores(ref value, _position % 5 == 4 ? Other(2) : Right, 0.6f)),
            Features => new ValueGetter<VBuffer<float>>(GetFeatures),
            _ => new ValueGetter<uint>((ref uint value) => value = (uint)Right + 1),
        });

        private int Other(int by) => (Right + by + (int)(_position / 10 % 100)) % classes;

        /// <summary>The label in binary, so that it can be learnt, and the position.</summary>
        private void GetFeatures(ref VBuffer<float> value)
        {
            var editor = VBufferEditor.Create(ref value, width);
            for (var i = 0; i < width; i++)
                editor.Values[i] = i + 1 < width ? (Right >> i) & 1 : _position / (float)count;
            value = editor.Commit();
        }

        private void Scores(ref VBuffer<float> value, int named, float share)
        {
            var editor = VBufferEditor.Create(ref value, classes);
            editor.Values.Fill((1 - share) / (classes - 1));
            editor.Values[named] = share;
            value = editor.Commit();
        }
    }
}
