using MlNetDistill.Core;
using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace CustomNetwork;

/// <summary>
/// Your own network, made of TorchSharp modules with their ONNX form. It returns logits; other networks return an embedding, to which the library adds a linear
/// layer.
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
        // TorchSharp initialised the weights with its process-wide generator; with this generator the same seed gives the same weights.
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
