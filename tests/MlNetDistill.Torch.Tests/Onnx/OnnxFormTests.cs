using System.Runtime.InteropServices;
using System.Text;
using Microsoft.ML.OnnxRuntime;
using MlNetDistill.Core;
using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

/// <summary>Exported models whose weights are 16-bit floats or bytes, against the same arithmetic done here.</summary>
public sealed class OnnxFormTests
{
    private static readonly NetworkInput Twelve = new(InputShape.Vector(12));
    private static readonly NetworkInput Images = new(InputShape.Image(3, 8, 8));
    private static readonly NetworkInput Bytes = new(InputShape.Image(1, 13, 19), IsByte: true, new InputStatistics([120], [70]));

    public static IEnumerable<TestCaseData> Networks()
    {
        foreach (var (spec, input) in new[] { (NetworkSpec.Mlp(9, 7), Twelve), (NetworkSpec.Mlp(), Twelve), (NetworkSpec.Mlp(), Bytes), (NetworkSpec.Mlp(20), Bytes) }
            .Concat(Catalogue.Small.SelectMany(spec => new[] { (spec, Images), (spec, Bytes) })))
            yield return new TestCaseData(spec, input).SetArgDisplayNames(spec.Name, $"{input.Shape} {(input.IsByte ? "bytes" : "floats")}");
    }

    [TestCaseSource(nameof(Networks))]
    public void Float16_gives_the_scores_of_the_network_whose_weights_are_rounded(NetworkSpec spec, NetworkInput input)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var network = OnnxScoring.Perturbed(spec, input, 5);
        var rows = OnnxScoring.Features(input, 7);
        using var onnx = new OnnxScoring(OnnxExport.WriteClassifier(network, "Features", new Float16Form()));
        var trained = Near.Values(network.forward(rows).Logits.softmax(1));
        foreach (var weights in network.parameters().Where(p => p.dim() > 1))
            weights.copy_(weights.to(ScalarType.Float16).to(ScalarType.Float32));

        var rounded = Near.Values(network.forward(rows).Logits.softmax(1));

