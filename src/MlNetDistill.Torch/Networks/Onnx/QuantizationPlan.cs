namespace MlNetDistill.Networks;

/// <summary>Which tensors of a graph are quantized, so that ONNX Runtime finds operators of integers between them.</summary>
internal sealed class QuantizationPlan
{
    /// <summary>Operators that ONNX Runtime computes with bytes, besides those with weights.</summary>
    private static readonly HashSet<string> Computing = ["Add", "AveragePool", "GlobalAveragePool", "Concat", "Relu"];

    /// <summary>Operators that only select or move values, so their output needs no range of its own.</summary>
    private static readonly HashSet<string> Moving = ["MaxPool", "Flatten", "Reshape", "Transpose", "Slice", "Gather", "Identity"];

    private readonly Dictionary<string, string> _ranges = [];

    public QuantizationPlan(OnnxGraph graph, string output)
    {
        foreach (var node in graph.Nodes)
        {
            if (HasWeights(graph, node))
                Add([node.Inputs[0], node.Output]);
            else if (Computing.Contains(node.Operation) && node.Inputs.All(name => graph.FindConstant(name) is null))
                Add([.. node.Inputs, node.Output]);
            else if (Moving.Contains(node.Operation) && _ranges.TryGetValue(node.Inputs[0], out var range))
                _ranges[node.Output] = range;
        }

        // The output is a tensor of floats, and a rectifier is computed together with the operator before it.
        var readers = graph.Nodes.SelectMany(node => node.Inputs.Select(name => (Name: name, node.Operation))).ToLookup(read => read.Name, read => read.Operation);
        foreach (var name in _ranges.Keys.Where(name => name == output || readers[name].ToArray() is ["Relu"]).ToList())
            _ranges.Remove(name);

        void Add(string[] names)
        {
            foreach (var name in names)
                _ranges.TryAdd(name, name);
        }
    }

    /// <summary>The tensors whose ranges must be known.</summary>
    public IEnumerable<string> Observed => _ranges.Values.Distinct();

    /// <summary>The tensor whose range a tensor has; null if it stays a tensor of floats.</summary>
    public string? RangeOf(string tensor) => _ranges.GetValueOrDefault(tensor);

    /// <summary>Whether a node multiplies with a constant matrix or kernel.</summary>
    public static bool HasWeights(OnnxGraph graph, OnnxNode node) =>
        node.Operation is "Conv" or "Gemm" or "MatMul" && graph.FindConstant(node.Inputs[1]) is { Type: OnnxType.Float, Shape.Length: >= 2 };
}
