using System.Text.Json;
using MlNetDistill.Losses;
using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

/// <summary>A record of a golden file about a loss, and the comparison with it.</summary>
internal sealed class GoldenRecord(JsonElement json)
{
    public JsonElement Json { get; } = json;

    public string Name => Json.GetProperty("name").GetString()!;

    public JsonElement Inputs => Json.GetProperty("inputs");

    /// <summary>The named inputs; empty where the record holds its own.</summary>
    public string Case => Inputs.TryGetProperty("case", out var value) ? value.GetString()! : "";

    public double Loss => Golden.Number(Json.GetProperty("loss"));

    public bool IsDouble => Type == ScalarType.Float64;

    public ScalarType Type => Json.GetProperty("dtype").GetString() switch
    {
        "float64" => ScalarType.Float64,
        "float32" => ScalarType.Float32,
        var other => throw new FormatException($"The dtype '{other}' is none that is known here."),
    };

    /// <summary>Whether single precision computes this gradient at all; where not, only the loss is compared.</summary>
    public bool GradientIsWellConditioned => !Json.TryGetProperty("grad_well_conditioned", out var well) || well.GetBoolean();

    public static IReadOnlyList<GoldenRecord> ReadAll(string file) => [.. Golden.Records(file).Select(r => new GoldenRecord(r))];

    /// <summary>The records that <paramref name="wanted"/> names, as test cases.</summary>
    public static IEnumerable<TestCaseData> Cases(string file, Func<GoldenRecord, bool> wanted) => Golden.Records(file)
        .Select((json, i) => (Json: json, Record: new GoldenRecord(json), Index: i))
        .Where(r => wanted(r.Record))
        .Select(r => new TestCaseData(r.Json).SetArgDisplayNames($"{r.Index} {r.Record.Name} {r.Record.Type} {r.Record.Case}"));

    public double Number(string parameter) => Json.GetProperty("params").GetProperty(parameter).GetDouble();

    public bool Flag(string parameter) => Json.GetProperty("params").GetProperty(parameter).GetBoolean();

    public string Text(string parameter) => Json.GetProperty("params").GetProperty(parameter).GetString()!;

    /// <summary>A tensor that the record's inputs hold themselves.</summary>
    public Tensor Own(string name) => Golden.Tensor(Inputs.GetProperty(name), Type);

    /// <summary>The student and the teacher of the named inputs.</summary>
    public (Tensor Student, Tensor Teacher) Pair(string file)
    {
        var inputs = Golden.Case(file, Case);
        return (Golden.Tensor(inputs.GetProperty("student"), Type), Golden.Tensor(inputs.GetProperty("teacher"), Type));
    }

    /// <summary>Value and gradient of the named inputs as a loss on logits states them, without a graph.</summary>
    public (double Value, double[] Gradient) Stated(DistillationLoss loss)
    {
        var (student, teacher) = Pair("inputs_logits.json");
        var labels = tensor(Golden.Integers(Golden.LogitsCase(Case).GetProperty("target")));
        var stated = loss.EvaluateWithGradient(
            new LossInputs(NetworkOutput.FromLogits(student.requires_grad_(true)), NetworkOutput.FromLogits(teacher), labels), 1)!.Value;
        Assert.That(stated.Gradient.requires_grad || stated.Value.requires_grad, Is.False, "a graph");
        return (stated.Value.to(float64).item<double>() * stated.Scale, Near.Values(stated.Gradient));
    }

    /// <summary>
    /// 1e-10 of the loss in double precision, 1e-5 in single. The absolute part, <paramref name="scale"/> roundings of 1, is for records whose
    /// true value is 0.
    /// </summary>
    public void CompareLoss(double value, double scale = 1) =>
        Near.Value(value, Loss, IsDouble ? 1e-10 : 1e-5, scale * (IsDouble ? 1e-14 : 1e-6), "loss");

    /// <summary>The summary and, where the record has it, every element: 1e-10 of the largest in double precision, 1e-3 in single.</summary>
    public void CompareGradient(double[] gradient, string name = "student", double scale = 1)
    {
        var (tolerance, floor) = IsDouble ? (1e-10, scale * 1e-15) : (1e-3, scale * 1e-7);
        if (Json.TryGetProperty("grad_summary", out var summaries))
            CompareSummary(gradient, summaries.GetProperty(name), tolerance, floor);
        if (Json.TryGetProperty("grad", out var full))
            Near.Array(gradient, Golden.Numbers(full.GetProperty(name).GetProperty("data")), tolerance, floor, $"gradient of {name}");
    }

    /// <summary>The loss and, where it is well conditioned, the gradient.</summary>
    public void Compare((double Value, double[] Gradient) result, double scale = 1)
    {
        CompareLoss(result.Value, scale);
        if (GradientIsWellConditioned)
            CompareGradient(result.Gradient, scale: scale);
    }

    public static void CompareSummary(double[] gradient, JsonElement summary, double tolerance, double floor)
    {
        var l2 = Golden.Number(summary.GetProperty("l2"));
        var absolute = floor * gradient.Length;
        Near.Value(Math.Sqrt(gradient.Sum(g => g * g)), l2, tolerance, absolute, "gradient l2");
        Near.Value(gradient.Max(Math.Abs), Golden.Number(summary.GetProperty("absmax")), tolerance, absolute, "largest gradient");
        // Sums over signed elements cancel, so they are as exact as the gradient's length, not as their own.
        Near.Value(gradient.Sum(), Golden.Number(summary.GetProperty("sum")), 0, (tolerance * l2) + absolute, "gradient sum");
        var probe = gradient.Select((g, k) => g * Math.Cos(k)).Sum();
        Near.Value(probe, Golden.Number(summary.GetProperty("probe")), 0, (tolerance * l2) + absolute, "gradient probe");
    }
}
