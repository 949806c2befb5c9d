using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Evaluation;
using MlNetDistill.Methods;

namespace MlNetDistill.Hostile.Uses;

/// <summary>Vectors that are null, empty, short, long, or hold what is no number.</summary>
internal static class VectorCases
{
    public static IEnumerable<Case> All
    {
        get
        {
            foreach (var (what, broken) in new (string, float[]?)[] { ("null", null), ("empty", []), ("short", [1, 2]), ("long", [1, 2, 3, 4, 5]) })
            {
                yield return Case.Refused($"features that are {what} in a row", () => Sample.Fit(Sample.Short(), Features(broken, row => row == 4)), "Features", "4");
                yield return Case.Refused($"features that are {what} in all rows", () => Sample.Fit(Sample.Short(), Features(broken, _ => true)), "Features");
                yield return Case.WorksOrRefused($"features that are {what} in a row, to be dropped", () => Sample.Learns(
                    Sample.Learning() with { MissingFeatures = MissingFeatures.Drop }, Features(broken, row => row == 4)), "Features", "4");
                yield return Case.Refused($"scores that are {what} in a row", () => Sample.Fit(Sample.Short(Teacher.FromColumn("Answer", classNames: Rows.Classes)), Answers(broken, row => row == 7)), "Answer", "7");
                yield return Case.Refused($"scores that are {what} in all rows", () => Sample.Fit(Sample.Short(Teacher.FromColumn("Answer", classNames: Rows.Classes)), Answers(broken, _ => true)), "Answer");
                yield return Case.Refused($"embeddings that are {what} in a row", () => Sample.Fit(
                    Sample.Short(Teacher.FromColumn("Answer", classNames: Rows.Classes, embeddingColumnName: "Hidden")) with { Method = DistillationMethod.Cckd() },
                    Answers([0.8f, 0.1f, 0.1f], _ => false, broken, row => row == 5)), "Hidden", "5");
                yield return Case.Refused($"scores that are {what} where two columns are compared", () => Log.Context().MulticlassClassification.EvaluateDistillation(
                    Answers(broken, row => row == 7), "Answer", "Second", "Class", Named), "Answer", "7");
                yield return Case.Refused($"features that are {what} in a row to validate on", () => Sample.Fit(
                    Sample.Short() with { ValidationData = Features(broken, row => row == 3) }, Sample.Points()), "Features", "3");
                yield return Case.Refused($"features that are {what} where a module is asked", () => Sample.Trainer(Sample.Short(Sample.Teaching()))
                    .ScoreTeacher(Features(broken, row => row == 2)).GetColumn<float[]>("TeacherScore").ToArray(), "Features", "2");
                yield return Case.Works($"features that are {what} at scoring get no score", () =>
                {
                    var view = Features(broken, row => row == 4);
                    var student = Sample.Fit(Sample.Learning());
                    try
                    {
                        var scores = student.Scores(view);
                        Check.That(scores[4].All(float.IsNaN), $"row 4 has the scores {string.Join(", ", scores[4])}");
                    }
                    catch (InvalidOperationException)
                    {
                        // A saved student consists of ML.NET's own steps, which say it in their words.
                    }
                });
            }

            foreach (var value in new[] { float.NaN, float.PositiveInfinity, float.NegativeInfinity })
            {
                var shown = FormattableString.Invariant($"{value}");
                yield return Case.Refused($"a feature of {shown}", () => Sample.Fit(Sample.Short(), Features([0, value, 0, 0], row => row == 9)), "Features", "9");
                yield return Case.Works($"a feature of {shown}, dropped", () => Sample.Learns(Sample.Learning() with { MissingFeatures = MissingFeatures.Drop }, Features([0, value, 0, 0], row => row == 9)));
                yield return Case.Refused($"a probability of {shown}", () => Sample.Fit(
                    Sample.Short(Teacher.FromColumn("Answer", ScoreKind.Probabilities, Rows.Classes)), Answers([0.5f, value, 0.5f], row => row == 7)), "Answer", "7");
                yield return Case.Refused($"a weight of {shown}", () => Sample.Fit(Sample.Short() with { ExampleWeightColumnName = "Weight" }, Weighted(value)), "Weight", "2", shown);
                yield return Case.Refused($"scores of {shown} to be compared", () => Log.Context().MulticlassClassification.EvaluateDistillation(
                    Answers([0.5f, value, 0.5f], row => row == 7), "Answer", "Second", "Class", Named), "Answer", "7");
            }

            yield return Case.Refused("a logit of NaN", () => Sample.Fit(Sample.Short(Teacher.FromColumn("Answer", ScoreKind.Logits, Rows.Classes)), Answers([1, float.NaN, -2], row => row == 7)), "Answer", "7");
            yield return Case.Refused("a logit of ∞", () => Sample.Fit(Sample.Short(Teacher.FromColumn("Answer", ScoreKind.Logits, Rows.Classes)), Answers([1, float.PositiveInfinity, -2], row => row == 7)), "Answer", "7");
            yield return Case.Refused("a weight of -1", () => Sample.Fit(Sample.Short() with { ExampleWeightColumnName = "Weight" }, Weighted(-1)), "Weight", "2", "-1");
            yield return Case.Refused("features of 1e38, which overflow", () => Sample.Fit(Sample.Short(), Features([3e38f, -3e38f, 3e38f, 3e38f], _ => true)), "Features");
            yield return Case.Refused("scores with fewer classes", () => Sample.Fit(Sample.Short(Teacher.FromColumn("Two", classNames: Rows.Classes)), Answers(null, _ => false)), "Two", "2", "3");
            yield return Case.Refused("vectors without a length as features", () => Sample.Fit(Sample.Short() with { FeatureColumnName = "Free" }, Free()), "Free");
            yield return Case.Refused("sparse features that are null", () =>
            {
                var context = Log.Context();
                var rows = Enumerable.Range(0, 30).Select(i => new SparseRow { Label = Rows.Classes[i % 3], Features = i == 6 ? new VBuffer<float>(0, []) : new VBuffer<float>(4, 1, [1f], [i % 3]) });
                Sample.Fit(Sample.Short(), context.Keyed(rows));
            }, "Features", "6");
        }
    }

