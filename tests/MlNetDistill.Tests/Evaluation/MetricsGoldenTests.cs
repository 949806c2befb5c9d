using System.Text.Json;
using MlNetDistill.Evaluation;

namespace MlNetDistill.Tests.Evaluation;

/// <summary>
/// Against the reference implementation of Stanton et al. 2021 and, where it computes in single precision or crashes, an independent one. Its
/// <c>brier_mean_over_classes</c> compares student and teacher, not student and label: what is called the squared difference here.
/// </summary>
public sealed class MetricsGoldenTests
{
    private const double Tight = 1e-12;
    private const double Single = 1e-6;

    private static readonly string[] Names = ["N200C10", "N16C3", "uniform_binary", "saturated"];

    [TestCaseSource(nameof(Names))]
    public void Fidelity_is_the_references(string name)
    {
        var (metrics, expected) = Measured(name);
        Assert.Multiple(() =>
        {
            Assert.That(metrics.Agreement.Value, Is.EqualTo(Number(expected, "top1_agreement")).Within(Tight));
            Assert.That(metrics.Divergence.Value, Is.EqualTo(Number(expected, "predictive_kl_teacher_student")).Within(Tight));
            Assert.That(metrics.ReverseDivergence.Value, Is.EqualTo(Number(expected, "kl_student_teacher")).Within(Tight));
            Assert.That(metrics.SquaredDifference.Value, Is.EqualTo(Number(expected, "brier_mean_over_classes")).Within(Tight));
        });
    }

    // The reference averages the log-probabilities of all pairs of rows and labels; 'nll' is that of each row's own label.
    [TestCaseSource(nameof(Names))]
    public void Quality_is_the_references(string name)
    {
        var (metrics, expected) = Measured(name);
        Assert.Multiple(() =>
        {
            Assert.That(metrics.Student!.Accuracy.Value, Is.EqualTo(Number(expected, "student_accuracy")).Within(Tight));
            Assert.That(metrics.Teacher!.Accuracy.Value, Is.EqualTo(Number(expected, "teacher_accuracy")).Within(Tight));
            Assert.That(metrics.Student!.LogLoss.Value, Is.EqualTo(Number(expected, "nll")).Within(1e-10));
        });
    }

    [TestCaseSource(nameof(Names))]
    public void The_calibration_error_is_the_references(string name)
    {
        foreach (var bins in (int[])[10, 15])
        {
            var (metrics, expected) = Measured(name, bins);
            foreach (var (model, quality) in new[] { ("student", metrics.Student!), ("teacher", metrics.Teacher!) })
            {
                var (error, what) = (quality.CalibrationError.Value, $"{model}, {bins} bins");
                Assert.That(error, Is.EqualTo(Number(expected, $"ece{bins}_{model}_reference")).Within(1e-10), what);
                if (!Crashed(expected, bins, model))
                    Assert.That(error, Is.EqualTo(Number(expected, $"ece{bins}_{model}_gnosis")).Within(Single), what);
            }
        }
    }

    [TestCaseSource(nameof(Names))]
    public void The_bins_hold_the_references_rows(string name)
    {
        foreach (var bins in (int[])[10, 15])
        {
            var (metrics, expected) = Measured(name, bins);
            if (Crashed(expected, bins, "student"))
                continue;
            var reliability = metrics.Student!.Reliability;
            double[] Reference(string name) => Golden.Numbers(expected.GetProperty($"bins{bins}_student").GetProperty(name));
            Assert.Multiple(() =>
            {
                Assert.That(reliability.Select(bin => (double)bin.Rows), Is.EqualTo(Reference("count")));
                Assert.That(reliability.Select(bin => bin.Rows * (bin.Accuracy ?? 0)), Is.EqualTo(Reference("correct")).Within(Tight));
                Assert.That(reliability.Select(bin => bin.Rows * (bin.MeanConfidence ?? 0)), Is.EqualTo(Reference("prob")).Within(1e-5));
            });
        }
    }

    [Test]
    public void A_confidence_of_one_half_fell_between_two_bins_of_the_reference()
    {
        var (metrics, expected) = Measured("uniform_binary", 10);
        Assert.That(Crashed(expected, 10, "student"));
        Assert.That(
            metrics.Student!.Reliability.Where(bin => bin.Rows > 0), Is.EqualTo(new[] { new ReliabilityBin(0.4, 0.5, 4, 0.5, 0.5) }));
    }

    [Test]
    public void Divergences_are_the_distillation_losses_of_the_reference_at_temperature_1()
    {
        var inputs = Golden.Record("fidelity.json", "name", "per_sample_temperature").GetProperty("inputs");
        var metrics = MetricsRows.Measure(Rows(inputs, "teacher"), Rows(inputs, "student"), options: MetricsRows.Logits);
        Assert.Multiple(() =>
        {
            Assert.That(metrics.Divergence.Value, Is.EqualTo(Loss("gnosis_ts_kl")).Within(Tight));
            Assert.That(metrics.Divergence + metrics.ReverseDivergence, Is.EqualTo(Loss("gnosis_sym_kl")).Within(Tight));
            Assert.That(metrics.SquaredDifference.Value, Is.EqualTo(Loss("gnosis_brier")).Within(Tight));
        });
    }

    private static double Loss(string name) => Golden.Records("fidelity.json")
        .Single(r => r.GetProperty("name").GetString() == name && r.GetProperty("params").GetProperty("temperature").GetDouble() == 1)
        .GetProperty("loss").GetDouble();

    private static bool Crashed(JsonElement expected, int bins, string model) =>
        expected.GetProperty($"ece{bins}_{model}_gnosis").ValueKind == JsonValueKind.String;

    private static double Number(JsonElement expected, string name) => expected.GetProperty(name).GetDouble();

    private static (DistillationMetrics Metrics, JsonElement Expected) Measured(string name, int bins = 15)
    {
        var record = Golden.Record("fidelity.json", "name", name);
        var inputs = record.GetProperty("inputs");
        int?[] labels = [.. Golden.Integers(inputs.GetProperty("target")).Select(label => (int?)label)];
        var metrics = MetricsRows.Measure(Rows(inputs, "teacher"), Rows(inputs, "student"), labels, MetricsRows.Logits with { ReliabilityBins = bins });
        return (metrics, record.GetProperty("expected"));
    }

    // Inputs are multiples of 2^-10: exact in single precision.
    private static float[][] Rows(JsonElement inputs, string model)
    {
        var classes = (int)Golden.Integers(inputs.GetProperty(model).GetProperty("shape"))[1];
        return [.. Golden.Numbers(inputs.GetProperty(model).GetProperty("data")).Select(v => (float)v).Chunk(classes)];
    }
}
