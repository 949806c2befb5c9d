using Microsoft.ML.Data;
using MlNetDistill.Evaluation;
using MlNetDistill.Reading;

namespace Microsoft.ML;

/// <summary>Evaluation of embeddings, from ML.NET's catalogs: search and verification.</summary>
public static class EmbeddingEvaluationCatalog
{
    /// <summary>
    /// Searches for every row the nearest other rows by the cosine of their embeddings, and measures how often these have the row's identity: rank k (cumulative match
    /// curve) and mean average precision; and, given the teacher's embeddings, how many of the nearest rows are the teacher's too.
    /// </summary>
    /// <remarks>
    /// Every query is compared with every row of the gallery: the time grows with queries × gallery × length, on all processors. All embeddings are in memory, 4 bytes a
    /// value, and 64 bytes for each row of the gallery and thread. A row without an identity (a missing key or empty text) is not a query and matches none.
    /// </remarks>
    /// <param name="catalog">The ranking operations.</param>
    /// <param name="data">The rows that are searched for.</param>
    /// <param name="embeddingColumnName">The embeddings, <c>Vector&lt;Single, D&gt;</c>, of any length above 0 in each row.</param>
    /// <param name="idColumnName">The identity of each row: a key, text or a whole number.</param>
    /// <param name="options">A gallery of its own, the rule of the same camera, the teacher's embeddings, and others; the defaults if null.</param>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or of the wrong type, or options are out of their ranges.</exception>
    /// <exception cref="InvalidOperationException">An embedding is NaN or infinite, or no row has another one of its identity.</exception>
    /// <example>
    /// <code>
    /// var metrics = mlContext.Ranking.EvaluateRetrieval(model.Transform(test), "Embedding", "Person", new RetrievalOptions { TeacherColumnName = "TeacherEmbedding" });
    /// Console.WriteLine(metrics); // a table
    /// </code>
    /// </example>
    public static RetrievalMetrics EvaluateRetrieval(
        this RankingCatalog catalog, IDataView data, string embeddingColumnName = "Embedding", string idColumnName = "Label", RetrievalOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        ArgumentNullException.ThrowIfNull(data);
        ArgumentException.ThrowIfNullOrEmpty(embeddingColumnName);
        ArgumentException.ThrowIfNullOrEmpty(idColumnName);
        options ??= new();
        options.Check();
        if (options.TeacherColumnName == embeddingColumnName)
            throw new ArgumentOutOfRangeException(nameof(options), $"TeacherColumnName is '{embeddingColumnName}', the embedding itself, which would be compared with itself. Name the teacher's column, or leave it null.");
        if (ReferenceEquals(options.Gallery, data))
            throw new ArgumentOutOfRangeException(nameof(options), "The Gallery is the data itself, in which every row finds itself first. Leave Gallery null to search the data for other rows.");
        var (ids, cameras) = (new IdReader(), new IdReader());
        var queries = Read(data);
        var gallery = options.Gallery is { } view ? Read(view) : queries;
        for (var i = 0; i < queries.Embeddings.Count; i++)
            CheckLengths(queries.Embeddings[i], gallery.Embeddings[i], i == 0 ? embeddingColumnName : options.TeacherColumnName!);
        return new RetrievalEvaluator(queries, gallery, options).Run();

        EmbeddingRows Read(IDataView rows)
        {
            DataViewSchema.Column[] embeddings =
            [
                FindEmbedding(rows, embeddingColumnName, nameof(embeddingColumnName)),
                .. options.TeacherColumnName is { } teacher ? [FindEmbedding(rows, teacher, nameof(options.TeacherColumnName))] : Array.Empty<DataViewSchema.Column>(),
            ];
            DataViewSchema.Column? camera = options.CameraColumnName is { } name ? Find(rows, name, "camera", nameof(options.CameraColumnName)) : null;
            return EmbeddingRows.Read(rows, embeddings, Find(rows, idColumnName, "identity", nameof(idColumnName)), camera, ids, cameras);
        }
    }

