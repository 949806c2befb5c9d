using static System.FormattableString;

namespace MlNetDistill.Networks;

/// <summary>
/// Weights as 16-bit floats, each rounded to the nearest, and a Cast to 32-bit floats before their use. ONNX Runtime computes the casts once, when it loads the model, and then
/// works as with 32-bit floats. Computing in 16-bit floats as well would be slower on CPUs: ONNX Runtime has few such kernels for them, and inserts casts around all other operators.
/// </summary>
internal sealed class Float16Form : OnnxForm
{
    public override void Apply(OnnxGraph graph, string input, string output)
    {
        var nodes = new List<OnnxNode>();
        foreach (var node in graph.Nodes)
        {
            string[] inputs = [.. node.Inputs];
            foreach (var weights in WeightsOf(graph, node))
            {
                var cast = graph.CreateNode("Cast", [graph.Constant(OnnxType.Float16, weights.Shape, Round(weights, node))], ("to", (long)OnnxType.Float));
                nodes.Add(cast);
                inputs = [.. inputs.Select(name => name == weights.Name ? cast.Output : name)];
            }

            nodes.Add(node with { Inputs = inputs });
        }

        graph.Replace(nodes);
    }

    private static Half[] Round(OnnxConstant weights, OnnxNode node)
    {
        var values = weights.Floats;
        var rounded = new Half[values.Length];
        for (var i = 0; i < rounded.Length; i++)
        {
            rounded[i] = (Half)values[i];
            if (!Half.IsFinite(rounded[i]))
            {
                throw CreateError(
                    node, "float16", Invariant($"a weight is {values[i]:G6}, and the largest number is 65,504"),
                    "Normalise the features and train the student again, or keep float32.");
            }
        }

        return rounded;
    }
}