    private static DistillationEvaluationOptions Named => new() { TeacherClassNames = Rows.Classes, BootstrapReplicates = 0 };

    private static IDataView Features(float[]? broken, Func<int, bool> where)
    {
        var rows = Rows.Points(120);
        for (var i = 0; i < rows.Length; i++)
            rows[i].Features = where(i) ? broken! : rows[i].Features;
        return Log.Context().Keyed(rows);
    }

    private static IDataView Weighted(float weight)
    {
        var rows = Rows.Points(30);
        rows[2].Weight = weight;
        return Log.Context().Keyed(rows);
    }

    private static IDataView Answers(float[]? broken, Func<int, bool> where, float[]? hidden = null, Func<int, bool>? whereHidden = null) => Log.Context().Keyed(
        Rows.Points(60).Select((row, i) => new AnsweredRow
        {
            Label = row.Label,
            Features = row.Features,
            Answer = where(i) ? broken! : Right(row.Label),
            Second = Right(row.Label),
            Hidden = whereHidden?.Invoke(i) == true ? hidden! : row.Features,
        }));

    private static float[] Right(string label) => [.. Rows.Classes.Select(name => name == label ? 0.8f : 0.1f)];

    private static IDataView Free()
    {
        var context = Log.Context();
        return context.Keyed(Rows.Points(30).Select(row => new FreeRow { Label = row.Label, Free = row.Features }));
    }

    private sealed class AnsweredRow
    {
        public string Label { get; set; } = "";

        [VectorType(4)]
        public float[] Features { get; set; } = [];

        [VectorType(3)]
        public float[] Answer { get; set; } = [];

        [VectorType(3)]
        public float[] Second { get; set; } = [];

        [VectorType(4)]
        public float[] Hidden { get; set; } = [];

        [VectorType(2)]
        public float[] Two { get; set; } = [0.5f, 0.5f];
    }

    private sealed class FreeRow
    {
        public string Label { get; set; } = "";

        public float[] Free { get; set; } = [];
    }

    private sealed class SparseRow
    {
        public string Label { get; set; } = "";

        [VectorType(4)]
        public VBuffer<float> Features { get; set; }
    }
}
