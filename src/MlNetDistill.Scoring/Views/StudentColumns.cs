using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Computing;
using MlNetDistill.Students;

namespace MlNetDistill.Views;

/// <summary>The columns that a student reads and adds in data with given columns.</summary>
internal sealed class StudentColumns
{
    private readonly DataViewSchema.Column _features;
    private readonly StudentColumn[] _added;

    /// <param name="input">The columns of the data.</param>
    /// <param name="student">Adds columns to them.</param>
    /// <exception cref="ArgumentException">The feature column is missing or of another type.</exception>
    public StudentColumns(DataViewSchema input, StudentPart student)
    {
        (Input, Network, _features) = (input, student.Network, FeaturesIn(input, student));
        Output = student.GetOutputSchema(input);
        _added = [.. Output.Skip(input.Count).Select(column => KindOf(column, student))];
    }

    public DataViewSchema Input { get; }

    /// <summary>The input's columns, then those that the student adds, as its own transformers add them.</summary>
    public DataViewSchema Output { get; }

    public StudentNetwork Network { get; }

    /// <summary>Index of the feature column.</summary>
    public int Features => _features.Index;

    public ActiveColumns Select(IEnumerable<DataViewSchema.Column> columns) => new(Output, Input.Count, columns);

    /// <summary>The columns of the input that are needed for columns of the output.</summary>
    public IReadOnlyList<DataViewSchema.Column> InputsOf(ActiveColumns columns) =>
        [.. Input.Where(column => columns.IsActive(column.Index) || (columns.HasAdded && column.Index == Features))];

    /// <summary>Copies features of rows into a batch.</summary>
    /// <param name="input">Has the feature column.</param>
    /// <param name="batch">Gets them.</param>
    /// <param name="buffer">Where they are read already; null if they are not.</param>
    public FeatureReader CreateReader(DataViewRow input, Batch batch, ColumnBuffer? buffer)
    {
        var column = input.Schema[Features];
        return batch is Batch<byte> bytes
            ? new FeatureReader<byte>(input, column, bytes, (VectorBuffer<byte>?)buffer)
            : new FeatureReader<float>(input, column, (Batch<float>)batch, (VectorBuffer<float>?)buffer);
    }

    /// <summary>A <c>ValueGetter</c> of a column that the student adds.</summary>
    /// <param name="column">The column of the output.</param>
    /// <param name="batch">Has the values.</param>
    /// <param name="row">Gives the row of the batch.</param>
    public Delegate CreateGetter(DataViewSchema.Column column, Batch batch, Func<int> row)
    {
        return _added[column.Index - Input.Count] switch
        {
            StudentColumn.PredictedLabel => (ValueGetter<uint>)((ref uint key) => key = KeyOf(RowOf(batch.Scores, Network.ScoreLength))),
            StudentColumn.Embedding => VectorGetter(batch.Embeddings, Network.EmbeddingLength),
            _ => VectorGetter(batch.Scores, Network.ScoreLength),
        };

        ValueGetter<VBuffer<float>> VectorGetter(float[] values, int length) => (ref VBuffer<float> value) =>
        {
            var editor = VBufferEditor.Create(ref value, length);
            RowOf(values, length).CopyTo(editor.Values);
            value = editor.Commit();
        };

        ReadOnlySpan<float> RowOf(float[] values, int length) => values.AsSpan(row() * length, length);
    }

    /// <summary>The first of the largest scores, from 1; 0, the missing key, where all are NaN.</summary>
    private static uint KeyOf(ReadOnlySpan<float> scores)
    {
        uint key = 0;
        var largest = float.NegativeInfinity;
        for (var i = scores.Length - 1; i >= 0; i--)
        {
            if (scores[i] >= largest)
                (key, largest) = ((uint)i + 1, scores[i]);
        }

        return key;
    }

    private static DataViewSchema.Column FeaturesIn(DataViewSchema schema, StudentPart student)
    {
        var expected = $"Vector<{(student.Network.IsByte ? "Byte" : "Single")}, {student.Network.FeatureLength}>";
        var item = student.Network.IsByte ? NumberDataViewType.Byte : NumberDataViewType.Single;
        return schema.GetColumnOrNull(student.Features) switch
        {
            null => throw new ArgumentException(
                $"The student reads column '{student.Features}', {expected}; the data has {string.Join(", ", schema.Where(c => !c.IsHidden).Select(c => $"'{c.Name}'"))}."),
            { Type: VectorDataViewType type } column when type.ItemType == item && type.Size == student.Network.FeatureLength => column,
            var other => throw new ArgumentException($"Column '{student.Features}' must be {expected}, as in training; found {other.Value.Type}."),
        };
    }

    private static StudentColumn KindOf(DataViewSchema.Column column, StudentPart student) => column switch
    {
        { Name: var name } when name == student.Embedding => StudentColumn.Embedding,
        { Type: KeyDataViewType } => StudentColumn.PredictedLabel,
        _ => StudentColumn.Score,
    };
}
