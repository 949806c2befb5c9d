using System.Text.Json;
using System.Text.Json.Nodes;
using MlNetDistill.Evaluation;

namespace MlNetDistill.Tests.Evaluation;

/// <summary>A row as two models score it.</summary>
internal sealed record MetricsRow(float[] Teacher, float[] Student, int? Label, ulong Id);

/// <summary>Rows for evaluators, and what they measure as a flat list of numbers.</summary>
internal static class MetricsRows
{
    public static readonly DistillationEvaluationOptions Logits = new() { TeacherScoreKind = ScoreKind.Logits, StudentScoreKind = ScoreKind.Logits };

    public static readonly DistillationEvaluationOptions NoIntervals = new() { BootstrapReplicates = 0 };

    public static string[] Names(int classes) => [.. Enumerable.Range(0, classes).Select(c => $"class {c}")];

    /// <summary>
    /// Rows of probabilities: a teacher that is often right, a student that is somewhat like it. A seventh of the rows has no label, and every fifth row some
    /// equal scores.
    /// </summary>
    public static MetricsRow[] Some(int rows = 400, int classes = 4, int seed = 1, double noise = 1)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, rows).Select(i =>
        {
            var label = random.Next(classes);
            double[] teacher = [.. Enumerable.Range(0, classes).Select(c => (c == label ? 1.5 : 0) + Normal(random))];
            double[] student = [.. teacher.Select(z => z + (noise * Normal(random)))];
            if (i % 5 == 0)
                (teacher[0], student[1]) = (teacher[1], student[0]);
            return new MetricsRow(Softmax(teacher), Softmax(student), i % 7 == 6 ? null : label, ((ulong)seed << 32) + (ulong)i);
        })];
    }

    public static DistillationEvaluator Fed(this DistillationEvaluator evaluator, IEnumerable<MetricsRow> rows)
    {
        foreach (var row in rows)
            evaluator.Add(row.Teacher, row.Student, row.Label, row.Id);
        return evaluator;
    }

    public static DistillationMetrics Measure(IReadOnlyList<MetricsRow> rows, DistillationEvaluationOptions? options = null) =>
        new DistillationEvaluator(Names(rows[0].Student.Length), options).Fed(rows).Metrics();

    /// <summary>A row of scores for each line, ids and labels by position.</summary>
    public static DistillationMetrics Measure(float[][] teacher, float[][] student, int?[]? labels = null, DistillationEvaluationOptions? options = null) =>
        Measure([.. teacher.Select((row, i) => new MetricsRow(row, student[i], labels?[i], (ulong)i))], options ?? NoIntervals);

    /// <summary>Every number in the metrics, intervals too, by its path.</summary>
    public static Dictionary<string, double> Numbers(object metrics)
    {
        var numbers = new Dictionary<string, double>();
        Collect(JsonSerializer.SerializeToNode(metrics), numbers);
        return numbers;
    }

    public static void AreEqual(DistillationMetrics actual, DistillationMetrics expected)
    {
        var (found, wanted) = (Numbers(actual), Numbers(expected));
        Assert.That(found.Keys, Is.EquivalentTo(wanted.Keys));
        Assert.That(wanted, Has.Count.GreaterThan(100));
        Assert.Multiple(() =>
        {
            foreach (var (path, value) in wanted)
                Assert.That(found[path], Is.EqualTo(value).Within(1e-12), path);
        });
    }

    public static double Normal(Random random) => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());

    public static float[] Softmax(double[] logits)
    {
        double[] powers = [.. logits.Select(z => Math.Exp(z - logits.Max()))];
        return [.. powers.Select(p => (float)(p / powers.Sum()))];
    }

    private static void Collect(JsonNode? node, Dictionary<string, double> numbers)
    {
        if (node is JsonObject properties)
        {
            foreach (var (_, value) in properties)
                Collect(value, numbers);
        }
        else if (node is JsonArray items)
        {
            foreach (var item in items)
                Collect(item, numbers);
        }
        else if (node?.GetValueKind() == JsonValueKind.Number)
        {
            numbers[node.GetPath()] = node.GetValue<double>();
        }
    }
}