    /// <summary>
    /// Tells for every pair of rows whether they are of the same identity, by the cosine of their embeddings: the receiver operating characteristic and the true accept
    /// rate at given false accept rates.
    /// </summary>
    /// <remarks>
    /// N rows are N (N - 1) / 2 pairs; the time grows with the square of the number of rows, on all processors. All embeddings are in memory, 4 bytes a value, the
    /// scores of pairs of the same identity, and for each unlike pair that the largest of the options' false accept rates accepts 8 bytes. Rows without an identity are left out.
    /// </remarks>
    /// <param name="catalog">The binary classification operations.</param>
    /// <param name="data">The rows.</param>
    /// <param name="embeddingColumnName">The embeddings, <c>Vector&lt;Single, D&gt;</c>.</param>
    /// <param name="idColumnName">The identity of each row: a key, text or a whole number.</param>
    /// <param name="options">Settings; the defaults if null.</param>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or of the wrong type, or options are out of their ranges.</exception>
    /// <exception cref="InvalidOperationException">An embedding is NaN or infinite, or all pairs are of one kind.</exception>
    public static VerificationMetrics EvaluateVerification(
        this BinaryClassificationCatalog catalog, IDataView data, string embeddingColumnName = "Embedding", string idColumnName = "Label", VerificationOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        ArgumentNullException.ThrowIfNull(data);
        ArgumentException.ThrowIfNullOrEmpty(embeddingColumnName);
        ArgumentException.ThrowIfNullOrEmpty(idColumnName);
        options ??= new();
        options.Check();
        var rows = EmbeddingRows.Read(
            data, [FindEmbedding(data, embeddingColumnName, nameof(embeddingColumnName))], Find(data, idColumnName, "identity", nameof(idColumnName)), null, new(), new());
        return VerificationEvaluator.OverAllPairs(rows, options);
    }

    /// <summary>
    /// The same over given pairs, as on LFW: a row has the embeddings of two pictures and whether they are of the same identity. In addition, the accuracy of the LFW
    /// protocol: on each of 10 folds, in the order of the rows, with the threshold that is best on the others.
    /// </summary>
    /// <param name="catalog">The binary classification operations.</param>
    /// <param name="pairs">The pairs.</param>
    /// <param name="firstColumnName">The embeddings of the first, <c>Vector&lt;Single, D&gt;</c>.</param>
    /// <param name="secondColumnName">The embeddings of the second, of the same length.</param>
    /// <param name="sameColumnName">A Boolean, true where both are of the same identity.</param>
    /// <param name="options">Settings; the defaults if null.</param>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or of the wrong type, or options are out of their ranges.</exception>
    /// <exception cref="InvalidOperationException">An embedding is NaN or infinite, all pairs are of one kind, or there are fewer pairs than folds.</exception>
    public static VerificationMetrics EvaluateVerification(
        this BinaryClassificationCatalog catalog, IDataView pairs, string firstColumnName, string secondColumnName, string sameColumnName, VerificationOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        ArgumentNullException.ThrowIfNull(pairs);
        ArgumentException.ThrowIfNullOrEmpty(firstColumnName);
        ArgumentException.ThrowIfNullOrEmpty(secondColumnName);
        ArgumentException.ThrowIfNullOrEmpty(sameColumnName);
        options ??= new();
        options.Check();
        var (first, second) = (FindEmbedding(pairs, firstColumnName, nameof(firstColumnName)), FindEmbedding(pairs, secondColumnName, nameof(secondColumnName)));
        if (((VectorDataViewType)first.Type).Size != ((VectorDataViewType)second.Type).Size)
            throw new ArgumentOutOfRangeException(nameof(secondColumnName), $"Column '{firstColumnName}' is a {first.Type}, column '{secondColumnName}' a {second.Type}. Give two columns of the same length.");
        var same = Find(pairs, sameColumnName, "column of equal identities", nameof(sameColumnName));
        ColumnCheck.FromColumn(same).RequireSame();
        return VerificationEvaluator.OverGivenPairs(pairs, first, second, same, options);
    }

    private static DataViewSchema.Column FindEmbedding(IDataView data, string name, string option)
    {
        var column = Find(data, name, "embedding", option);
        ColumnCheck.FromColumn(column).RequireEmbedding();
        return column;
    }

    private static DataViewSchema.Column Find(IDataView data, string name, string role, string option) =>
        data.Schema.GetColumnOrNull(name) ?? throw ColumnCheck.Missing(name, role, option, data.Schema.Where(c => !c.IsHidden).Select(c => c.Name));

    private static void CheckLengths(float[][] queries, float[][] gallery, string column)
    {
        if (queries.Length > 0 && gallery.Length > 0 && queries[0].Length != gallery[0].Length)
        {
            throw new ArgumentOutOfRangeException(
                "options", FormattableString.Invariant($"Column '{column}' has {queries[0].Length} values in the data and {gallery[0].Length} in the Gallery. Give both the embeddings of one model."));
        }
    }
}
