using MlNetDistill.Core;
using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

/// <summary>Networks of a user's own in other forms.</summary>
public sealed class OwnOperatorFormTests
{
    private static readonly NetworkInput Four = new(InputShape.Vector(4));

    [Test]
    public void An_operator_whose_weights_cannot_be_quantized_is_named()
    {
        using var network = OnnxScoring.Perturbed(new OwnSpec((graph, input) => graph.Add("Einsum", [input, graph.Constant(ones(4, 4))])), Four, 3);
        var e = Assert.Throws<NotSupportedException>(() => OnnxExport.WriteObserved(network, "Features"))!;
        Assert.That(e.Message, Does.StartWith("The operator Einsum (tensor '__student/t0_Einsum') has no int8 form: it has weights of 4×4").And.EndWith("or another block."));
    }

    [Test]
    public void A_Gemm_with_a_factor_is_not_quantized()
    {
        using var network = OnnxScoring.Perturbed(new OwnSpec((graph, input) => graph.Add("Gemm", [input, graph.Constant(ones(4, 4))], ("alpha", 0.5f))), Four, 3);
        var e = Assert.Throws<NotSupportedException>(() => OnnxExport.WriteObserved(network, "Features"))!;
        Assert.That(e.Message, Does.Contain("The operator Gemm").And.Contain("alpha = 1"));
    }

    [TestCase(false)]
    [TestCase(true)]
    public void A_product_whose_outputs_are_the_last_index_of_its_weights_has_a_scale_for_each(bool isGemm)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        // Columns of very different size: with one scale for all, the small ones would be lost.
        var weights = tensor(new float[,] { { 1, 0.01f, 50, -1 }, { -2, 0.02f, 30, 1 }, { 3, -0.03f, 20, -1 }, { -1, 0.01f, -50, 1 } });
        var spec = new OwnSpec((graph, input) => isGemm ? graph.Add("Gemm", [input, graph.Constant(weights), graph.Constant(ones(4))]) : graph.Add("MatMul", [input, graph.Constant(weights)]));
        using var network = OnnxScoring.Perturbed(spec, Four, 3);
        var (observed, tensors) = OnnxExport.WriteObserved(network, "Features");
        var rows = OnnxScoring.Features(Four, 32);
        using var ranges = new OnnxScoring(observed);
        var form = new Int8Form(tensors.ToDictionary(t => t.Value, t => new ActivationRange().Include([.. ranges.Run("Features", rows, t.Key).Select(v => (float)v)])));

        using var onnx = new OnnxScoring(OnnxExport.WriteLogits(network, "Features", "logits", form));

        var product = rows.mm(weights).add(isGemm ? 1 : 0);
        var expected = Near.Values(functional(network, product));
        var found = onnx.Run("Features", rows, "logits");
        Near.Array(found, expected, 0.03, 0, "logits");

        static Tensor functional(Network network, Tensor embedding) => nn.functional.linear(embedding, network.Head.Weight, network.Head.Bias);
    }

    /// <summary>A block of four values with an ONNX form of its own; what it computes here does not matter.</summary>
    private sealed record OwnSpec(Func<OnnxGraph, string, string> Emit) : NetworkSpec
    {
        public override string Name => "own";

        protected override NetworkPlan Plan(InputShape shape, int logitCount, Generator generator) =>
            new([new ModuleBlock(nn.Identity(), (graph, input) => Emit(graph, input))], [], 4);
    }
}
