using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Computing;
using MlNetDistill.Students;
using MlNetDistill.Views;

namespace MlNetDistill;

/// <summary>
/// A model whose student scores in batches: <see cref="Transform"/> for data views, <see cref="Score(ReadOnlySpan{float}, Span{float})"/> for arrays. Scores, columns and
/// row ids are those of the model; embeddings, and linear students of sparse features, can differ in the last bits. Make one with <c>mlContext.Model.CreateBatchScorer</c>.
/// </summary>
/// <remarks>
/// Thread-safe. Cursors that are open when it is disposed can be read to their end. A <c>PredictionEngine</c> can be made from it; the engine disposes it unless
/// <c>OwnsTransformer</c> is false.
/// </remarks>
public sealed class BatchScorer : ITransformer, IDisposable
{
    private readonly ITransformer _model;
    private readonly ModelSteps _steps;
    private readonly ITransformer _chain;
    private readonly StudentPart[] _students;
    private bool _isDisposed;

    private BatchScorer(ITransformer model, ModelSteps steps, IReadOnlyList<(ITransformer? Transformer, StudentPart? Student)> parts, BatchScoringOptions options)
    {
        (_model, _steps, Options) = (model, steps, options);
        _chain = new TransformerChain<ITransformer>([.. parts.Select(part => part.Student is { } student ? new StudentStep(student) : part.Transformer!)]);
        _students = [.. parts.Select(part => part.Student).OfType<StudentPart>()];
    }

    /// <summary>The settings.</summary>
    public BatchScoringOptions Options { get; }

    /// <summary>Number of values that a student reads of a row.</summary>
    /// <exception cref="InvalidOperationException">The model has several students.</exception>
    public int FeatureCount => Single.Network.FeatureLength;

    /// <summary>Number of values that a student gives for a row: a probability for each class in the order of the key values, or the values of an embedding.</summary>
    /// <exception cref="InvalidOperationException">The model has several students.</exception>
    public int ScoreCount => Single.Network.ScoreLength;

    /// <summary>Name of the column that a student reads, which the steps before it in the pipeline give.</summary>
    /// <exception cref="InvalidOperationException">The model has several students.</exception>
    public string FeatureColumnName => Single.Features;

    /// <inheritdoc/>
    public bool IsRowToRowMapper => _chain.IsRowToRowMapper;

    private StudentPart Single => _students is [var student] ? student : throw new InvalidOperationException(
        $"The model has {_students.Length} students, which read {string.Join(", ", _students.Select(s => $"'{s.Features}'"))}. Score data views with it, or make a scorer of each " +
        "student alone.");

    /// <inheritdoc/>
    public DataViewSchema GetOutputSchema(DataViewSchema inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        return _model.GetOutputSchema(inputSchema);
    }

    /// <summary>What a <c>PredictionEngine</c> uses: scores row by row, with less work around each than the model has.</summary>
    public IRowToRowMapper GetRowToRowMapper(DataViewSchema inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        return _chain.GetRowToRowMapper(inputSchema);
    }

    /// <summary>
    /// Scores a data view, lazily, as the model does. A cursor reads up to <see cref="BatchScoringOptions.BatchSize"/> rows ahead, and keeps the values of these rows of
    /// the columns that it is asked for. If a row cannot be read, <c>MoveNext</c> throws when that row is reached.
    /// </summary>
    /// <exception cref="ArgumentException">The column that a student reads is missing or of another type.</exception>
    public IDataView Transform(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        return _chain.Transform(input);
    }

    /// <summary>Scores rows of features, without the other steps of the pipeline.</summary>
    /// <param name="features">Rows of <see cref="FeatureCount"/> values, one after another, as the steps before the student give them.</param>
    /// <param name="scores">Gets <see cref="ScoreCount"/> values for each row; may be longer.</param>
    /// <returns>Number of rows.</returns>
    /// <exception cref="ArgumentException">The features are not whole rows, the scores have no place, or the student reads bytes.</exception>
    /// <exception cref="InvalidOperationException">The model has several students.</exception>
    public int Score(ReadOnlySpan<float> features, Span<float> scores) => ArrayScoring.Score(Single.Network, features, scores);

    /// <summary>The same for a student that reads bytes, such as pixels.</summary>
    /// <param name="features">Rows of <see cref="FeatureCount"/> bytes, one after another.</param>
    /// <param name="scores">Gets <see cref="ScoreCount"/> values for each row; may be longer.</param>
    /// <returns>Number of rows.</returns>
    /// <exception cref="ArgumentException">The features are not whole rows, the scores have no place, or the student reads floats.</exception>
    /// <exception cref="InvalidOperationException">The model has several students.</exception>
    public int Score(ReadOnlySpan<byte> features, Span<float> scores) => ArrayScoring.Score(Single.Network, features, scores);

    /// <summary>Releases the student's memory; the model stays usable.</summary>
    public void Dispose()
    {
        if (_isDisposed)
            return;
        _isDisposed = true;
        foreach (var student in _students)
            student.Network.Dispose();
        _steps.Dispose();
    }

    /// <summary>The student's columns and the settings.</summary>
    public override string ToString() => $"scorer of {string.Join(", ", _students.Select(student => $"'{student.Features}'"))} in {Options}";

    /// <summary>Called by <c>Model.Save</c>: saves the model.</summary>
    void ICanSaveModel.Save(ModelSaveContext ctx) => _model.Save(ctx);

    internal static BatchScorer Create(ModelOperationsCatalog catalog, ITransformer model, DataViewSchema inputSchema, BatchScoringOptions options)
    {
        var steps = new ModelSteps(catalog);
        try
        {
            steps.Add(model, inputSchema);
            return new BatchScorer(model, steps, new StudentFinder(catalog, options.BatchSize, options.Threads).Find(steps.Steps), options);
        }
        catch
        {
            steps.Dispose();
            throw;
        }
    }
}
