using static System.FormattableString;

namespace MlNetDistill.Networks;

/// <summary>The numbers in which a graph is stored and computed. A form changes a finished graph of 32-bit floats.</summary>
internal abstract class OnnxForm
{
    // Their constants are factors and shifts of a channel or a value, few and kept as they are.
    private static readonly HashSet<string> Elementwise = ["Add", "Sub", "Mul", "Div", "Pow", "Max", "Min", "PRelu", "Where"];

    /// <summary>Changes a graph.</summary>
    /// <param name="graph">The graph, from its input to the output.</param>
    /// <param name="input">Its input.</param>
    /// <param name="output">Its output, which stays a tensor of 32-bit floats with this name.</param>
    /// <exception cref="NotSupportedException">An operator of the graph has no such form.</exception>
    public abstract void Apply(OnnxGraph graph, string input, string output);

    /// <summary>The constants of a node that hold nearly all numbers of a network: matrices and kernels, not biases and statistics of channels.</summary>
    protected static IEnumerable<OnnxConstant> WeightsOf(OnnxGraph graph, OnnxNode node) => Elementwise.Contains(node.Operation)
        ? []
        : node.Inputs.Select(graph.FindConstant).OfType<OnnxConstant>().Where(constant => constant is { Type: OnnxType.Float, Shape.Length: >= 2 });

    /// <summary>The error of an operator that has no such form.</summary>
    protected static NotSupportedException CreateError(OnnxNode node, string form, string found, string remedy) =>
        new(Invariant($"The operator {node.Operation} (tensor '{node.Output}') has no {form} form: {found}. {remedy}"));
}
