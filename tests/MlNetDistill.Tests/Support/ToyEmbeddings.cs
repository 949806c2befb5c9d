using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Methods;
using MlNetDistill.Networks;

namespace MlNetDistill.Tests.Support;

/// <summary>A row of an identity, seen under conditions of its own, with the embedding that a teacher gives it: what the identity is, and nothing of the conditions.</summary>
internal sealed class Sighting
{
    public string Id { get; set; } = "";

    [VectorType(ToyEmbeddings.Features)]
    public float[] Features { get; set; } = [];

    [VectorType(ToyEmbeddings.TeacherLength)]
    public float[] TeacherEmbedding { get; set; } = [];

    public float Weight { get; set; } = 1;

    public bool Held { get; set; }
}

/// <summary>Toy identities and the shortest ways to distil their embeddings.</summary>
internal static class ToyEmbeddings
{
    public const int Features = 24;
    public const int TeacherLength = 12;
    private const int Latent = 6;

    /// <summary>
    /// Identities from <paramref name="first"/> on, in turn. The features mix what a row is (6 values near those of its identity) with its conditions (6 values as large)
    /// through a fixed nonlinear map, so that near features are not near identities. The map is the same whatever the seed.
    /// </summary>
    public static Sighting[] Draw(int rows, int identities, int first = 0, int seed = 1)
    {
        var (features, embedding) = (Matrix(Features, 2 * Latent, 101), Matrix(TeacherLength, Latent, 102));
        var random = new Random(seed);
        return [.. Enumerable.Range(0, rows).Select(i =>
        {
            var id = first + (i % identities);
            var centre = Normals(new Random(1000 + id), Latent);
            double[] what = [.. centre.Zip(Normals(random, Latent), (c, noise) => c + (0.25 * noise))];
            return new Sighting
            {
                Id = $"{id}",
                Features = [.. Multiply(features, [.. what, .. Normals(random, Latent)]).Select(value => (float)Math.Tanh(value / 2))],
                TeacherEmbedding = [.. Multiply(embedding, what).Select(value => (float)value)],
                Held = i % 7 == 0,
            };
        })];
    }

    public static IDataView View(this MLContext context, Sighting[] rows) => context.Data.LoadFromEnumerable(rows);

    /// <summary>Settings that train in about a second.</summary>
    public static EmbeddingOptions Options(EmbeddingTeacher? teacher = null) => new()
    {
        Teacher = teacher ?? EmbeddingTeacher.FromColumn("TeacherEmbedding"),
        Student = NetworkSpec.Mlp(32),
        Epochs = 3,
        BatchSize = 32,
        Optimizer = Optimizer.AdamW(0.01),
        Seed = 3,
    };

    public static float[][] Embeddings(this ITransformer model, IDataView rows, string column = "Embedding") => [.. model.Transform(rows).GetColumn<float[]>(column)];

    private static double[] Normals(Random random, int count) =>
        [.. Enumerable.Range(0, count).Select(_ => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()))];

    private static double[][] Matrix(int rows, int columns, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, rows).Select(_ => Normals(random, columns).Select(value => value / Math.Sqrt(2)).ToArray())];
    }

    private static IEnumerable<double> Multiply(double[][] matrix, double[] vector) => matrix.Select(row => row.Zip(vector, (a, b) => a * b).Sum());
}
