using MlNetDistill.Core;
using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace CustomNetwork;

/// <summary>
/// A network of one's own, made of TorchSharp modules together with their ONNX form. It also gives the logits itself, where other networks end in an
/// embedding to which a linear layer is added.
/// </summary>
/// <param name="Hidden">Units of the hidden layer.</param>
internal sealed record MyModuleNetwork(int Hidden) : NetworkSpec
{
    public override string Name => $"module {Hidden}";

    protected override NetworkPlan Plan(InputShape shape, int logitCount, Generator generator)
    {
        var first = nn.Linear(shape.Length, Hidden);
        var last = nn.Linear(Hidden, logitCount);
        var module = nn.Sequential(nn.Flatten(), first, nn.SiLU(), last);
        // TorchSharp drew the weights from its process-wide generator; from this one they are the same for the same seed.
        WeightInitialization.Reinitialize(module, generator);
        return NetworkPlan.EndingInLogits([new ModuleBlock(module, Emit)], taps: [], logitCount);

        // The same computation in ONNX's operators (opset 13). The trainer compares both before it trains and again afterwards.
        string Emit(OnnxGraph graph, string input)
        {
            var flat = graph.Add("Flatten", [input], ("axis", 1L));
            var hidden = graph.Add("Gemm", [flat, graph.Constant(first.weight!), graph.Constant(first.bias!)], ("transB", 1L));
            var silu = graph.Add("Mul", [hidden, graph.Add("Sigmoid", [hidden])]);
            return graph.Add("Gemm", [silu, graph.Constant(last.weight!), graph.Constant(last.bias!)], ("transB", 1L));
        }
    }
}
