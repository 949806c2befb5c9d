using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Alignment;
using MlNetDistill.Cache;
using MlNetDistill.Core;
using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace MlNetDistill.Reading;

/// <summary>A data view with a teacher's scores, which it reads as logits.</summary>
internal sealed class ScoredView(
    IDataView data, DataViewSchema.Column score, DataViewSchema.Column? embedding, AlignedScores scores, DistillationOptions options, string place, string? model)
{
    private readonly ScoreReader _reader = new(scores);

    /// <summary>Length of the embeddings, or null if there are none.</summary>
    public int? EmbeddingLength => embedding is { } column ? WidthOf(column) : null;

    /// <summary>
    /// The teacher's outputs for the <paramref name="wanted"/> rows, in the view's order, without the first <paramref name="skip"/> of them. Each chunk lives until
    /// the next is read.
    /// </summary>
    /// <param name="wanted">Ids of the rows to read. Others, such as rows left out of training for NaN features, may have no usable score, and are not scored.</param>
    /// <param name="kept">The outputs to read.</param>
    /// <param name="skip">Number of wanted rows that were read before.</param>
    /// <exception cref="InvalidOperationException">A score is NaN, infinite or not of the stated kind, or the model fails on a row.</exception>
    public IEnumerable<OutputChunk> Read(RowIdIndex wanted, ModelOutputs kept, long skip) => UnreadableRow.LocateFailure(ReadChunks(wanted, kept, skip));

    private IEnumerable<OutputChunk> ReadChunks(RowIdIndex wanted, ModelOutputs kept, long skip)
    {
        DataViewSchema.Column[] columns = kept.HasFlag(ModelOutputs.Embedding) ? [score, embedding!.Value] : [score];
        var source = new ViewColumns(data, columns, row => model is null
            ? $"Row {row}{place} (counted from 0) of the data cannot be read"
            : $"The teacher ({model}) fails on row {row}{place} (counted from 0)")
        {
            Wanted = wanted,
            RemedyIfDisposed = model is null ? null : ViewColumns.KeepTheModel,
        };
        using var cursor = source.Open();
        var getId = cursor.CreateIdReader();
        var getters = columns.Select(cursor.GetGetter<VBuffer<float>>).ToArray();
        // No more than is wanted, nor than an array holds.
        var chunkRows = (int)Math.Min(Math.Min(options.BatchSize, Math.Max(1, wanted.Count)), Array.MaxLength / columns.Max(WidthOf));
        var values = columns.Select(column => new float[WidthOf(column) * chunkRows]).ToArray();
        var (ids, numbers) = (new List<RowId>(), new List<long>());
        VBuffer<float> buffer = default;
        for (long row = 0; cursor.MoveNext(); row++)
        {
            options.CancellationToken.ThrowIfCancellationRequested();
            var id = getId();
            if (!wanted.Contains(id) || skip-- > 0)
                continue;
            foreach (var (i, column) in columns.Index())
            {
                getters[i](ref buffer);
                // A short vector would leave what an earlier row had in its place.
                if (buffer.Length != WidthOf(column))
                    throw VectorLength.CreateError($"The teacher's column '{column.Name}'", WidthOf(column), buffer.Length, RowName(row), Remedy);
                buffer.CopyTo(values[i].AsSpan(ids.Count * WidthOf(column), WidthOf(column)));
            }

            ids.Add(id);
            numbers.Add(row);
            if (ids.Count < chunkRows)
                continue;
            using (var chunk = CreateChunk())
                yield return chunk;
            ids.Clear();
            numbers.Clear();
        }

        if (ids.Count > 0)
        {
            using var chunk = CreateChunk();
            yield return chunk;
        }

        OutputChunk CreateChunk() => new([.. ids], CreateTensors(values, numbers));
    }

    private const string Remedy = "Correct or leave out the row; where the column is in the data, MissingFeatures.Drop leaves such rows out.";

    private static int WidthOf(DataViewSchema.Column column) => ((VectorDataViewType)column.Type).Size;

    private Tensor[] CreateTensors(float[][] values, List<long> numbers)
    {
        using var scope = NewDisposeScope();
        var rows = numbers.Count;
        var given = tensor(values[0].AsMemory(0, rows * WidthOf(score)).ToArray(), [rows, WidthOf(score)], device: CPU);
        var logits = _reader.ToLogits(given, row => RowName(numbers[row]));
        return values.Length == 1
            ? [logits.DetachFromDisposeScope()]
            : [logits.DetachFromDisposeScope(), Embeddings(values[1].AsSpan(0, rows * EmbeddingLength!.Value), EmbeddingLength.Value, numbers).DetachFromDisposeScope()];
    }

    private Tensor Embeddings(ReadOnlySpan<float> values, int length, List<long> numbers)
    {
        for (var i = 0; i < values.Length; i++)
        {
            if (!float.IsFinite(values[i]))
            {
                throw new InvalidOperationException(FormattableString.Invariant(
                    $"The teacher's column '{embedding!.Value.Name}' must hold finite embeddings; {RowName(numbers[i / length])} has {values[i]} at {i % length}. {Remedy}"));
            }
        }

        return tensor(values.ToArray(), [values.Length / length, length], device: CPU);
    }

    /// <summary>Finds the columns in a view with a teacher's scores.</summary>
    /// <param name="scored">The view.</param>
    /// <param name="spec">Where the scores are, and what the caller says they are.</param>
    /// <param name="student">The student's classes.</param>
    /// <param name="options">Number of rows of a chunk, and what stops the reading.</param>
    /// <param name="place">What messages say after a row number if the view is only a part of the data.</param>
    /// <param name="unseen">Classes that the model was fitted without, with their share of the rows; null for none.</param>
    /// <param name="model">What messages call the model that computes the scores; null if they are data.</param>
    /// <exception cref="InvalidOperationException">A column is missing, of the wrong type, or does not fit the student's classes.</exception>
    public static ScoredView Find(
        IDataView scored, ScoreSpec spec, ClassLabels student, DistillationOptions options, string place = "", IReadOnlyDictionary<int, double>? unseen = null, string? model = null)
    {
        scored = TwoClassScores.AddIfBinary(scored, spec);
        var score = ScoresIn(scored.Schema, spec);
        var embedding = spec.Embedding is { } name ? Find(scored.Schema, name, "embeddings", "embeddingColumnName") : (DataViewSchema.Column?)null;
        if (embedding is { } column && !IsVector(column))
            throw new InvalidOperationException($"The teacher's column '{column.Name}' must be a Vector<Single, D> to be its embeddings; found {column.Type}.");
        return new ScoredView(scored, score, embedding, spec.Align(WidthOf(score), AnnotatedNames.ReadClassNames(score), student, place, unseen), options, place, model);
    }

    /// <summary>The student's classes where no label names them, as a key column: those of the scores, under the names that they or the caller give them.</summary>
    /// <exception cref="InvalidOperationException">The column is missing or of the wrong type, or a class map is given and the teacher's class names are unknown.</exception>
    public static DataViewSchema.Column ClassesIn(DataViewSchema schema, ScoreSpec spec)
    {
        var score = ScoresIn(TwoClassScores.AddIfBinary(schema, spec), spec);
        if (spec.Classes() is { } given)
            return given;
        foreach (var annotation in new[] { AnnotatedNames.TrainingLabelValues, AnnotatedNames.SlotNames })
        {
            if (AnnotatedNames.Read(score, annotation) is { } names)
                return spec.Map is null && names.Count == WidthOf(score) ? ClassColumn.FromScores(score, annotation, names.Count) : ClassColumn.FromNames(spec.Mapped(names));
        }

        return spec.Map is null ? ClassColumn.FromCount(WidthOf(score)) : throw new InvalidOperationException(
            $"{spec.Subject} does not say which class each of its {WidthOf(score)} scores is for, so the ClassMap has no names to go by: give classNames with the teacher.");
    }

    private static DataViewSchema.Column ScoresIn(DataViewSchema schema, ScoreSpec spec)
    {
        var score = Find(schema, spec.Column, "scores", "scoreColumnName");
        return IsVector(score) ? score : throw new InvalidOperationException(
            $"{spec.Subject} must be a Vector<Single, K> with one score for each class; found {score.Type}. " + (score.Type is VectorDataViewType { Size: > 0, ItemType: NumberDataViewType }
                ? $"Convert it with mlContext.Transforms.Conversion.ConvertType(\"{spec.Column}\", outputKind: DataKind.Single)."
                : "A multiclass model gives such a column, and a binary one a single number of Single."));
    }

    private static DataViewSchema.Column Find(DataViewSchema schema, string name, string what, string option) => schema.GetColumnOrNull(name)
        ?? throw new InvalidOperationException(
            $"The teacher gives no column '{name}'. It gives {string.Join(", ", schema.Where(c => !c.IsHidden).Select(c => $"'{c.Name}'"))}; " +
            $"name its {what} with {option}.");

    private static bool IsVector(DataViewSchema.Column column) =>
        column.Type is VectorDataViewType { Size: > 0 } vector && vector.ItemType == NumberDataViewType.Single;

    private string RowName(long row) => $"row {row}{place} (counted from 0)";
}