        Near.Array(onnx.Run("Features", rows, "Score"), rounded, 0, 1e-5, "scores");
        Assert.That(rounded, Is.Not.EqualTo(trained), "rounding should change something");
    }

    [Test]
    public void Float16_stores_each_weight_rounded_to_the_nearest()
    {
        using var network = OnnxScoring.Perturbed(NetworkSpec.Mlp(9), Twelve, 5);
        var weights = Near.Values(network.Head.Weight).Select(weight => (Half)weight).ToArray();
        var model = OnnxExport.WriteLogits(network, "Features", "logits", new Float16Form());
        Assert.That(model.AsSpan().IndexOf(MemoryMarshal.AsBytes(weights.AsSpan())), Is.Positive);
    }

    [Test]
    public void A_weight_beyond_the_range_of_float16_is_named()
    {
        using var noGrad = no_grad();
        using var network = OnnxScoring.Perturbed(NetworkSpec.Mlp(9), Twelve, 5);
        network.Head.Weight[0, 0] = tensor(70_000f);
        var e = Assert.Throws<NotSupportedException>(() => OnnxExport.WriteLogits(network, "Features", "logits", new Float16Form()))!;
        Assert.That(e.Message, Does.Contain("Gemm").And.Contain("a weight is 70000, and the largest number is 65,504"));
    }

    [Test]
    public void The_weights_take_a_half_and_a_quarter_of_the_bytes()
    {
        var input = new NetworkInput(InputShape.Vector(100));
        using var network = OnnxScoring.Perturbed(NetworkSpec.Mlp(400, 400), input, 50);
        double trained = OnnxExport.WriteClassifier(network, "Features").Length;
        Assert.Multiple(() =>
        {
            Assert.That(OnnxExport.WriteClassifier(network, "Features", new Float16Form()).Length / trained, Is.EqualTo(0.5).Within(0.02));
            Assert.That(OnnxExport.WriteClassifier(network, "Features", Calibrate(network, OnnxScoring.Features(input, 64))).Length / trained, Is.EqualTo(0.25).Within(0.03));
        });
    }

    /// <summary>
    /// The reference quantizes in 64-bit floats: u = round(x / s) + z in 0 to 255 for activations, ±127 for the weights of an output, 32-bit integers for biases. A value halfway between two bytes may be
    /// rounded to the other one here and there, so logits may differ by what one step of one unit makes.
    /// </summary>
    [TestCase(false)]
    [TestCase(true)]
    public void Int8_gives_the_logits_of_QuantizeLinear_and_DequantizeLinear_as_the_standard_defines_them(bool isByte)
    {
        using var scope = NewDisposeScope();
        var input = new NetworkInput(InputShape.Vector(12), isByte, isByte ? new InputStatistics([120], [70]) : null);
        using var network = OnnxScoring.Perturbed(NetworkSpec.Mlp(9), input, 5);
        var rows = OnnxScoring.Features(input, 64);
        using var onnx = new OnnxScoring(OnnxExport.WriteLogits(network, "Features", "logits", Calibrate(network, rows)));

        var x = Near.Values(isByte ? rows.to(ScalarType.Float64).sub(120).div(70) : rows);
        var parameters = network.parameters().Select(Near.Values).ToArray();
        var (bytes, scale) = Quantize(x, x.Min(), x.Max());
        var floats = Layer(x, parameters[0], parameters[1], 9, double.NegativeInfinity);
        var hidden = Layer(bytes, parameters[0], parameters[1], 9, scale).Select(value => Math.Max(0, value)).ToArray();
        var (hiddenBytes, hiddenScale) = Quantize(hidden, 0, floats.Max());
        var expected = Layer(hiddenBytes, parameters[2], parameters[3], 5, hiddenScale);

        var oneStep = hiddenScale * parameters[2].Max(Math.Abs);
        Near.Array(onnx.Run("Features", rows, "logits"), expected, 0, oneStep, "logits");
        var differences = onnx.Run("Features", rows, "logits").Zip(expected, (a, b) => Math.Abs(a - b)).Order().ToArray();
        Assert.That(differences[differences.Length / 2], Is.LessThan(1e-3 * oneStep), "most rows have no value halfway");
    }

    /// <summary>Deep networks that are not trained amplify the rounding of their first activations, hence the wide limit; a wrong scale or zero point gives more than 1.</summary>
    [TestCaseSource(nameof(Networks))]
    public void Int8_keeps_the_logits_of_every_network_near_and_computes_with_integers(NetworkSpec spec, NetworkInput input)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var network = OnnxScoring.Perturbed(spec, input, 5);
        var rows = OnnxScoring.Features(input, 64);
        var model = OnnxExport.WriteLogits(network, "Features", "logits", Calibrate(network, rows));
        using var onnx = new OnnxScoring(model);
        var expected = Near.Values(network.forward(rows).Logits);

        var found = onnx.Run("Features", rows, "logits");

        var noise = found.Zip(expected, (a, b) => (a - b) * (a - b)).Sum();
        var mean = expected.Average();
        Assert.That(noise / expected.Sum(value => (value - mean) * (value - mean)), Is.LessThan(0.3), "share of the logits' variance");
        var operators = OptimizedOperators(model);
        Assert.That(operators, Does.Contain(spec.NeedsImages ? "QLinearConv" : "QGemm"));
        Assert.That(operators, Has.None.EqualTo("Conv").And.None.EqualTo("Gemm").And.None.EqualTo("FusedConv"), string.Join(' ', operators));
    }

    /// <summary>The ranges of the tensors over some rows, found by running the model that gives them.</summary>
    private static Int8Form Calibrate(Network network, Tensor rows)
    {
        var (model, tensors) = OnnxExport.WriteObserved(network, "Features");
        using var observed = new OnnxScoring(model);
        return new(tensors.ToDictionary(tensor => tensor.Value, tensor =>
        {
            var values = observed.Run("Features", rows, tensor.Key);
            return new ActivationRange((float)Math.Min(0, values.Min()), (float)Math.Max(0, values.Max()));
        }));
    }

    private static (double[] Values, double Scale) Quantize(double[] values, double smallest, double largest)
    {
        var scale = (double)(float)((largest - Math.Min(0, smallest)) / 255);
        var zero = Math.Round(-Math.Min(0, smallest) / scale);
        return ([.. values.Select(value => (Math.Clamp(Math.Round(value / scale) + zero, 0, 255) - zero) * scale)], scale);
    }

    /// <summary>x·Wᵀ + b; with a finite scale of the input, W in ±127 steps and b in whole units.</summary>
    private static double[] Layer(double[] x, double[] weights, double[] biases, int outputs, double inputScale)
    {
        var inputs = weights.Length / outputs;
        var result = new double[x.Length / inputs * outputs];
        for (var k = 0; k < outputs; k++)
        {
            var row = weights[(k * inputs)..((k + 1) * inputs)];
            var bias = biases[k];
            if (double.IsFinite(inputScale))
            {
                var scale = (double)(float)(row.Max(Math.Abs) / 127);
                row = [.. row.Select(weight => Math.Round(weight / scale) * scale)];
                bias = Math.Round(bias / (scale * inputScale)) * scale * inputScale;
            }

            for (var r = 0; r < x.Length / inputs; r++)
                result[(r * outputs) + k] = bias + row.Select((weight, i) => weight * x[(r * inputs) + i]).Sum();
        }

        return result;
    }

    /// <summary>The operators of the graph that ONNX Runtime makes of a model, in the order of its file.</summary>
    private static List<string> OptimizedOperators(byte[] model)
    {
        var path = Path.Combine(TestContext.CurrentContext.WorkDirectory, $"{Guid.NewGuid()}.onnx");
        try
        {
            using (var options = new SessionOptions { OptimizedModelFilePath = path, GraphOptimizationLevel = GraphOptimizationLevel.ORT_ENABLE_EXTENDED })
            using (new InferenceSession(model, options))
            {
            }

            // The operator of a node is field 4, a string.
            var bytes = File.ReadAllBytes(path);
            return
            [
                .. from name in new[] { "QLinearConv", "QGemm", "Conv", "FusedConv", "Gemm", "DequantizeLinear", "QuantizeLinear", "QLinearAdd" }
                   let field = (byte[])[(4 << 3) | 2, (byte)name.Length, .. Encoding.ASCII.GetBytes(name)]
                   where bytes.AsSpan().IndexOf(field) >= 0
                   select name,
            ];
        }
        finally
        {
            File.Delete(path);
        }
    }
}
